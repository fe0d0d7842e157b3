/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation fails once, while creating and while applying: an error, no leak, and never a different delta. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "delta/cm/model.h"
#include "delta/create.h"
#include "delta/delta.h"
#include "delta/shared_context.h"
#include "delta/stripes.h"
#include "support/check_main.h"
#include "support/delta_io.h"
#include "support/makers/go_make.h"
#include "support/walk.h"

/* ---- allocations that fail: this program is linked with --wrap for each of them ---------------------------------- */

static atomic_uint count, fails_at;
static atomic_size_t taken; /* bytes of all allocations */

void *__real_malloc(size_t n) __attribute__((weak));
void *__real_calloc(size_t n, size_t size) __attribute__((weak));
void *__real_realloc(void *p, size_t n) __attribute__((weak));
void *__real_aligned_alloc(size_t alignment, size_t n) __attribute__((weak));
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);

static bool fails(size_t n)
{
    atomic_fetch_add(&taken, n);
    if (atomic_fetch_add(&count, 1) + 1 != atomic_load(&fails_at))
        return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t n)
{
    return fails(n) ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails(n * size) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails(n) ? NULL : __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
    return fails(n) ? NULL : __real_aligned_alloc(alignment, n);
}

/* From now on the n-th allocation fails once; 0: none. */
static void fail_at(unsigned n)
{
    atomic_store(&fails_at, n);
    atomic_store(&count, 0);
}

static unsigned allocations(void)
{
    return atomic_load(&count);
}

/* ---- pairs ------------------------------------------------------------------------------------------------------- */

enum { FUNCTIONS = 12, GROWN = 5, TEXT = 6000, ALL_OF_FIRST = 16, STEPS = 16, PATCH_MAX = 1 << 19 };

struct pair {
    struct elf_made old, now;
};

static struct elf_made text(unsigned change)
{
    struct elf_made made = {malloc(TEXT), TEXT};

    for (unsigned i = 0; i < TEXT; i++)
        made.p[i] = (unsigned char)(change > 0 && i % change == 0 ? 'X' : 'a' + i * i / 7 % 23);
    return made;
}

static struct elf_made noise(void)
{
    struct elf_made made = {malloc(TEXT), TEXT};
    uint32_t seed = 7;

    for (unsigned i = 0; i < TEXT; i++) {
        seed = seed * 1664525 + 1013904223;
        made.p[i] = i % 64 < 32 ? 'a' : (unsigned char)(seed >> 24);
    }
    return made;
}

/* Executables of all kinds, jump tables, a tiny change, and an old file that does not help. */
static struct pair pair_of(int which)
{
    static const enum elf_make_machine machines[] = {ELF_MAKE_X86_64, ELF_MAKE_ARM};

    if (which < (int)HF_LEN(machines))
        return (struct pair){elf_make(machines[which], FUNCTIONS, 0), elf_make(machines[which], FUNCTIONS, GROWN)};
    switch (which) {
    case HF_LEN(machines):
        return (struct pair){go_make(DELTA_GO_120, FUNCTIONS, 0), go_make(DELTA_GO_120, FUNCTIONS, GROWN)};
    case HF_LEN(machines) + 1:
        return (struct pair){text(0), text(9000)};
    default:
        return (struct pair){text(0), noise()};
    }
}

enum { PAIRS = 5 };

/* -EPROTO: it reported no error. */
static int make(const struct pair *pair, int profile, struct hf_buf *patch)
{
    const struct hf_delta_create_params params = {.profile = (enum hf_delta_profile)profile, .threads = 1};
    const struct hf_delta_out out = delta_io_out(patch);
    struct hf_err err = HF_ERR_INIT;

    patch->n = 0;
    int r = hf_delta_create(pair->old.p, pair->old.n, pair->now.p, pair->now.n, &params, &out, &err);
    return r < 0 && err.cause[0] == '\0' ? -EPROTO : r;
}

static int apply(const struct pair *pair, const struct hf_buf *patch, struct hf_buf *out)
{
    struct delta_io old = {.p = pair->old.p, .n = pair->old.n}, in = delta_io_of(patch);
    const struct hf_delta_apply_params params = delta_io_params(&old, &in, out);
    struct hf_err err = HF_ERR_INIT;

    out->n = 0;
    return hf_delta_apply(&params, NULL, &err);
}

