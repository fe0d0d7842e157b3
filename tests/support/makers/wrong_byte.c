/* SPDX-License-Identifier: Apache-2.0 */
#include "support/makers/wrong_byte.h"

#include <check.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/delta_io.h"
#include "support/walk.h"

/* Steps through changes and lengths when not all are tried; through a header's changes they are smaller: its sizes say
 * what is allocated. A walk (support/walk.h) goes to these. */
enum { HEADER = 64, STEP_HEADER = 31, STEP = 997, STEP_LENGTH = 31, PARTS = 16 };

/* The address sanitizer calls these, from any thread; without it nothing is counted, and `most` stays 0. */
size_t __sanitizer_get_allocated_size(const volatile void *p) __attribute__((weak));
void __sanitizer_malloc_hook(const volatile void *p, size_t n);
void __sanitizer_free_hook(const volatile void *p);

static struct {
    atomic_bool counting;
    atomic_llong now, most;
} memory;

__attribute__((visibility("default"))) void __sanitizer_malloc_hook(const volatile void *p, size_t n)
{
    (void)p;
    if (!memory.counting)
        return;
    long long size = (long long)n, now = atomic_fetch_add(&memory.now, size) + size, most = memory.most;
    while (now > most && !atomic_compare_exchange_weak(&memory.most, &most, now))
        ;
}

__attribute__((visibility("default"))) void __sanitizer_free_hook(const volatile void *p)
{
    if (memory.counting && p != NULL && __sanitizer_get_allocated_size != NULL)
        memory.now -= (long long)__sanitizer_get_allocated_size(p);
}

/* What was made so far is the beginning of the right file? Nothing of it is kept. */
struct made {
    const struct hf_buf *right;
    uint64_t n;
    bool wrong;
};

static int put(void *ctx, const void *bytes, size_t n)
{
    struct made *made = ctx;

    made->wrong |=
        made->n > made->right->n || n > made->right->n - made->n || memcmp(made->right->p + made->n, bytes, n) != 0;
    made->n += n;
    return 0;
}

struct tally {
    size_t tried, right;
    char cause[256]; /* of the last error */
};

static bool is_named(const struct wrong_byte *w, int r)
{
    bool named = r == -EBADMSG || r == -EOPNOTSUPP || r == -ESTALE;

    for (const int *also = w->also; also != NULL && *also != 0; also++)
        named |= r == -*also;
    return named;
}

static void try_one(const struct wrong_byte *w, size_t n, size_t at, unsigned value, struct tally *tally)
{
    struct delta_io patch = {.p = w->patch->p, .n = n};
    struct made made = {.right = w->right};
    const struct hf_delta_in in = delta_io_in(&patch);
    const struct hf_delta_out out = {&made, put};
    struct hf_err err = HF_ERR_INIT;

    memory.now = memory.most = 0;
    memory.counting = true;
    int r = w->apply(w, &in, &out, &err);
    memory.counting = false;
    ck_assert_msg(r == 0 || (is_named(w, r) && err.cause[0] != '\0'), "%s: %zu bytes, byte %zu as %u: %d %s", w->name,
                  n, at, value, r, err.cause);
    ck_assert_msg(r < 0 || (!made.wrong && made.n == w->right->n), "%s: %zu bytes, byte %zu as %u: wrong output",
                  w->name, n, at, value);
    ck_assert_msg(memory.most <= w->memory_max, "%s: %zu bytes, byte %zu as %u: %lld bytes of memory", w->name, n, at,
                  value, memory.most);
    tally->tried++;
    tally->right += r == 0;
    if (r < 0)
        (void)snprintf(tally->cause, sizeof(tally->cause), "%s", err.cause);
}

static bool wants_all(void)
{
    return getenv("HF_CORRUPT") != NULL;
}

unsigned wrong_byte_parts(void)
{
    return wants_all() ? PARTS : 1;
}

/* Where the part starts of what is numbered from 0. */
static size_t start_of(unsigned part, size_t n)
{
    return n * part / wrong_byte_parts();
}

void wrong_byte_try(const struct wrong_byte *w, unsigned part)
{
    size_t cases = w->patch->n * 255, lengths = w->patch->n, step;
    struct tally whole = {0}, wrong = {0}, cut = {0};
    long long most;

    try_one(w, w->patch->n, 0, (unsigned char)w->patch->p[0], &whole);
    most = memory.most;
    ck_assert_msg(whole.right == 1, "%s: the patch itself does not apply: %s", w->name, whole.cause);
    uint64_t place = 0, drawn = hf_walk_next(w->name, 0);
    for (size_t i = start_of(part, cases); i < start_of(part + 1, cases); i += step) {
        step = wants_all() ? 1 : i / 255 < HEADER ? STEP_HEADER : STEP;
        if (!wants_all() && ++place < drawn)
            continue;
        drawn = hf_walk_next(w->name, place);
        char *byte = &w->patch->p[i / 255], was = *byte;
        *byte = (char)((unsigned char)was + 1 + i % 255);
        try_one(w, w->patch->n, i / 255, (unsigned char)*byte, &wrong);
        *byte = was;
        most = HF_MAX(most, memory.most);
    }
    for (size_t n = start_of(part, lengths); n < start_of(part + 1, lengths); n += wants_all() ? 1 : STEP_LENGTH)
        try_one(w, n, n, 0, &cut);
    ck_assert_msg(cut.right == 0, "%s: applied without its end", w->name);
    printf("wrong byte: %s, %zu bytes, part %u of %u: %zu of %zu changes tried, %zu gave the right file; %zu of %zu "
           "lengths; at most %lld bytes held\n",
           w->name, w->patch->n, part + 1, wrong_byte_parts(), wrong.tried, cases, wrong.right, cut.tried, lengths,
           most);
}
