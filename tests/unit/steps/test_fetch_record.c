/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a download: round trip, other keys, damage. */
#include "steps/fetch_record.h"

#include <errno.h>

#include "support/check_main.h"
#include "support/fakes/simfs.h"

#define FOLDER "/s/updates/app"

START_TEST(fetch_record)
{
    struct hf_simfs *sim = hf_simfs_new();
    const struct hf_fs_ops *fs = hf_simfs_ops(sim);
    struct hf_fetch_record a = {.key = "k",
                                .offset = 9,
                                .complete = true,
                                .etag = "\"x\xff y\"",
                                .last_modified = "Sun"},
                           b;

    ck_assert_int_eq(hf_fetch_record_load(fs, FOLDER, "k", &b, NULL), 0);
    ck_assert(b.offset == 0 && strcmp(b.key, "k") == 0);
    ck_assert_int_eq(hf_fetch_record_save(fs, FOLDER, &a, NULL), 0);
    ck_assert_int_eq(hf_fetch_record_load(fs, FOLDER, "k", &b, NULL), 0);
    ck_assert(b.offset == 9 && b.complete && !b.packed && strcmp(b.etag, a.etag) == 0);
    ck_assert_int_eq(hf_fetch_record_load(fs, FOLDER, "other", &b, NULL), 0);
    ck_assert(b.offset == 0 && !b.complete && b.etag[0] == '\0');
    ck_assert_int_eq(hf_fetch_record_remove(fs, FOLDER, NULL), 0);
    ck_assert_int_eq(hf_fetch_record_remove(fs, FOLDER, NULL), 0);
    hf_simfs_free(sim);
}
END_TEST

/* fetch.now is overwritten in place while a download goes on, so no later text may be shorter. */
START_TEST(note_only_grows)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(8192);
    struct hf_fetch_record record = {.key = "k", .boot = "b", .etag = "e"};
    size_t before = 0;

    for (unsigned step = 0; step < 8; step++) {
        hf_buf_clear(&text);
        ck_assert_int_eq(hf_record_format(&hf_fetch_record_type, &record, &text), 0);
        ck_assert_uint_ge(text.n, before);
        before = text.n;
        record.offset = record.wire = record.offset * 10 + 1;
        record.packed = record.packed || step > 2;
        record.complete = step > 5;
    }
    memset(record.etag, '\x01', sizeof(record.etag) - 1); /* the longest text has room */
    memset(record.last_modified, '\x01', sizeof(record.last_modified) - 1);
    memset(record.key, 'k', sizeof(record.key) - 1);
    hf_buf_clear(&text);
    ck_assert_int_eq(hf_record_format(&hf_fetch_record_type, &record, &text), 0);
    ck_assert_uint_lt(text.n, hf_fetch_record_type.max_bytes);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, fetch_record);
    tcase_add_test(tc, note_only_grows);
}

HF_TEST_MAIN("steps/fetch_record", cases)
