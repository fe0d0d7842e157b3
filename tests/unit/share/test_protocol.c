/* SPDX-License-Identifier: Apache-2.0 */
#include "share/protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "support/check_main.h"

#define SHA "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
#define END "\r\n\r\n"

static const struct {
    const char *head;
    int r;
    bool content, ranged;
    uint64_t from;
} requests[] = {
    {"GET /v1/content/" SHA " HTTP/1.1\r\nHost: x" END, 0, true, false, 0},
    {"GET /v1/state/" SHA " HTTP/1.1" END, 0, false, false, 0},
    {"GET /v1/content/" SHA " HTTP/1.1\r\nrange:  bytes=17- " END, 0, true, true, 17},
    {"GET /v1/content/" SHA " HTTP/1.1" END "Range: bytes=17-", 0, true, false, 0},
    {"GET /v1/content/" SHA " HTTP/1.1\r\nRange: bytes=17-20" END, -EBADMSG, true, true, 0},
    {"GET /v1/content/" SHA " HTTP/1.1\r\nRange: bytes=-17" END, -EBADMSG, true, true, 0},
    {"GET /v1/content/" SHA " HTTP/1.1\r\nRange: bytes=-" END, -EBADMSG, true, true, 0},
    {"GET /v1/content/" SHA " HTTP/1.1\r\nRange: " END, -EBADMSG, true, false, 0},
    {"GET /v1/content/" SHA " HTTP/1.1\r\nRange: bytes=99999999999999999999-" END, -EBADMSG, true, true, 0},
    {"GET /v1/content/" SHA " HTTP/1.1\r\nRange: bytes=+1-" END, -EBADMSG, true, true, 0},
    {"POST /v1/content/" SHA " HTTP/1.1" END, -EBADMSG, false, false, 0},
    {"GET /v1/content/../../etc/shadow HTTP/1.1" END, -EBADMSG, false, false, 0},
    {"GET /v1/content/" SHA "0 HTTP/1.1" END, -EBADMSG, false, false, 0},
    {"GET /v1/content/" SHA "/ HTTP/1.1" END, -EBADMSG, false, false, 0},
    {"GET /v1/content/5891B5B522D5DF086D0FF0B110FBD9D21BB4FC7163AF34D08286A2E846F6BE03 HTTP/1.1" END, -EBADMSG, false,
     false, 0},
    {"GET /v1/content/" SHA, -EBADMSG, false, false, 0},
    {"GET /v1/content/" SHA " SPDY/1.1" END, -EBADMSG, false, false, 0},
    {"", -EBADMSG, false, false, 0},
    {"\r\n\r\n", -EBADMSG, false, false, 0},
};

START_TEST(request)
{
    struct hf_share_request got = {.from = 1};
    int r = hf_share_request_parse(hf_view_of(requests[_i].head), &got);

    ck_assert_msg(r == requests[_i].r, "%s: %d", requests[_i].head, r);
    if (r < 0)
        return;
    ck_assert_str_eq(got.sha256, SHA);
    ck_assert(got.content == requests[_i].content && got.ranged == requests[_i].ranged);
    ck_assert_uint_eq(got.from, requests[_i].from);
}
END_TEST

START_TEST(request_cut_anywhere)
{
    static const char whole[] = "GET /v1/content/" SHA " HTTP/1.1\r\nRange: bytes=17-" END;
    struct hf_share_request got;

    for (size_t n = 1; n < sizeof(whole); n++) {
        char *copy = malloc(n); /* its end is that of the memory: a read beyond shows */
        memcpy(copy, whole, n);
        (void)hf_share_request_parse((struct hf_view){copy, n}, &got);
        free(copy);
    }
}
END_TEST

START_TEST(states)
{
    static const char *const bad[] = {"", "have it", "fetching", "fetching ", "fetching x", "fetching -1", "HAVE"};
    char text[HF_SHARE_STATE_TEXT];
    enum hf_share_state got;
    uint64_t bytes;

    for (unsigned state = HF_SHARE_ABSENT; state < HF_SHARE_STATES; state++) {
        hf_share_state_format((enum hf_share_state)state, 4711, text);
        ck_assert_int_eq(hf_share_state_parse(hf_view_of(text), &got, &bytes), 0);
        ck_assert_int_eq(got, state);
        ck_assert_uint_eq(bytes, state == HF_SHARE_FETCHING ? 4711 : 0);
    }
    for (size_t i = 0; i < HF_LEN(bad); i++)
        ck_assert_int_eq(hf_share_state_parse(hf_view_of(bad[i]), &got, &bytes), -EBADMSG);
}
END_TEST

START_TEST(datagrams)
{
    char cluster[HF_SHARE_CLUSTER], other[HF_SHARE_CLUSTER], text[HF_SHARE_DATAGRAM];

    hf_share_cluster("-----BEGIN\nabc\n", cluster);
    hf_share_cluster("-----BEGIN\r\nabc\r\n\r\n", other);
    ck_assert_str_eq(cluster, other);
    hf_share_cluster("-----BEGIN\nabd\n", other);
    ck_assert_str_ne(cluster, other);
    for (int ask = 0; ask <= 1; ask++) {
        size_t n = hf_share_datagram_format(ask == 1, cluster, text);
        ck_assert_uint_eq(n, strlen(text));
        ck_assert_int_eq(hf_share_datagram_parse((struct hf_view){text, n}, cluster), ask);
        ck_assert_int_eq(hf_share_datagram_parse((struct hf_view){text, n}, other), -EBADMSG);
        for (size_t cut = 0; cut < n; cut++)
            ck_assert_int_eq(hf_share_datagram_parse((struct hf_view){text, cut}, cluster), -EBADMSG);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, request, 0, (int)HF_LEN(requests));
    tcase_add_test(tc, request_cut_anywhere);
    tcase_add_test(tc, states);
    tcase_add_test(tc, datagrams);
}

HF_TEST_MAIN("share/protocol", cases)
