/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at a spool's folder: what is there, each kind of damage by name, and not a byte changed. */
#include "spool/look.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "spool/store.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"

enum { SEGMENT = 64 << 10, RECORDS = 60, SIZE = 2000 };

static uint64_t next_random(void *ctx)
{
    return ++*(uint64_t *)ctx * 0x9e3779b97f4a7c15u;
}

struct scene {
    struct hf_simfs *fs;
    uint64_t random;
    struct hf_spool_store *store;
};

static void scene_init(struct scene *scene)
{
    *scene = (struct scene){.fs = hf_simfs_new()};
    struct hf_rand_ops rng = {&scene->random, next_random};
    struct hf_spool_store_params params = {.fs = hf_simfs_ops(scene->fs),
                                           .rng = &rng,
                                           .dir = "/spool",
                                           .segment_bytes = SEGMENT,
                                           .max_bytes = 64 * SEGMENT};
    char payload[SIZE];

    memset(payload, 'x', sizeof(payload));
    ck_assert_int_eq(hf_spool_store_open(&params, &scene->store, NULL), 0);
    for (unsigned i = 0; i < RECORDS; i++) {
        struct hf_spool_record record = {
            .unix_ns = 1000 + i, .tag = i % 2 ? 0x10009 : 0x20011, .payload = {payload, SIZE}};
        size_t done;
        ck_assert_int_eq(hf_spool_store_write(scene->store, &record, 1, &done, NULL), 0);
    }
    ck_assert_int_eq(hf_spool_store_deliver(scene->store, 10, NULL), 0);
    hf_spool_store_free(scene->store);
}

static void flip(struct scene *scene, const char *path, size_t at, size_t n)
{
    size_t size;
    const unsigned char *bytes = hf_simfs_get(scene->fs, path, &size);
    ck_assert_ptr_nonnull(bytes);
    unsigned char *copy = malloc(size);
    memcpy(copy, bytes, size);
    for (size_t i = at; i < at + n; i++)
        copy[i] ^= 0x55;
    hf_simfs_put(scene->fs, path, copy, size, 0600);
    free(copy);
}

struct seen {
    uint64_t n, last;
};

static int see(void *arg, const struct hf_spool_record *record, bool waiting)
{
    struct seen *seen = arg;

    ck_assert_uint_gt(record->sequence, seen->last);
    ck_assert_int_eq(waiting, record->sequence > 10);
    seen->last = record->sequence;
    seen->n++;
    return 0;
}

#define FIRST "/spool/0000000000000001.seg"

static const struct {
    const char *what;
    const char *path; /* to harm */
    size_t at, n;     /* n 0: delete it */
    bool damaged;
    uint64_t missing, headers_mended, headers_lost;
} harms[] = {
    {"nothing", NULL, 0, 0, false, 0, 0, 0},
    {"a delivered record", FIRST, 600, 1, true, 0, 0, 0},
    {"two waiting ones", FIRST, 512 + 15 * 2048 - 100, 200, true, 2, 0, 0},
    {"a header", FIRST, 5, 1, true, 0, 1, 0},
    {"the cursor", "/spool/cursor", 0, 4200, true, 0, 0, 0},
    {"no cursor", "/spool/cursor", 0, 0, true, 0, 0, 0},
    {"the stream", "/spool/stream", 30, 1, true, 0, 0, 0},
    {"the spare", "/spool/spare.seg", 0, 0, false, 0, 0, 0},
    {"a segment", FIRST, 0, 0, true, 21, 0, 0},
};

