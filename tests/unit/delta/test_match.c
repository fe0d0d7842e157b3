/* SPDX-License-Identifier: Apache-2.0 */
/* The parallel finder returns the copies of a single pass for all kinds of files; progress is reported and can
 * cancel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delta/match/parallel_finder.h"
#include "support/check_main.h"
#include "support/makers/draw.h"

enum { LARGE = 700000 };

struct file {
    unsigned char *p;
    size_t n;
};

static struct file file_of(size_t n)
{
    struct file f = {malloc(n), n};

    ck_assert_ptr_nonnull(f.p);
    for (size_t i = 0; i < n; i++)
        f.p[i] = (unsigned char)(draw() % 8 * 9 + draw() % 3);
    return f;
}

/* The change to the old file, by number of the case. */
typedef struct file (*change)(const struct file *old);

static struct file unrelated(const struct file *old)
{
    return file_of(old->n);
}

static struct file same(const struct file *old)
{
    struct file f = file_of(old->n);

    memcpy(f.p, old->p, old->n);
    return f;
}

static struct file bytes_differ(const struct file *old)
{
    struct file f = same(old);

    for (size_t at = 0; at < f.n; at += 1 + draw() % 900)
        f.p[at] = (unsigned char)draw();
    return f;
}

/* Pieces of the old file in any order, with bytes between: the second half is not where the parallel finder starts
 * it. */
static struct file pieces_move(const struct file *old)
{
    struct file f = file_of(old->n);

    for (size_t at = 0; at < f.n; at += draw() % 40) {
        size_t n = HF_MIN((size_t)(1 + draw() % 3000), f.n - at), from = draw() % (old->n - n);
        memcpy(f.p + at, old->p + from, n);
        at += n;
    }
    return f;
}

static struct file grows(const struct file *old)
{
    struct file f = file_of(old->n * 3);

    memcpy(f.p, old->p, old->n);
    memcpy(f.p + 2 * old->n, old->p, old->n);
    return f;
}

/* One byte value with a few exceptions. */
static struct file empty(const struct file *old)
{
    struct file f = same(old);

    memset(f.p + 1000, 0, f.n - 2000);
    for (size_t at = 0; at < f.n; at += 50000)
        f.p[at] = 1;
    return f;
}

/* The same 999 bytes again and again. */
static struct file repeats(const struct file *old)
{
    struct file f = same(old);

    for (size_t at = 999; at < f.n; at++)
        f.p[at] = at % 65537 == 0 ? 77 : f.p[at - 999];
    return f;
}

enum { PART = 50000, NEW_OF_PART = 30000 };

/* Bytes without any repetition: xorshift64*, https://doi.org/10.1145/2845077. */
static void fill(unsigned char *p, size_t n)
{
    static uint64_t x = 1;

    for (size_t i = 0; i < n; i++) {
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        p[i] = (unsigned char)(x * 0x2545f4914f6cdd1dULL >> 56);
    }
}

/* Of each part the beginning is new, and the rest stays where it was. */
static struct file most_is_new(const struct file *old)
{
    struct file f = same(old);

    for (size_t at = 0; at < f.n; at += PART)
        fill(f.p + at, HF_MIN((size_t)NEW_OF_PART, f.n - at));
    return f;
}

static const change changes[] = {unrelated, same, bytes_differ, pieces_move, grows, empty, repeats, most_is_new};

static int count(void *ctx, uint64_t done, uint64_t total)
{
    unsigned *calls = ctx;

    ck_assert_uint_le(done, total);
    ++*calls;
    return 0;
}

static struct delta_copies match(const struct delta_matcher *m, unsigned min_gain, unsigned workers)
{
    unsigned calls = 0;
    const struct delta_match_params params = {&min_gain, 1, workers, count, &calls};
    struct delta_copies copies = {0}, *const ret[] = {&copies};

    ck_assert_int_eq(delta_match(m, &params, ret, NULL), 0);
    ck_assert_uint_gt(calls, 0);
    return copies;
}

