/* telemetry/source/mqtt.h - packets of MQTT 3.1.1 (OASIS standard, 2014) that a subscriber needs. Pure.
 *
 * Own code rather than libmosquitto: that one (2.0) sends PUBACK before it calls back, so a message that is acknowledged may not be on disk yet. */
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
    uint64_t size; /* of the whole packet */
    bool too_long; /* PUBLISH longer than HF_MQTT_MAX_PACKET: what follows is its beginning, the payload is cut */
    /* CONNACK */
    bool session_present;
    unsigned code; /* 0: accepted; SUBACK: the worst one, 0x80 is a refusal */
    /* PUBLISH */
    bool duplicate, retained;
    unsigned qos;
    uint16_t id; /* also SUBACK */
    struct hf_view topic, payload;
};

/* 1: a packet stands at the beginning of `bytes`; its views point there. 0: not whole yet (a PUBLISH that is too long is told as soon as its
 * topic and id are there). -EBADMSG: no packet that a server may send. */
HF_MUST_USE int hf_mqtt_parse(struct hf_view bytes, struct hf_mqtt_packet *ret_packet);

struct hf_mqtt_connect {
    const char *client_id;
    const char *username, *password; /* NULL none */
    uint16_t keepalive_s;
};
/* All append to *out: 0, -E2BIG, -ENOMEM. The session is kept by the broker (clean session 0). */
HF_MUST_USE int hf_mqtt_add_connect(struct hf_buf *out, const struct hf_mqtt_connect *connect);
HF_MUST_USE int hf_mqtt_add_subscribe(struct hf_buf *out, uint16_t id, const char *const *topics); /* QoS 1 */
HF_MUST_USE int hf_mqtt_add_puback(struct hf_buf *out, uint16_t id);
HF_MUST_USE int hf_mqtt_add_ping(struct hf_buf *out);
HF_MUST_USE int hf_mqtt_add_disconnect(struct hf_buf *out);
