/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/source/mqtt.h - parses and builds the packets of MQTT 3.1.1 (OASIS standard, 2014) that a subscriber needs.
 * Pure.
 *
 * We do not use libmosquitto, because its version 2.0 sends PUBACK before it passes the message to its caller. After a
 * PUBACK the broker drops the message, but at that moment the message is not on our disk. Memory: parsed packets borrow
 * from the input. Threads: any. */
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
    uint64_t size; /* size of the whole packet in bytes */
    /* for PUBLISH, true if the packet is longer than HF_MQTT_MAX_PACKET; `topic`, `id` and the flags are then valid,
     * and `payload` is incomplete */
    bool too_long;
    /* for CONNACK, the return code (0 if the broker accepts the connection); for SUBACK, the highest return code of all
     * topics (0x80 if the broker refused a topic) */
    unsigned code;
    /* flags and quality of service of a PUBLISH */
    bool duplicate, retained;
    unsigned qos;
    uint16_t id; /* packet id of a PUBLISH or SUBACK */
    struct hf_view topic, payload;
};

/* Parses the packet at the start of `bytes`. Returns 1 and sets *ret_packet if the packet is complete; the views in
 * *ret_packet point into `bytes`. A PUBLISH that is too long counts as complete as soon as `bytes` holds its topic and
 * id. Returns 0 if more bytes are needed, or -EBADMSG if the packet is invalid or not one that this subscriber
 * accepts. */
HF_MUST_USE int hf_mqtt_parse(struct hf_view bytes, struct hf_mqtt_packet *ret_packet);

struct hf_mqtt_connect {
    const char *client_id;
    const char *username, *password; /* credentials for the broker; NULL if the broker needs none */
    uint16_t keepalive_s;
};
/* The functions hf_mqtt_add_*() each append one packet to *out and return 0, -E2BIG or -ENOMEM. The CONNECT packet sets
 * the flag "clean session" to 0, which asks the broker to keep the session. */
HF_MUST_USE int hf_mqtt_add_connect(struct hf_buf *out, const struct hf_mqtt_connect *connect);
/* Subscribes to all `topics` (NULL ends the array) with QoS 1. */
HF_MUST_USE int hf_mqtt_add_subscribe(struct hf_buf *out, uint16_t id, const char *const *topics);
HF_MUST_USE int hf_mqtt_add_puback(struct hf_buf *out, uint16_t id);
HF_MUST_USE int hf_mqtt_add_ping(struct hf_buf *out);
