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
    struct hf_fetch_record a = {.key = "k", .offset = 9, .complete = true, .etag = "\"x y\"", .last_modified = "Sun"},
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

    static const char *const wrong[] = {
        "", "key k\n", "key k\noffset x\nwire 0\ncomplete 0\npacked 0\nboot \netag \nlast-modified \n",
        "key k\noffset 1\nwire 0\ncomplete 2\npacked 0\nboot \netag \nlast-modified \n",
        "key k\noffset 1\nwire 0\ncomplete 0\npacked 0\nboot \netag \nlast-modified \nmore"};
    for (size_t i = 0; i < HF_LEN(wrong); i++)
        ck_assert_msg(hf_fetch_record_parse(hf_view_of(wrong[i]), &b) == -EBADMSG, "%zu", i);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, fetch_record);
}

HF_TEST_MAIN("steps/fetch_record", cases)
