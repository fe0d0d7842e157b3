/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of blobs on a disk that loses power, fills up and fails at each of its calls: what is there under a digest
 * has that digest, a later transfer goes on or begins anew, and all together never has more than it may. */
#include "mirror/cache.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simloop.h"

enum { SIZE = 9000, PIECE = 2000, MIB = 1 << 20 };
#define FOLDER "/state/mirror/cache"

static struct hf_simfs *fs;
static struct hf_simloop *loop;
static struct hf_simproc *proc;
static struct hf_mirror_cache *cache;
static char blobs[4][SIZE], names[4][HF_SHA256_HEX];
static const char *wanted; /* stays */

static bool is_wanted(void *arg, const char *sha256)
{
    (void)arg;
    return wanted != NULL && strcmp(wanted, sha256) == 0;
}

static bool open_cache(uint64_t max_bytes)
{
    cache = hf_mirror_cache_new(&(const struct hf_mirror_cache_params){.sched = hf_simproc_sched(proc),
                                                                       .fs = hf_simfs_ops(fs),
                                                                       .folder = FOLDER,
                                                                       .max_bytes = max_bytes,
                                                                       .is_wanted = is_wanted},
                                NULL);
    return cache != NULL;
}

static void set_up(void)
{
    fs = hf_simfs_new();
    hf_simfs_mkdir(fs, "/state/mirror", 0700);
    loop = hf_simloop_new(1);
    proc = hf_simproc_new(loop, "node");
    wanted = NULL;
    for (size_t i = 0; i < HF_LEN(blobs); i++) {
        for (size_t k = 0; k < SIZE; k++)
            blobs[i][k] = (char)(k * 31 >> (i + 1));
        (void)hf_sha256_hex(blobs[i], SIZE, names[i]);
    }
}

static void tear_down(void)
{
    hf_mirror_cache_free(cache);
    cache = NULL;
    hf_simproc_free(proc);
    hf_simloop_free(loop);
    hf_simfs_free(fs);
}

static const char *path_of(size_t i)
{
    static char path[200];

    (void)snprintf(path, sizeof(path), FOLDER "/blobs/sha256/%s", names[i]);
    return path;
}

static bool has(size_t i)
{
    size_t n = 0;
    const void *content = hf_simfs_get(fs, path_of(i), &n);

    ck_assert(content == NULL || (n == SIZE && memcmp(content, blobs[i], SIZE) == 0));
    return content != NULL;
}

static void add_size(void *arg, const char *path, const struct stat *st)
{
    (void)path;
    *(uint64_t *)arg += S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
}

static void count_file(void *arg, const char *path, const struct stat *st)
{
    (void)path;
    *(unsigned *)arg += S_ISREG(st->st_mode);
}

static uint64_t bytes_there(void)
{
    uint64_t bytes = 0;

    hf_simfs_walk(fs, FOLDER, add_size, &bytes);
    return bytes;
}

/* As a serving does it: what is here first, hashed with the rest. False: it did not get to its end. */
static bool bring(size_t i, size_t until)
{
    struct hf_mirror_keep *keep = NULL;
    struct hf_sha256 hash;
    unsigned char digest[HF_SHA256_BYTES], right[HF_SHA256_BYTES];
    char bytes[PIECE];
    int r = hf_mirror_keep_resume(cache, names[i], &keep);

    if (r == -ENOENT)
        r = hf_mirror_keep_begin(cache, names[i], SIZE, &keep);
    if (r < 0)
        return false;
    hf_sha256_init(&hash);
    for (size_t at = 0; r == 0 && at < until; at += PIECE) {
        size_t n = HF_MIN((size_t)PIECE, until - at);
        memcpy(bytes, blobs[i] + at, n);
        uint64_t had = hf_mirror_keep_had(keep);
        if (at < had) {
            ssize_t k = hf_mirror_keep_read(keep, bytes, n, at);
            if (k < 0 || (size_t)k != HF_MIN((uint64_t)n, had - at))
                r = -EIO;
        }
        if (r == 0) {
            hf_sha256_update(&hash, bytes, n);
            r = hf_mirror_keep_write(keep, bytes, n);
        }
    }
    if (r < 0 || until < SIZE) {
        hf_mirror_keep_free(keep);
        return false;
    }
    hf_sha256_final(&hash, digest);
    hf_sha256_init(&hash);
    hf_sha256_update(&hash, blobs[i], SIZE);
    hf_sha256_final(&hash, right);
    bool same = memcmp(digest, right, sizeof(digest)) == 0;
    hf_mirror_keep_finish(keep, same);
    hf_simloop_run_for(loop, HF_NS_PER_S);
    return same;
}