/* Tries each of the first allocations, then some of the others. */
static unsigned next(unsigned n, unsigned all)
{
    return n < ALL_OF_FIRST ? n + 1 : n + 1 + all / STEPS;
}

START_TEST(runs_out)
{
    _cleanup_(hf_buf_done) struct hf_buf right = HF_BUF_INIT(PATCH_MAX), patch = HF_BUF_INIT(PATCH_MAX),
                                         made = HF_BUF_INIT(PATCH_MAX);
    struct pair pair = pair_of(_i / 2);
    unsigned all, refused = 0;

    /* Never reallocated: only the engine allocates. */
    ck_assert_int_eq(hf_buf_reserve(&right, PATCH_MAX) | hf_buf_reserve(&patch, PATCH_MAX), 0);
    ck_assert_int_eq(hf_buf_reserve(&made, PATCH_MAX), 0);
    fail_at(0);
    int r = make(&pair, _i % 2, &right);
    all = allocations(); /* includes those of ck_assert() */
    ck_assert_int_eq(r, 0);
    ck_assert_uint_gt(all, 0);
    for (unsigned n = 1; n <= all; n = next(n, all)) {
        fail_at(n);
        r = make(&pair, _i % 2, &patch);
        fail_at(0);
        ck_assert_msg(r == -ENOMEM || r == 0, "allocation %u of %u: %d", n, all, r);
        refused += r < 0;
        if (r == 0) /* it went on without that memory */
            ck_assert(patch.n == right.n && memcmp(patch.p, right.p, right.n) == 0);
    }
    ck_assert_uint_gt(refused, 0);

    fail_at(0);
    r = apply(&pair, &right, &made);
    all = allocations();
    ck_assert_int_eq(r, 0);
    ck_assert(made.n == pair.now.n && memcmp(made.p, pair.now.p, made.n) == 0);
    for (unsigned n = (unsigned)hf_walk_next("applying", 0); n <= all; n = (unsigned)hf_walk_next("applying", n)) {
        fail_at(n);
        r = apply(&pair, &right, &made);
        fail_at(0);
        ck_assert_msg(r == -ENOMEM, "allocation %u of %u of applying: %d", n, all, r);
    }
    free(pair.old.p);
    free(pair.now.p);
}
END_TEST

/* Sum of the allocations of applying, with the largest map and the largest models. Some 250 KiB of them stay
 * untouched. Beside them are 450 KiB of the program's own pages, 100 KiB of buffers, and two stacks: in total below
 * 3 MiB. */
enum { HELD_MAX = 2640 << 10, COPIES = 40000 };

START_TEST(leaves_room)
{
    const struct hf_delta_create_params params = {.profile = HF_DELTA_SMALL};
    struct delta_make make = {.params = &params, .old_n = 64 << 20, .new_n = 64 << 20};
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(1 << 20);
    struct delta_memory memory;
    struct delta_shared_context shared = {.map = {.n = 0}};
    struct delta_stripes *stripes = NULL;
    struct hf_err err = HF_ERR_INIT;
    struct delta_input input = {.in = NULL};
    struct delta_apply_state run = {.input = &input};

    for (uint64_t i = 0; i < COPIES; i++)
        ck_assert_int_eq(delta_copies_add(&make.copies, (struct delta_copy){1000 * i, 1000 * i, 500}), 0);
    ck_assert_int_eq(delta_shared_context_make(&make, &memory, &shared, &body, &err), 0);
    run.old = shared.old;
    size_t held = shared.map.n * (sizeof(*shared.map.p) + sizeof(*shared.map.by_old)) + sizeof(*run.old);
    size_t before = taken;
    ck_assert_int_eq(delta_stripes_open(&run, &shared, &stripes, &err), 0);
    held += taken - before;
    ck_assert_msg(held <= HELD_MAX, "%zu KiB with a map of %u", held >> 10, (unsigned)shared.map.n);
    ck_assert_uint_eq(shared.map.n, DELTA_MAP_MADE);
    delta_stripes_close(stripes);
    delta_shared_context_done(&shared);
    delta_copies_done(&make.copies);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, runs_out, 0, 2 * PAIRS);
    tcase_add_test(tc, leaves_room);
}

HF_TEST_MAIN_CPU("delta/memory", cases, 300)
