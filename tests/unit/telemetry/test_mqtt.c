/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/source/mqtt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

#define BYTES(text)                                                                                                    \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }

static const struct {
    struct hf_view bytes;
    int want;
    enum hf_mqtt_type type;
} packets[] = {
    {BYTES("\x20\x02\x01\x00"), 1, HF_MQTT_CONNACK},
    {BYTES("\x90\x03\x00\x01\x01"), 1, HF_MQTT_SUBACK},
    {BYTES("\xd0\x00"), 1, HF_MQTT_PINGRESP},
    {BYTES("\x30\x05\x00\x01tab"), 1, HF_MQTT_PUBLISH},
    {BYTES("\x3a\x07\x00\x01t\x12\x34"
           "ab"),
     1, HF_MQTT_PUBLISH},
    {BYTES("\x32\x05\x00\x01t\x00\x01"), 1, HF_MQTT_PUBLISH}, /* no payload */
    {BYTES("\x30\x85\x00\x00\x01tab"), 1, HF_MQTT_PUBLISH},   /* a length longer than need be */
    {BYTES(""), 0, 0},
    {BYTES("\x30"), 0, 0},
    {BYTES("\x30\x80"), 0, 0},
    {BYTES("\x30\x05\x00\x01ta"), 0, 0},
    {BYTES("\x20\x02\x01"), 0, 0},
    {BYTES("\x30\xff\xff\xff\xff\x01"), -EBADMSG, 0}, /* five bytes of length */
    {BYTES("\x20\x03\x01\x00\x00"), -EBADMSG, 0},     /* CONNACK too long */
    {BYTES("\x21\x02\x01\x00"), -EBADMSG, 0},         /* flags that must be 0 */
    {BYTES("\x10\x00"), -EBADMSG, 0},                 /* a server does not CONNECT */
    {BYTES("\x00\x00"), -EBADMSG, 0},
    {BYTES("\xf0\x00"), -EBADMSG, 0},
    {BYTES("\x36\x05\x00\x01t\x00\x01"), -EBADMSG, 0}, /* QoS 3 */
    {BYTES("\x34\x05\x00\x01t\x00\x01"), -EBADMSG, 0}, /* QoS 2 was not asked for */
    {BYTES("\x32\x05\x00\x01t\x00\x00"), -EBADMSG, 0}, /* id 0 */
    {BYTES("\x32\x04\x00\x01t\x00"), -EBADMSG, 0},     /* half an id */
    {BYTES("\x30\x03\x00\x05t"), -EBADMSG, 0},         /* topic beyond the end */
    {BYTES("\x30\x02\x00\x00"), -EBADMSG, 0},          /* no topic */
    {BYTES("\x30\x04\x00\x02t\x00"), -EBADMSG, 0},     /* U+0000 in it */
    {BYTES("\x90\x02\x00\x01"), -EBADMSG, 0},          /* SUBACK of nothing */
    {BYTES("\xd0\x01\x00"), -EBADMSG, 0},
    {BYTES("\x20\xff\xff\x7f"), -EBADMSG, 0}, /* 2 MB of CONNACK */
    {BYTES("HTTP/1.1 400 Bad Request\r\n"), -EBADMSG, 0},
    {BYTES("\x15\x03\x03\x00\x02\x02\x28"), -EBADMSG, 0},     /* an alert of TLS, on a port without */
    {BYTES("\x40\x02\x00\x01"), -EBADMSG, 0},                 /* PUBACK: nothing was published */
    {BYTES("\xe0\x00"), -EBADMSG, 0},                         /* a server does not DISCONNECT in 3.1.1 */
    {BYTES("\x30\x00"), -EBADMSG, 0},                         /* nothing in it */
    {BYTES("\x33\x05\x00\x01t\x00\x01"), 1, HF_MQTT_PUBLISH}, /* retained, QoS 1 */
    {BYTES("\x90\x03\x00\x01\x80"), 1, HF_MQTT_SUBACK},       /* the broker refuses the topic */
};

