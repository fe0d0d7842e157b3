/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/source/mqtt.h"

#include <errno.h>
#include <string.h>

/* ---- reading ----------------------------------------------------------------------------------------------------- */

struct mqtt_decoder {
    const unsigned char *p, *end;
};

static bool take_u16(struct mqtt_decoder *decoder, uint16_t *ret)
{
    if (decoder->end - decoder->p < 2)
        return false;
    *ret = (uint16_t)(decoder->p[0] << 8 | decoder->p[1]);
    decoder->p += 2;
    return true;
}

/* Takes a length: seven bits for each byte, the lowest first. 1; 0: incomplete; -EBADMSG. */
static int take_length(struct mqtt_decoder *decoder, uint64_t *ret)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 4; i++) {
        if (decoder->p == decoder->end)
            return 0;
        unsigned char byte = *decoder->p++;
        value |= (uint64_t)(byte & 127) << 7 * i;
        if (byte < 128) {
            *ret = value;
            return 1;
        }
    }
    return -EBADMSG;
}

/* 1; 0: the topic is incomplete; -EBADMSG. `body` is the whole body, or the part that has arrived. */
static int parse_publish(unsigned flags, struct mqtt_decoder body, bool whole, struct hf_mqtt_packet *packet)
{
    uint16_t n;

    packet->qos = flags >> 1 & 3;
    packet->duplicate = (flags >> 3 & 1) != 0;
    packet->retained = (flags & 1) != 0;
    if (packet->qos > 1) /* we subscribe with QoS 1 at most */
        return -EBADMSG;
    if (!take_u16(&body, &n) || body.end - body.p < n)
        return whole ? -EBADMSG : 0;
    if (n == 0 || n > HF_MQTT_MAX_TOPIC || memchr(body.p, '\0', n) != NULL)
        return -EBADMSG;
    packet->topic = (struct hf_view){(const char *)body.p, n};
    body.p += n;
    if (packet->qos > 0 && !take_u16(&body, &packet->id))
        return whole ? -EBADMSG : 0;
    if (packet->qos > 0 && packet->id == 0)
        return -EBADMSG;
    packet->payload = (struct hf_view){(const char *)body.p, (size_t)(body.end - body.p)};
    return 1;
}

static int parse_whole(unsigned first, struct mqtt_decoder body, struct hf_mqtt_packet *packet)
{
    size_t n = (size_t)(body.end - body.p);

    switch (first >> 4) {
    case HF_MQTT_CONNACK:
        if ((first & 15) != 0 || n != 2)
            return -EBADMSG;
        packet->code = body.p[1];
        return 1;
    case HF_MQTT_SUBACK:
        if ((first & 15) != 0 || n < 3 || !take_u16(&body, &packet->id))
            return -EBADMSG;
        for (; body.p < body.end; body.p++)
            packet->code = HF_MAX(packet->code, (unsigned)*body.p);
        return 1;
    case HF_MQTT_PINGRESP:
        return (first & 15) == 0 && n == 0 ? 1 : -EBADMSG;
    case HF_MQTT_PUBLISH:
        return parse_publish(first & 15, body, true, packet);
    default:
        return -EBADMSG;
    }
}

int hf_mqtt_parse(struct hf_view bytes, struct hf_mqtt_packet *ret_packet)
{
    struct mqtt_decoder decoder = {(const unsigned char *)bytes.p, (const unsigned char *)bytes.p + bytes.n};
    struct hf_mqtt_packet packet = {.size = 0};
    uint64_t n;

    if (bytes.n == 0)
        return 0;
    unsigned first = *decoder.p++;
    packet.type = (enum hf_mqtt_type)(first >> 4);
    if (packet.type != HF_MQTT_CONNACK && packet.type != HF_MQTT_PUBLISH && packet.type != HF_MQTT_SUBACK &&
        packet.type != HF_MQTT_PINGRESP)
        return -EBADMSG;
    int r = take_length(&decoder, &n);
    if (r <= 0)
        return r;
    packet.size = (uint64_t)(decoder.p - (const unsigned char *)bytes.p) + n;
    packet.too_long = packet.size > HF_MQTT_MAX_PACKET;
    if (packet.too_long && packet.type != HF_MQTT_PUBLISH)
        return -EBADMSG;
    if (packet.too_long) {
        r = parse_publish(first & 15, decoder, false, &packet);
    } else {
        if ((uint64_t)(decoder.end - decoder.p) < n)
            return 0;
        decoder.end = decoder.p + n;
        r = parse_whole(first, decoder, &packet);
    }
    if (r == 1)
        *ret_packet = packet;
    return r;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static int add_byte(struct hf_buf *out, unsigned byte)
{
    char c = (char)byte;

    return hf_buf_add(out, &c, 1);
}

static int add_head(struct hf_buf *out, unsigned first, size_t n)
{
    int r = add_byte(out, first);

    do {
        if (r == 0)
            r = add_byte(out, (unsigned)(n & 127) | (n > 127 ? 128 : 0));
        n >>= 7;
    } while (r == 0 && n > 0);
    return r;
}

static int add_u16(struct hf_buf *out, size_t value)
{
    int r = add_byte(out, (unsigned)(value >> 8 & 255));

    return r < 0 ? r : add_byte(out, (unsigned)(value & 255));
}

static int add_text(struct hf_buf *out, const char *text)
{
    size_t n = strlen(text);
    int r = n > UINT16_MAX ? -E2BIG : add_u16(out, n);

    return r < 0 ? r : hf_buf_add(out, text, n);
}

int hf_mqtt_add_connect(struct hf_buf *out, const struct hf_mqtt_connect *connect)
{
    unsigned flags = (connect->username != NULL ? 0x80u : 0) | (connect->password != NULL ? 0x40u : 0);
    size_t n = 6 + 1 + 1 + 2 + 2 + strlen(connect->client_id);
    int r;

    n += connect->username != NULL ? 2 + strlen(connect->username) : 0;
    n += connect->password != NULL ? 2 + strlen(connect->password) : 0;
    if ((r = add_head(out, 0x10, n)) < 0 || (r = add_text(out, "MQTT")) < 0 || (r = add_byte(out, 4)) < 0 ||
        (r = add_byte(out, flags)) < 0 || (r = add_u16(out, connect->keepalive_s)) < 0 ||
        (r = add_text(out, connect->client_id)) < 0)
        return r;
    if (connect->username != NULL && (r = add_text(out, connect->username)) < 0)
        return r;
    return connect->password != NULL ? add_text(out, connect->password) : 0;
}

int hf_mqtt_add_subscribe(struct hf_buf *out, uint16_t id, const char *const *topics)
{
    size_t n = 2;
    int r;

    for (size_t i = 0; topics[i] != NULL; i++)
        n += 2 + strlen(topics[i]) + 1;
    r = add_head(out, 0x82, n);
    if (r == 0)
        r = add_u16(out, id);
    for (size_t i = 0; r == 0 && topics[i] != NULL; i++) {
        r = add_text(out, topics[i]);
        if (r == 0)
            r = add_byte(out, 1);
    }
    return r;
}

int hf_mqtt_add_puback(struct hf_buf *out, uint16_t id)
{
    int r = add_head(out, 0x40, 2);

    return r < 0 ? r : add_u16(out, id);
}

int hf_mqtt_add_ping(struct hf_buf *out)
{
    return add_head(out, 0xc0, 0);
}
