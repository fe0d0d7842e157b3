/* SPDX-License-Identifier: Apache-2.0 */
/* MQTT 3.1.1 for a subscriber. libmosquitto 2.0 sends PUBACK before the message is on disk. Pure. Borrows from the
 * input. */
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
    uint64_t size;
    bool too_long; /* PUBLISH: `payload` is cut */
    unsigned code; /* CONNACK: 0 if accepted; SUBACK: 0x80 if a topic is refused */
    bool duplicate, retained;
    unsigned qos;
    uint16_t id;
    struct hf_view topic, payload;
};

/* Parses a packet. 1: done; 0: more bytes are needed; -EBADMSG: invalid, too long (not PUBLISH), or not for a
 * subscriber. */
HF_MUST_USE int hf_mqtt_parse(struct hf_view bytes, struct hf_mqtt_packet *ret_packet);

struct hf_mqtt_connect {
    const char *client_id;
    const char *username, *password; /* may be NULL */
    uint16_t keepalive_s;
};
/* Appends a packet, as the functions below do; -E2BIG. The broker keeps messages (no "clean session"). */
HF_MUST_USE int hf_mqtt_add_connect(struct hf_buf *out, const struct hf_mqtt_connect *connect);
/* Subscribes with QoS 1; `topics` ends with NULL. */
HF_MUST_USE int hf_mqtt_add_subscribe(struct hf_buf *out, uint16_t id, const char *const *topics);
HF_MUST_USE int hf_mqtt_add_puback(struct hf_buf *out, uint16_t id);
HF_MUST_USE int hf_mqtt_add_ping(struct hf_buf *out);
