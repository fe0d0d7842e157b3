/* telemetry/source/mqtt.h - parses and builds the packets of MQTT 3.1.1 (OASIS standard, 2014) that a subscriber needs.
 * Pure.
 *
 * We do not use libmosquitto, because its version 2.0 sends PUBACK before it passes the message to its caller. The
 * broker would then drop a message that is not on disk yet. Memory: parsed packets borrow from the input. Threads: any.
 */
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
    uint64_t size; /* bytes of the whole packet */
    /* PUBLISH: the packet is longer than HF_MQTT_MAX_PACKET; the fields below come from its beginning, and the payload
     * is incomplete */
    bool too_long;
    /* CONNACK */
    bool session_present;
    /* CONNACK: 0 means that the broker accepts. SUBACK: the highest code of all topics; 0x80 means refused */
    unsigned code;
    /* PUBLISH */
    bool duplicate, retained;
    unsigned qos;
    uint16_t id; /* id of the packet, also of a SUBACK */
    struct hf_view topic, payload;
};

/* Parses the packet at the start of `bytes`. Returns 1 if the packet is complete; its views point into `bytes`. A
 * PUBLISH that is too long counts as complete as soon as `bytes` holds its topic and id. Returns 0 if more bytes are
 * needed, and -EBADMSG if a broker may not send such a packet. */
HF_MUST_USE int hf_mqtt_parse(struct hf_view bytes, struct hf_mqtt_packet *ret_packet);

struct hf_mqtt_connect {
    const char *client_id;
    const char *username, *password; /* NULL: none */
    uint16_t keepalive_s;
};
/* Each of these functions appends one packet to *out and returns 0, -E2BIG or -ENOMEM. The CONNECT packet has clean
 * session 0, which asks the broker to keep the session. */
HF_MUST_USE int hf_mqtt_add_connect(struct hf_buf *out, const struct hf_mqtt_connect *connect);
HF_MUST_USE int hf_mqtt_add_subscribe(struct hf_buf *out, uint16_t id, const char *const *topics); /* QoS 1 */
HF_MUST_USE int hf_mqtt_add_puback(struct hf_buf *out, uint16_t id);
HF_MUST_USE int hf_mqtt_add_ping(struct hf_buf *out);
HF_MUST_USE int hf_mqtt_add_disconnect(struct hf_buf *out);
