/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/source/mqtt.h - packets of MQTT 3.1.1 (OASIS, 2014) for a subscriber. Pure.
 *
 * Not libmosquitto: 2.0 sends PUBACK, after which the broker drops the message, before the caller has it on disk.
 * Packets borrow from the input. */
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
    uint64_t size; /* the whole packet, bytes */
    bool too_long; /* PUBLISH beyond HF_MQTT_MAX_PACKET: `payload` is incomplete */
    unsigned code; /* CONNACK: 0 if accepted; SUBACK: the highest, 0x80 if a topic was refused */
    bool duplicate, retained;
    unsigned qos;
    uint16_t id; /* for PUBLISH and SUBACK */
    struct hf_view topic, payload;
};

/* 1: complete, views into `bytes` (one that is too long: as soon as topic and id are there). 0: more bytes needed.
 * -EBADMSG: invalid or not for a subscriber. */
HF_MUST_USE int hf_mqtt_parse(struct hf_view bytes, struct hf_mqtt_packet *ret_packet);

struct hf_mqtt_connect {
    const char *client_id;
    const char *username, *password; /* may be NULL */
    uint16_t keepalive_s;
};
/* These append one packet: 0, -E2BIG, -ENOMEM. CONNECT has "clean session" 0: the broker keeps the session. */
HF_MUST_USE int hf_mqtt_add_connect(struct hf_buf *out, const struct hf_mqtt_connect *connect);
/* QoS 1; NULL ends `topics`. */
HF_MUST_USE int hf_mqtt_add_subscribe(struct hf_buf *out, uint16_t id, const char *const *topics);
HF_MUST_USE int hf_mqtt_add_puback(struct hf_buf *out, uint16_t id);
HF_MUST_USE int hf_mqtt_add_ping(struct hf_buf *out);