START_TEST(each_harm_has_a_name)
{
    struct scene scene;
    struct hf_spool_found found;
    struct seen seen = {0};

    scene_init(&scene);
    if (harms[_i].path != NULL && harms[_i].n > 0)
        flip(&scene, harms[_i].path, harms[_i].at, strcmp(harms[_i].what, "the cursor") == 0 ? 4136 : harms[_i].n);
    else if (harms[_i].path != NULL)
        hf_simfs_delete(scene.fs, harms[_i].path);
    bool no_cursor = harms[_i].path != NULL && strcmp(harms[_i].path, "/spool/cursor") == 0;
    hf_simfs_set_read_only(scene.fs, "/", true);
    ck_assert(hf_spool_detect(hf_simfs_ops(scene.fs), "/spool"));
    ck_assert_int_eq(hf_spool_look(hf_simfs_ops(scene.fs), "/spool", no_cursor ? NULL : see, &seen, &found, NULL), 0);
    ck_assert_msg(hf_spool_is_damaged(&found) == harms[_i].damaged, "%s", harms[_i].what);
    ck_assert_msg(found.missing == harms[_i].missing, "%s: %ju missing", harms[_i].what, (uintmax_t)found.missing);
    ck_assert_uint_eq(found.headers_mended, harms[_i].headers_mended);
    ck_assert_uint_eq(found.headers_lost, harms[_i].headers_lost);
    ck_assert_uint_eq(found.last, RECORDS);
    ck_assert_uint_eq(found.waiting, no_cursor ? found.records : RECORDS - 10 - harms[_i].missing);
    ck_assert_uint_eq(found.newest_unix_ns, 1000 + RECORDS - 1);
    ck_assert_uint_eq(hf_simfs_open_fds(scene.fs), 0);
    hf_simfs_free(scene.fs);
}
END_TEST

struct recent {
    size_t n;
    uint64_t bytes;
};

static void see_recent(void *arg, struct hf_view payload)
{
    struct recent *recent = arg;

    recent->n++;
    recent->bytes += payload.n;
}

START_TEST(recent_records_are_of_the_newest_segments)
{
    struct hf_spool_found found;
    struct scene scene;
    struct recent recent = {0}, few = {0}, newest = {0};

    scene_init(&scene);
    const struct hf_fs_ops *fs = hf_simfs_ops(scene.fs);
    ck_assert_int_eq(hf_spool_look(fs, "/spool", NULL, NULL, &found, NULL), 0);
    ck_assert_int_eq(hf_spool_recent(fs, "/spool", SIZE_MAX, SIZE_MAX, see_recent, &recent), 0);
    ck_assert(recent.n == found.records && recent.bytes > 0); /* as many segments as it takes */
    ck_assert_int_eq(hf_spool_recent(fs, "/spool", SIZE_MAX, 0, see_recent, &newest), 0);
    ck_assert(newest.n > 0 && newest.n < recent.n);
    ck_assert_int_eq(hf_spool_recent(fs, "/spool", newest.n + 1, SIZE_MAX, see_recent, &few), 0);
    ck_assert_uint_eq(few.n, newest.n + 1);
    ck_assert_int_eq(hf_spool_recent(fs, "/nothing", 1, 1, see_recent, &few), -ENOENT);
    ck_assert_uint_eq(few.n, newest.n + 1);
    ck_assert_uint_eq(hf_simfs_open_fds(scene.fs), 0);
    hf_simfs_free(scene.fs);
}
END_TEST

START_TEST(what_is_no_spool)
{
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_spool_found found;

    hf_simfs_mkdir(fs, "/other", 0755);
    hf_simfs_put(fs, "/other/cursor", "x", 1, 0600);
    ck_assert(!hf_spool_detect(hf_simfs_ops(fs), "/other"));
    ck_assert(!hf_spool_detect(hf_simfs_ops(fs), "/nothing"));
    ck_assert_int_eq(hf_spool_look(hf_simfs_ops(fs), "/other", NULL, NULL, &found, NULL), -ENOENT);
    hf_simfs_put(fs, "/other/0000000000000009.seg", "rubbish", 7, 0600);
    ck_assert_int_eq(hf_spool_look(hf_simfs_ops(fs), "/other", NULL, NULL, &found, NULL), 0);
    ck_assert_uint_eq(found.headers_lost, 1);
    ck_assert(hf_spool_is_damaged(&found));
    hf_simfs_free(fs);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, each_harm_has_a_name, 0, (int)HF_LEN(harms));
    tcase_add_test(tc, recent_records_are_of_the_newest_segments);
    tcase_add_test(tc, what_is_no_spool);
}
HF_TEST_MAIN("spool/look", cases)
