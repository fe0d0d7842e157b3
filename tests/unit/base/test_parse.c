/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parse.h"

#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/encoding/base64.h"
#include "base/encoding/hex.h"
#include "base/encoding/utf8.h"
#include "base/format.h"
#include "support/check_main.h"
#include "support/walk.h"

static const struct {
    const char *in;
    int want_r;
    uint64_t want;
} durations[] = {
    {"0", 0, 0},
    {"72h", 0, 72ull * 3600 * HF_NS_PER_S},
    {"1h30m", 0, 5400 * HF_NS_PER_S},
    {"1.5s", 0, 1500 * HF_NS_PER_MS},
    {"300ms", 0, 300 * HF_NS_PER_MS},
    {"1m0.5s", 0, 60500 * HF_NS_PER_MS},
    {"", -EINVAL, 0},
    {"5", -EINVAL, 0},
    {"-5s", -EINVAL, 0},
    {"5 s", -EINVAL, 0},
    {"5x", -EINVAL, 0},
    {"99999999999999999999h", -ERANGE, 0},
    {"99999999h", -ERANGE, 0},
};

START_TEST(duration)
{
    uint64_t got = 77;
    int r = hf_parse_duration(durations[_i].in, &got);

    ck_assert_msg(r == durations[_i].want_r && got == (r == 0 ? durations[_i].want : 77), "%s: r=%d got=%" PRIu64,
                  durations[_i].in, r, got);
}
END_TEST

static const struct {
    const char *in;
    int want_r;
    uint64_t want;
} quantities[] = {
    {"512Mi", 0, 512ull << 20},
    {"1G", 0, 1000000000},
    {"1048576", 0, 1048576},
    {"1.5Gi", 0, 3ull << 29},
    {"0", 0, 0},
    {"0.1", 0, 1},
    {"1mi", -EINVAL, 0},
    {"Mi", -EINVAL, 0},
    {"-1", -EINVAL, 0},
    {"1e3", -EINVAL, 0},
    {"99999999Pi", -ERANGE, 0},
};

START_TEST(quantity)
{
    uint64_t got = 77;
    int r = hf_parse_quantity(quantities[_i].in, &got);

    ck_assert_msg(r == quantities[_i].want_r && got == (r == 0 ? quantities[_i].want : 77), "%s: r=%d got=%" PRIu64,
                  quantities[_i].in, r, got);
}
END_TEST

static const struct {
    const char *in;
    int want_r;
    uint64_t want_s;
} times[] = {
    {"2027-02-01T00:00:00Z", 0, 1801440000},
    {"2027-02-01T01:00:00+01:00", 0, 1801440000},
    {"1970-01-01T00:00:00Z", 0, 0},
    {"2027-02-31T00:00:00Z", -EINVAL, 0},
    {"2027-02-01", -EINVAL, 0},
    {"2027-02-01T00:00:00", -EINVAL, 0},
    {"2027-02-01T24:00:00Z", -EINVAL, 0},
    {"1969-12-31T23:59:59Z", -ERANGE, 0},
    {"9999-01-01T00:00:00Z", -ERANGE, 0},
};

START_TEST(time_text)
{
    uint64_t got = 77;
    int r = hf_parse_time(times[_i].in, &got);

    ck_assert_msg(r == times[_i].want_r && got == (r == 0 ? times[_i].want_s * HF_NS_PER_S : 77),
                  "%s: r=%d got=%" PRIu64, times[_i].in, r, got);
}
END_TEST

START_TEST(format_round_trips)
{
    static const uint64_t values[] = {
        0, 1, 999, 1000, 1500000, HF_NS_PER_S, 90 * HF_NS_PER_S, 5400 * HF_NS_PER_S, 61500 * HF_NS_PER_MS};
    char text[HF_DURATION_TEXT];

    for (size_t i = 0; i < HF_LEN(values); i++) {
        uint64_t back = 77;
        ck_assert_int_eq(hf_parse_duration(hf_format_duration(values[i], text), &back), 0);
        ck_assert_msg(back == values[i], "%s is not %" PRIu64, text, values[i]);
    }
    ck_assert_str_eq(hf_format_duration(5400 * HF_NS_PER_S, text), "1h30m");
    ck_assert_str_eq(hf_noun(0, "node", "nodes"), "nodes");
    ck_assert_str_eq(hf_noun(1, "node", "nodes"), "node");
    ck_assert_str_eq(hf_format_time(1801440000 * HF_NS_PER_S, text), "2027-02-01T00:00:00Z");
}
END_TEST

