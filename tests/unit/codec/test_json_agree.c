/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that accepts JSON follows one rule (codec/scan.h). */
#include "support/json_agree.h"

#include "support/check_main.h"

static const struct {
    struct hf_view text;
    enum json_verdict want;
} rows[] = {
#define TEXT(literal) HF_VIEW(literal)
    {TEXT("{\"a\":[1,-2.5e3,true,false,null,\"\\ud83d\\ude00\"]}"), JSON_ACCEPTED},
    {TEXT(" \t\r\n0 "), JSON_ACCEPTED},
    /* unpaired surrogates */
    {TEXT("\"\\ud800\""), JSON_REFUSED},
    {TEXT("\"\\udc00\""), JSON_REFUSED},
    {TEXT("\"\\ud800\\ud800\""), JSON_REFUSED},
    {TEXT("\"\\ud800\\u0041\""), JSON_REFUSED},
    {TEXT("{\"\\ud800\":1}"), JSON_REFUSED},
    {TEXT("[\"\\uD83D\\uDE00\"]"), JSON_ACCEPTED},
    {TEXT("\"\xed\xa0\x80\""), JSON_REFUSED},
    /* numbers */
    {TEXT("1e999"), JSON_REFUSED},
    {TEXT("[-1e999]"), JSON_REFUSED},
    {TEXT("{\"a\":{\"b\":1e309}}"), JSON_REFUSED},
    {TEXT("1.7976931348623157e308"), JSON_ACCEPTED},
    {TEXT("1e-999"), JSON_ACCEPTED},
    {TEXT("9223372036854775807"), JSON_ACCEPTED},
    {TEXT("9223372036854775808"), JSON_ACCEPTED},
    {TEXT("-9223372036854775809"), JSON_ACCEPTED},
    {TEXT("18446744073709551615"), JSON_ACCEPTED},
    {TEXT("100000000000000000000000000000000000000000"), JSON_ACCEPTED},
    {TEXT("NaN"), JSON_REFUSED},
    {TEXT("-Infinity"), JSON_REFUSED},
    {TEXT("01"), JSON_REFUSED},
    {TEXT("1."), JSON_REFUSED},
    {TEXT("+1"), JSON_REFUSED},
    /* duplicate names */
    {TEXT("{\"a\":1,\"a\":1}"), JSON_REFUSED},
    {TEXT("{\"a\":1,\"\\u0061\":1}"), JSON_REFUSED},
    {TEXT("{\"o\":{\"a\":1,\"b\":{},\"a\":1}}"), JSON_REFUSED},
    {TEXT("[[{\"a\":[{\"b\":1,\"b\":2}]}]]"), JSON_REFUSED},
    {TEXT("{\"\":1,\"\":1}"), JSON_REFUSED},
    {TEXT("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":1}]}"), JSON_ACCEPTED},
    /* text */
    {TEXT("\"\\u0000\""), JSON_ACCEPTED_WITH_ZERO},
    {TEXT("{\"\\u0000\":1}"), JSON_ACCEPTED_WITH_ZERO},
    {TEXT("{\"\\u0000\":1,\"\\u0000\":1}"), JSON_REFUSED},
    {TEXT("\"a\0b\""), JSON_REFUSED},
    {TEXT("{}\0"), JSON_REFUSED},
    {TEXT("{}\0{}"), JSON_REFUSED},
    {TEXT("\xef\xbb\xbf{}"), JSON_REFUSED},
    {TEXT("\"\xff\""), JSON_REFUSED},
    {TEXT("\"a\nb\""), JSON_REFUSED},
    {TEXT("\"\\q\""), JSON_REFUSED},
    {TEXT(""), JSON_REFUSED},
    {TEXT("[1,]"), JSON_REFUSED},
    {TEXT("{\"a\":1,}"), JSON_REFUSED},
    {TEXT("[1] 2"), JSON_REFUSED},
    {TEXT("// x\n1"), JSON_REFUSED},
};