START_TEST(comes_and_stays)
{
    set_up();
    ck_assert(open_cache(MIB));
    ck_assert(bring(0, SIZE));
    ck_assert(has(0));
    ck_assert(hf_simfs_is_durable(fs, path_of(0)));
    ck_assert_uint_eq(bytes_there(), SIZE);
    hf_mirror_cache_drop(cache, names[0]);
    ck_assert(!has(0));
    tear_down();
}
END_TEST

START_TEST(broken_off_goes_on)
{
    struct hf_mirror_keep *keep, *other;

    set_up();
    ck_assert(open_cache(MIB));
    ck_assert(!bring(0, 4000));
    ck_assert_int_eq(hf_mirror_keep_resume(cache, names[0], &keep), 0);
    ck_assert_uint_eq(hf_mirror_keep_had(keep), 4000);
    ck_assert_uint_eq(hf_mirror_keep_size(keep), SIZE);
    ck_assert_int_eq(hf_mirror_keep_begin(cache, names[0], SIZE, &other), -EBUSY);
    hf_mirror_keep_free(keep);
    ck_assert(bring(0, SIZE));
    ck_assert(has(0));
    ck_assert_uint_eq(bytes_there(), SIZE);
    /* more than it said, and wrong at the end */
    ck_assert_int_eq(hf_mirror_keep_begin(cache, names[1], 10, &keep), 0);
    ck_assert_int_eq(hf_mirror_keep_write(keep, blobs[1], 11), -EBADMSG);
    ck_assert_int_eq(hf_mirror_keep_write(keep, blobs[1], 10), 0);
    hf_mirror_keep_finish(keep, false);
    ck_assert_int_eq(hf_mirror_keep_resume(cache, names[1], &keep), -ENOENT);
    ck_assert_uint_eq(bytes_there(), SIZE);
    tear_down();
}
END_TEST

START_TEST(the_oldest_goes)
{
    struct hf_mirror_keep *keep, *second;

    set_up();
    ck_assert(open_cache(2 * SIZE + 100));
    ck_assert(bring(0, SIZE));
    ck_assert(bring(1, SIZE));
    ck_assert(bring(2, SIZE));
    ck_assert(!has(0) && has(1) && has(2));
    wanted = names[1];
    ck_assert(bring(3, SIZE));
    ck_assert(has(1) && !has(2) && has(3));
    /* not in vain: what can go is not enough */
    ck_assert_int_eq(hf_mirror_cache_room(cache, SIZE + 200), -EDQUOT);
    ck_assert_int_eq(hf_mirror_cache_room(cache, 3 * SIZE), -EDQUOT);
    ck_assert(has(1) && has(3));
    /* what still has to arrive counts */
    ck_assert_int_eq(hf_mirror_keep_begin(cache, names[0], SIZE, &keep), 0);
    ck_assert_int_eq(hf_mirror_keep_begin(cache, names[2], SIZE, &second), -EDQUOT);
    hf_mirror_keep_free(keep);
    tear_down();
}
END_TEST

START_TEST(many_small_ones_go)
{
    char path[200];

    set_up();
    ck_assert(open_cache(MIB));
    for (unsigned i = 0; i < 8200; i++) {
        (void)snprintf(path, sizeof(path), FOLDER "/blobs/sha256/%064x", i);
        hf_simfs_put(fs, path, "", 0, 0600);
    }
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(hf_mirror_cache_room(cache, SIZE), 0);
    ck_assert(bring(0, SIZE));
    unsigned n = 0;
    hf_simfs_walk(fs, FOLDER, count_file, &n);
    ck_assert_uint_le(n, 4096);
    ck_assert_uint_gt(n, 3000);
    tear_down();
}
END_TEST

