/* SPDX-License-Identifier: Apache-2.0 */
/* MQTT 3.1.1 (OASIS, 2014) for a subscriber. Not by libmosquitto: 2.0 sends PUBACK, and the broker drops the message,
 * before it is on disk. Pure. Borrows from the input. */
#pragma once

#include "base/buf.h"
#include "base/macros.h"

enum { HF_MQTT_MAX_PACKET = 300 << 10, HF_MQTT_MAX_TOPIC = 1024 };

enum hf_mqtt_type {
    HF_MQTT_CONNACK = 2,
    HF_MQTT_PUBLISH = 3,
    HF_MQTT_SUBACK = 9,
    HF_MQTT_PINGRESP = 13,
};

struct hf_mqtt_packet {
    enum hf_mqtt_type type;
    uint64_t size; /* bytes */
    bool too_long; /* PUBLISH: `payload` is cut */
    unsigned code; /* CONNACK: 0: accepted; SUBACK: highest, 0x80: a refused topic */
    bool duplicate, retained;
    unsigned qos;
    uint16_t id; /* PUBLISH, SUBACK */
    struct hf_view topic, payload;
};

/* 1: a packet (too long: with topic and id). 0: more bytes. -EBADMSG: invalid, or not for a subscriber. */
HF_MUST_USE int hf_mqtt_parse(struct hf_view bytes, struct hf_mqtt_packet *ret_packet);

struct hf_mqtt_connect {
    const char *client_id;
    const char *username, *password; /* may be NULL */
    uint16_t keepalive_s;
};
/* Append; -E2BIG. "Clean session" 0: the broker keeps it. */
HF_MUST_USE int hf_mqtt_add_connect(struct hf_buf *out, const struct hf_mqtt_connect *connect);
/* QoS 1. */
HF_MUST_USE int hf_mqtt_add_subscribe(struct hf_buf *out, uint16_t id, const char *const *topics);
HF_MUST_USE int hf_mqtt_add_puback(struct hf_buf *out, uint16_t id);
HF_MUST_USE int hf_mqtt_add_ping(struct hf_buf *out);