START_TEST(one_rule)
{
    struct hf_view text = rows[_i].text;
    const char *complaint;
    /* On the heap, without a byte behind it: reading too far shows. */
    char *copy = malloc(text.n > 0 ? text.n : 1);

    memcpy(copy, text.p, text.n);
    enum json_verdict got = json_ask_all((struct hf_view){copy, text.n}, &complaint);
    ck_assert_msg(complaint == NULL, "'%s': %s", text.p, complaint);
    ck_assert_msg(got == rows[_i].want, "'%s': %d", text.p, (int)got);
    free(copy);
}
END_TEST

/* Brackets around every depth that is near the limit. */
START_TEST(depth)
{
    char text[2 * 70];

    for (size_t n = 60; n <= 70; n++) {
        const char *complaint;
        memset(text, '[', n);
        memset(text + n, ']', n);
        enum json_verdict got = json_ask_all((struct hf_view){text, 2 * n}, &complaint);
        ck_assert_msg(complaint == NULL, "%zu: %s", n, complaint);
        ck_assert_int_eq(got, n <= 64 ? JSON_ACCEPTED : JSON_REFUSED);
    }
}
END_TEST

/* Objects of any number of members, with a name twice at any distance or none. */
START_TEST(many_members)
{
    for (int members = 1; members <= 120; members += members < 40 ? 1 : 20) {
        for (int twice = -1; twice < members - 1; twice += members < 24 ? 1 : 7) {
            _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16);
            const char *complaint;
            int r = hf_buf_add_str(&text, "[{\"outer\":{");
            for (int i = 0; r == 0 && i < members; i++)
                r = hf_buf_addf(&text, "%s\"%sa-long-common-prefix-%d\":{\"a\":%d}", i > 0 ? "," : "",
                                i == 3 ? "\\u0061-" : "a-", i == members - 1 && twice >= 0 ? twice : i, i);
            if (r == 0)
                r = hf_buf_add_str(&text, "},\"inner\":1}]");
            ck_assert_int_eq(r, 0);
            enum json_verdict got = json_ask_all(hf_buf_view(&text), &complaint);
            ck_assert_msg(complaint == NULL, "%d members, %d: %s", members, twice, complaint);
            ck_assert_msg((got == JSON_REFUSED) == (twice >= 0), "%d members, %d: %d", members, twice, got);
        }
    }
}
END_TEST

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* The rows with bytes changed, removed and doubled. */
START_TEST(mutations)
{
    static const char bytes[] = "{}[]\",:\\ue0189.-+dDcC8aAb tfn\n\0\x80\xed\xc3\xa4";
    uint32_t state = 1;

    for (int round = 0; round < 20000; round++) {
        struct hf_view from = rows[next_random(&state) % HF_LEN(rows)].text;
        char text[256];
        const char *complaint;
        size_t n = HF_MIN(from.n, sizeof(text) / 2);
        memcpy(text, from.p, n);
        for (uint32_t changes = 1 + next_random(&state) % 4; changes > 0 && n > 0; changes--) {
            size_t at = next_random(&state) % n;
            switch (next_random(&state) % 3) {
            case 0:
                text[at] = bytes[next_random(&state) % (sizeof(bytes) - 1)];
                break;
            case 1:
                memmove(text + at, text + at + 1, --n - at);
                break;
            default:
                memmove(text + at + 1, text + at, n++ - at);
            }
        }
        (void)json_ask_all((struct hf_view){text, n}, &complaint);
        ck_assert_msg(complaint == NULL, "'%.*s': %s", (int)n, text, complaint);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, one_rule, 0, (int)HF_LEN(rows));
    tcase_add_test(tc, depth);
    tcase_add_test(tc, many_members);
    tcase_add_test(tc, mutations);
}
HF_TEST_MAIN("codec/json_agree", cases)