START_TEST(full_disk)
{
    struct hf_mirror_keep *keep;

    set_up();
    ck_assert(open_cache(MIB));
    ck_assert(bring(0, SIZE));
    hf_simfs_set_limit(fs, "/", 1);
    wanted = names[0];
    ck_assert_int_eq(hf_mirror_keep_begin(cache, names[1], SIZE, &keep), -ENOSPC);
    ck_assert(has(0));
    wanted = NULL;
    hf_simfs_set_limit(fs, "/", 0);
    ck_assert(bring(1, SIZE));
    tear_down();
}
END_TEST

static void damage(size_t i)
{
    char wrong[SIZE];

    memcpy(wrong, blobs[i], SIZE);
    wrong[SIZE / 2] ^= 1;
    hf_simfs_put(fs, path_of(i), wrong, SIZE, 0600);
}

static bool is_there(size_t i)
{
    size_t n = 0;

    return hf_simfs_get(fs, path_of(i), &n) != NULL;
}

START_TEST(read_in_parts)
{
    set_up();
    ck_assert(open_cache(MIB));
    for (size_t i = 0; i < 3; i++)
        ck_assert(bring(i, SIZE));
    damage(0);
    damage(2);
    for (size_t i = 0; i < 4; i++) {
        hf_mirror_cache_check(cache, names[i]);
        hf_mirror_cache_check(cache, names[i]);
    }
    hf_simloop_run_for(loop, HF_NS_PER_S);
    ck_assert(!is_there(0) && has(1) && !is_there(2));
    hf_simfs_put(fs, path_of(0), blobs[0], SIZE / 2, 0600);
    hf_mirror_cache_check(cache, names[0]);
    hf_simloop_run_for(loop, HF_NS_PER_S);
    ck_assert(!is_there(0));
    /* it goes off while one is compared and others wait */
    damage(1);
    damage(2);
    hf_mirror_cache_check(cache, names[1]);
    hf_mirror_cache_check(cache, names[2]);
    hf_mirror_cache_free(hf_steal(cache));
    hf_simloop_run_for(loop, HF_NS_PER_S);
    ck_assert(!is_there(1) && is_there(2));
    tear_down();
}
END_TEST

/* At each call the power goes, the process dies, or the call fails; then the blob comes all the same. */
START_TEST(walk)
{
    unsigned n = 0;
    bool over = false;

    for (n = 1; !over; n++) {
        set_up();
        if (_i == 2)
            hf_simfs_fail_at(fs, n, ENOSPC, 1);
        else
            hf_simfs_stop_at(fs, n);
        if (open_cache(2 * SIZE + 100)) {
            (void)bring(0, 5000);
            (void)bring(0, SIZE);
            (void)bring(1, SIZE);
            (void)bring(2, SIZE);
            (void)has(0);
        }
        over = _i == 2 ? hf_simfs_failed(fs) == 0 : !hf_simfs_stopped(fs);
        hf_simproc_kill(proc);
        hf_mirror_cache_free(cache);
        cache = NULL;
        if (_i == 2) {
            hf_simfs_fail_at(fs, 0, 0, 0);
        } else {
            hf_simfs_stop_at(fs, 0);
            if (_i == 0)
                hf_simfs_power_cut(fs, n);
            else
                hf_simfs_kill(fs);
        }
        for (size_t i = 0; i < 3; i++)
            (void)has(i);
        hf_simproc_free(proc);
        proc = hf_simproc_new(loop, "node");
        ck_assert(open_cache(2 * SIZE + 100));
        /* the first time may find that the cut left wrong bytes */
        for (size_t i = 0; i < 3; i++) {
            ck_assert_msg(has(i) || bring(i, SIZE) || bring(i, SIZE), "blob %zu, cut at call %u", i, n);
            ck_assert(has(i));
        }
        ck_assert_uint_le(bytes_there(), 2 * SIZE + 100);
        tear_down();
    }
    ck_assert_uint_gt(n, 30);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, comes_and_stays);
    tcase_add_test(tc, broken_off_goes_on);
    tcase_add_test(tc, the_oldest_goes);
    tcase_add_test(tc, many_small_ones_go);
    tcase_add_test(tc, full_disk);
    tcase_add_test(tc, read_in_parts);
    tcase_add_loop_test(tc, walk, 0, 3);
}

HF_TEST_MAIN("mirror/cache", cases)