START_TEST(numbers)
{
    uint64_t u = 77;
    int64_t i = 77;

    ck_assert_int_eq(hf_parse_u64("18446744073709551615", 0, UINT64_MAX, &u), 0);
    ck_assert_uint_eq(u, UINT64_MAX);
    ck_assert_int_eq(hf_parse_u64("18446744073709551616", 0, UINT64_MAX, &u), -ERANGE);
    ck_assert_int_eq(hf_parse_u64("007", 0, 10, &u), -EINVAL);
    ck_assert_int_eq(hf_parse_u64("11", 0, 10, &u), -ERANGE);
    ck_assert_int_eq(hf_parse_u64(" 1", 0, 10, &u), -EINVAL);
    ck_assert_int_eq(hf_parse_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &i), 0);
    ck_assert_int_eq(i, INT64_MIN);
    ck_assert_int_eq(hf_parse_i64("-9223372036854775809", INT64_MIN, INT64_MAX, &i), -ERANGE);
    ck_assert_int_eq(hf_parse_i64("-0", -1, 1, &i), -EINVAL);
    unsigned percent = 77;
    ck_assert_int_eq(hf_parse_percent("12.5%", &percent), 0);
    ck_assert_uint_eq(percent, 1250);
    ck_assert_int_eq(hf_parse_percent("101%", &percent), -ERANGE);
    ck_assert_int_eq(hf_parse_percent("5", &percent), -EINVAL);
}
END_TEST

START_TEST(http_date)
{
    uint64_t got = 0;

    ck_assert_int_eq(hf_parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", &got), 0);
    ck_assert_uint_eq(got, 784111777 * HF_NS_PER_S);
    ck_assert_int_eq(hf_parse_http_date("Sun, 06 Nov 1994 08:49:37 CET", &got), -EINVAL);
    ck_assert_int_eq(hf_parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", &got), -EINVAL);
}
END_TEST

START_TEST(encodings)
{
    static const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    static const char *const coded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};

    for (size_t i = 0; i < HF_LEN(plain); i++) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(100), back = HF_BUF_INIT(100);
        ck_assert_int_eq(hf_base64_encode(plain[i], strlen(plain[i]), &text), 0);
        ck_assert_str_eq(hf_buf_str(&text), coded[i]);
        ck_assert_int_eq(hf_base64_decode(hf_buf_view(&text), &back), 0);
        ck_assert_str_eq(hf_buf_str(&back), plain[i]);
    }
    static const char *const bad[] = {"Zg", "Zg=", "Z===", "Zh==", "Zm9=", "Zg==Zg==", "Z\ng=", "!!!!"};
    for (size_t i = 0; i < HF_LEN(bad); i++) {
        _cleanup_(hf_buf_done) struct hf_buf back = HF_BUF_INIT(100);
        ck_assert_msg(hf_base64_decode(hf_view_of(bad[i]), &back) == -EINVAL && back.n == 0, "%s", bad[i]);
    }
    unsigned char bytes[3];
    char hex[7];
    ck_assert_int_eq(hf_hex_decode("00a0ff", bytes, 3), 0);
    ck_assert_str_eq(hf_hex_encode(bytes, 3, hex), "00a0ff");
    ck_assert_int_eq(hf_hex_decode("00A0ff", bytes, 3), -EINVAL);
    ck_assert_int_eq(hf_hex_decode("00a0f", bytes, 3), -EINVAL);
    ck_assert(hf_utf8_valid("\xe2\x82\xac", 3));
    ck_assert(!hf_utf8_valid("\xe2\x82", 2));
    ck_assert(!hf_utf8_valid("\xed\xa0\x80", 3));
    ck_assert(!hf_utf8_valid("\xc0\x80", 2));
    ck_assert(!hf_utf8_valid("\xf4\x90\x80\x80", 4));
    ck_assert_uint_eq(hf_utf8_prefix("a\xe2\x82\xac\xe2\x82", 6), 4);
    ck_assert_uint_eq(hf_utf8_prefix("ab\x80z", 4), 2);
    ck_assert_uint_eq(hf_utf8_prefix("", 0), 0);
    /* What is put is one character, but for surrogates. Above the first plane nothing changes but the bits. */
    for (uint32_t point = 0; point <= 0x10ffff;
         point = point < 0x10100 ? point + 1 : (uint32_t)hf_walk_next("points", point)) {
        char text[4];
        size_t n = hf_utf8_put(point, text);
        bool surrogate = point >= 0xd800 && point < 0xe000;
        ck_assert_msg(hf_utf8_length(text, n) == (surrogate ? 0 : n), "U+%04x", point);
        ck_assert_msg(n == 1 || hf_utf8_length(text, n - 1) == 0, "U+%04x cut", point);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, duration, 0, (int)HF_LEN(durations));
    tcase_add_loop_test(tc, quantity, 0, (int)HF_LEN(quantities));
    tcase_add_loop_test(tc, time_text, 0, (int)HF_LEN(times));
    tcase_add_test(tc, format_round_trips);
    tcase_add_test(tc, numbers);
    tcase_add_test(tc, http_date);
    tcase_add_test(tc, encodings);
}
HF_TEST_MAIN("base/parse", cases)