START_TEST(parses)
{
    struct hf_mqtt_packet packet;
    char *copy = malloc(packets[_i].bytes.n + 1);

    memcpy(copy, packets[_i].bytes.p, packets[_i].bytes.n);
    char *fitting = realloc(copy, packets[_i].bytes.n > 0 ? packets[_i].bytes.n : 1);
    int r = hf_mqtt_parse((struct hf_view){fitting, packets[_i].bytes.n}, &packet);
    ck_assert_msg(r == packets[_i].want, "row %d: %d", _i, r);
    if (r == 1) {
        ck_assert_int_eq(packet.type, packets[_i].type);
        ck_assert_uint_eq(packet.size, packets[_i].bytes.n);
    }
    free(fitting);
}
END_TEST

START_TEST(publish)
{
    struct hf_mqtt_packet packet;

    ck_assert_int_eq(hf_mqtt_parse(packets[4].bytes, &packet), 1);
    ck_assert(packet.duplicate && packet.qos == 1 && packet.id == 0x1234 && !packet.retained && !packet.too_long);
    ck_assert(hf_view_eq(packet.topic, "t") && hf_view_eq(packet.payload, "ab"));
}
END_TEST

/* One that is too long is told as soon as it is known whose it is. */
START_TEST(too_long)
{
    static const char head[] = "\x32\x80\x80\x40\x00\x03top\x00\x07payload";
    struct hf_mqtt_packet packet;

    for (size_t n = 0; n < sizeof(head) - 1; n++) {
        int r = hf_mqtt_parse((struct hf_view){head, n}, &packet);
        ck_assert_msg(r == (n >= 11), "%zu: %d", n, r);
        if (r == 1)
            ck_assert(packet.too_long && packet.id == 7 && packet.size == (1 << 20) + 4);
    }
}
END_TEST

START_TEST(writes)
{
    static const char *const topics[] = {"a/+", "b/#", NULL};
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1 << 20);
    const struct hf_mqtt_connect connect = {.client_id = "c", .username = "u", .password = "pw", .keepalive_s = 30};

    ck_assert_int_eq(hf_mqtt_add_connect(&out, &connect), 0);
    ck_assert_uint_eq(out.n, 22);
    ck_assert_int_eq(memcmp(out.p,
                            "\x10\x14\x00\x04MQTT\x04\xc0\x00\x1e\x00\x01"
                            "c\x00\x01u\x00\x02pw",
                            22),
                     0);
    hf_buf_clear(&out);
    ck_assert_int_eq(hf_mqtt_add_subscribe(&out, 1, topics), 0);
    ck_assert_int_eq(memcmp(out.p,
                            "\x82\x0e\x00\x01\x00\x03"
                            "a/+\x01\x00\x03"
                            "b/#\x01",
                            16),
                     0);
    hf_buf_clear(&out);
    ck_assert_int_eq(hf_mqtt_add_puback(&out, 0x1234), 0);
    ck_assert_int_eq(hf_mqtt_add_ping(&out), 0);
    ck_assert_int_eq(memcmp(out.p, "\x40\x02\x12\x34\xc0\x00", 6), 0);
    /* A length of two bytes. */
    char name[200];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    hf_buf_clear(&out);
    ck_assert_int_eq(hf_mqtt_add_connect(&out, &(struct hf_mqtt_connect){.client_id = name}), 0);
    ck_assert_uint_eq(out.n, 3 + 12 + 199);
    ck_assert_uint_eq((unsigned char)out.p[1], 128 + (211 & 127));
    ck_assert_uint_eq((unsigned char)out.p[2], 211 >> 7);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, parses, 0, (int)HF_LEN(packets));
    tcase_add_test(tc, publish);
    tcase_add_test(tc, too_long);
    tcase_add_test(tc, writes);
}

HF_TEST_MAIN("telemetry/mqtt", cases)
