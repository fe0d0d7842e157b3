/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed text: the bytes that earlier releases wrote, damage, other versions. */
#include <errno.h>
#include <string.h>

#include "cache/entry.h"
#include "codec/seal.h"
#include "support/check_main.h"

/* Written by the code of before codec/seal.h existed: one by pkg/cache, one by pkg/update. */
#define CACHE_FILE                                                                                                     \
    "holdfast-cache 1 73a2da09aa2a098508daa77fe939c06c408854bc8ea18d9a3244f3e4e17a88fd\n"                              \
    "{\"kind\":\"EdgeUpdate\",\"metadata\":{\"name\":\"app\"}}\n"
#define FLOOR_FILE "holdfast-floor 1 7902699be42c8a8e46fbbb4501726517e86b22c56a189f7625a6da49081b2451\n7"

START_TEST(same_bytes_for_updates)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    struct hf_view body;

    ck_assert_int_eq(hf_seal_format("floor", 1, HF_VIEW("7"), &text), 0);
    ck_assert(hf_view_eq(hf_buf_view(&text), FLOOR_FILE));
    ck_assert_int_eq(hf_seal_open(HF_VIEW(FLOOR_FILE), "floor", 1, &body, NULL), 0);
    ck_assert(hf_view_eq(body, "7"));
}
END_TEST

START_TEST(same_bytes_for_the_cache)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    _cleanup_(hf_json_freep) json_t *object = NULL;
    char hex[2][HF_SHA256_HEX];

    ck_assert_int_eq(hf_cache_entry_parse(HF_VIEW(CACHE_FILE), &object, hex[0], NULL), 0);
    ck_assert_str_eq(hf_json_str(object, "metadata.name"), "app");
    ck_assert_int_eq(hf_cache_entry_format(object, &text, hex[1]), 0);
    ck_assert(hf_view_eq(hf_buf_view(&text), CACHE_FILE));
    ck_assert_str_eq(hex[0], hex[1]);
    ck_assert_int_eq(memcmp(hex[0], CACHE_FILE + strlen("holdfast-cache 1 "), HF_SHA256_HEX - 1), 0);
}
END_TEST

static const struct {
    const char *name, *text;
    int want_r;
} damages[] = {
    {"empty", "", -EBADMSG},
    {"another kind", CACHE_FILE, -EBADMSG},
    {"no line feed", "holdfast-floor 1 7902699be42c8a8e46fbbb4501726517e86b22c56a189f7625a6da49081b2451", -EBADMSG},
    {"another version", "holdfast-floor 2 7902699be42c8a8e46fbbb4501726517e86b22c56a189f7625a6da49081b2451\n7",
     -EOPNOTSUPP},
    {"another body", "holdfast-floor 1 7902699be42c8a8e46fbbb4501726517e86b22c56a189f7625a6da49081b2451\n8", -EBADMSG},
    {"capital letters", "holdfast-floor 1 7902699BE42C8A8E46FBBB4501726517E86B22C56A189F7625A6DA49081B2451\n7",
     -EBADMSG},
    {"a short checksum", "holdfast-floor 1 7902\n7", -EBADMSG},
    {"more in the header", "holdfast-floor 1 7902699be42c8a8e46fbbb4501726517e86b22c56a189f7625a6da49081b2451 \n7",
     -EBADMSG},
};

START_TEST(damaged)
{
    struct hf_view body;
    int r = hf_seal_open(hf_view_of(damages[_i].text), "floor", 1, &body, NULL);

    ck_assert_msg(r == damages[_i].want_r, "%s: %d", damages[_i].name, r);
}
END_TEST

/* A buffer that is too small keeps what it had. */
START_TEST(full)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(90);

    ck_assert_int_eq(hf_buf_add_str(&text, "abc"), 0);
    ck_assert_int_lt(hf_seal_format("floor", 1, HF_VIEW("1234567890"), &text), 0);
    ck_assert(hf_view_eq(hf_buf_view(&text), "abc"));
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_test(tc, same_bytes_for_updates);
    tcase_add_test(tc, same_bytes_for_the_cache);
    tcase_add_loop_test(tc, damaged, 0, HF_LEN(damages));
    tcase_add_test(tc, full);
}

HF_TEST_MAIN("codec/seal", all)
