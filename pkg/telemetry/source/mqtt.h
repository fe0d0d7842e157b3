/* telemetry/source/mqtt.h - the packets of MQTT 3.1.1 (OASIS standard, 2014) that a subscriber needs. Pure.
 *
 * Not libmosquitto, because its version 2.0 sends PUBACK before it calls back: the broker would drop a message that is
 * not on disk yet. Memory: parsed packets borrow from the input. Threads: any. */
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
    /* PUBLISH longer than HF_MQTT_MAX_PACKET: the fields below are from its beginning, the payload is cut */
    bool too_long;
    /* CONNACK */
    bool session_present;
    unsigned code; /* 0: accepted; SUBACK: the worst code, 0x80 is a refusal */
    /* PUBLISH */
    bool duplicate, retained;
    unsigned qos;
    uint16_t id; /* SUBACK too */
    struct hf_view topic, payload;
};

/* Parses the packet at the start of `bytes`: 1 and its views point there; 0: more bytes are needed (for a PUBLISH that
 * is too long, only up to its topic and id); -EBADMSG: no packet that a server may send. */
HF_MUST_USE int hf_mqtt_parse(struct hf_view bytes, struct hf_mqtt_packet *ret_packet);

struct hf_mqtt_connect {
    const char *client_id;
    const char *username, *password; /* NULL: none */
    uint16_t keepalive_s;
};
/* Each of these appends one packet to *out and returns 0, -E2BIG or -ENOMEM. CONNECT asks the broker to keep the
 * session (clean session 0). */
HF_MUST_USE int hf_mqtt_add_connect(struct hf_buf *out, const struct hf_mqtt_connect *connect);
HF_MUST_USE int hf_mqtt_add_subscribe(struct hf_buf *out, uint16_t id, const char *const *topics); /* QoS 1 */
HF_MUST_USE int hf_mqtt_add_puback(struct hf_buf *out, uint16_t id);
HF_MUST_USE int hf_mqtt_add_ping(struct hf_buf *out);
HF_MUST_USE int hf_mqtt_add_disconnect(struct hf_buf *out);