static void check_same(const struct file *old, const struct file *new_file)
{
    struct delta_matcher m;

    ck_assert_int_eq(delta_matcher_open(&m, old->p, old->n, new_file->p, new_file->n, true, NULL), 0);
    for (unsigned min_gain = 8; min_gain <= 24; min_gain += 8) {
        struct delta_copies alone = match(&m, min_gain, 1), halves = match(&m, min_gain, 2);
        ck_assert_uint_eq(alone.n, halves.n);
        for (size_t i = 0; i < alone.n; i++) {
            ck_assert_uint_eq(alone.p[i].new_pos, halves.p[i].new_pos);
            ck_assert_uint_eq(alone.p[i].old_pos, halves.p[i].old_pos);
            ck_assert_uint_eq(alone.p[i].len, halves.p[i].len);
        }
        delta_copies_done(&alone);
        delta_copies_done(&halves);
    }
    delta_matcher_done(&m);
}

START_TEST(halves_as_one)
{
    struct file old = file_of(LARGE), new_file = changes[_i](&old), base = changes[_i](&new_file),
                little = file_of(1000);

    check_same(&old, &new_file);
    check_same(&base, &new_file);
    memcpy(little.p, old.p, little.n); /* the second finder starts beyond the old file */
    check_same(&little, &new_file);
    free(little.p);
    free(old.p);
    free(new_file.p);
    free(base.p);
}
END_TEST

/* The rest is copied, although a copy from the beginning would have more differing bytes than equal ones. */
START_TEST(most_in_place_is_new)
{
    struct file old = file_of(LARGE), new_file;
    struct delta_matcher m;
    size_t equal = 0;

    fill(old.p, old.n);
    new_file = most_is_new(&old);
    ck_assert_int_eq(delta_matcher_open(&m, old.p, old.n, new_file.p, new_file.n, true, NULL), 0);
    struct delta_copies copies = match(&m, 8, 1);
    for (size_t i = 0; i < copies.n; i++) {
        ck_assert(i == 0 || copies.p[i].new_pos >= copies.p[i - 1].new_pos + copies.p[i - 1].len);
        for (size_t k = 0; k < copies.p[i].len; k++)
            equal += old.p[copies.p[i].old_pos + k] == new_file.p[copies.p[i].new_pos + k];
    }
    ck_assert_uint_ge(equal, LARGE / PART * (PART - NEW_OF_PART));
    delta_copies_done(&copies);
    delta_matcher_done(&m);
    free(old.p);
    free(new_file.p);
}
END_TEST

/* Which thread gets which half is up to the scheduler, and so is the number of reports: at least one. */
static int stop_at(void *ctx, uint64_t done, uint64_t total)
{
    unsigned *left = ctx;

    (void)done;
    (void)total;
    return *left > 0 && --*left == 0;
}

START_TEST(canceled)
{
    struct file old = file_of(LARGE), new_file = pieces_move(&old);
    struct delta_matcher m;
    unsigned min_gain = 16;

    ck_assert_int_eq(delta_matcher_open(&m, old.p, old.n, new_file.p, new_file.n, true, NULL), 0);
    for (unsigned calls = 1; calls <= 5; calls++) {
        unsigned left = calls;
        const struct delta_match_params params = {&min_gain, 1, 2, stop_at, &left};
        struct delta_copies copies = {0}, *const ret[] = {&copies};
        int r = delta_match(&m, &params, ret, NULL);
        ck_assert_int_eq(r, left == 0 ? -ECANCELED : 0);
        ck_assert(r == 0 ? calls > 1 : copies.n == 0);
        delta_copies_done(&copies);
    }
    delta_matcher_done(&m);
    free(old.p);
    free(new_file.p);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, halves_as_one, 0, HF_LEN(changes));
    tcase_add_test(tc, most_in_place_is_new);
    tcase_add_test(tc, canceled);
}

HF_TEST_MAIN("delta/match", cases)
