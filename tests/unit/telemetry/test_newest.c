/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/event/newest.h"

#include <check.h>
#include <stdio.h>

#include "support/check_main.h"

static uint64_t number(void *ctx)
{
    uint64_t *at = ctx;

    return *at += 0x9e3779b97f4a7c15;
}

static uint64_t state;
static const struct hf_rand_ops rng = {.ctx = &state, .u64 = number};

static struct hf_newest_version mark(const char *node, uint64_t unix_ns, uint64_t sequence)
{
    return (struct hf_newest_version){.unix_ns = unix_ns, .node = hf_view_of(node), .sequence = sequence};
}

static const struct {
    const char *name, *known_node;
    uint64_t known_ns, known_sequence;
    const char *node;
    uint64_t ns, sequence;
    bool superseded;
} cases[] = {
    {"later", "a", 100, 1, "a", 200, 2, false},
    {"late in coming", "a", 200, 2, "a", 100, 1, true},
    {"the same write", "a", 200, 2, "a", 200, 2, false},
    {"no numbers, same second", "a", 200, 0, "a", 200, 0, false},
    {"no numbers, older", "a", 200, 0, "a", 100, 0, true},
    {"the clock went back, the number did not", "a", 200, 2, "a", 100, 3, false},
    {"another node, older", "a", 200, 2, "b", 100, 9, true},
    {"another node, newer", "a", 200, 9, "b", 300, 1, false},
};

START_TEST(newest_wins)
{
    _cleanup_(hf_newest_freep) struct hf_newest *newest = hf_newest_new(&rng);
    struct hf_newest_version known = mark(cases[_i].known_node, cases[_i].known_ns, cases[_i].known_sequence);
    struct hf_newest_version now = mark(cases[_i].node, cases[_i].ns, cases[_i].sequence);

    ck_assert_ptr_nonnull(newest);
    ck_assert(!hf_newest_superseded(newest, &(struct hf_newest_key){1, HF_VIEW("door")}, &known));
    hf_newest_note(newest, &(struct hf_newest_key){1, HF_VIEW("door")}, &known);
    ck_assert_msg(hf_newest_superseded(newest, &(struct hf_newest_key){1, HF_VIEW("door")}, &now) ==
                      cases[_i].superseded,
                  "%s", cases[_i].name);
    ck_assert(!hf_newest_superseded(newest, &(struct hf_newest_key){1, HF_VIEW("window")}, &now));
}
END_TEST

START_TEST(clear_forgets_all)
{
    _cleanup_(hf_newest_freep) struct hf_newest *newest = hf_newest_new(&rng);
    struct hf_newest_version new = mark("a", 200, 2), old = mark("a", 100, 1);

    hf_newest_clear(newest);
    hf_newest_note(newest, &(struct hf_newest_key){1, HF_VIEW("door")}, &new);
    hf_newest_clear(newest);
    ck_assert(!hf_newest_superseded(newest, &(struct hf_newest_key){1, HF_VIEW("door")}, &old));
    hf_newest_note(newest, &(struct hf_newest_key){1, HF_VIEW("door")}, &new);
    ck_assert(hf_newest_superseded(newest, &(struct hf_newest_key){1, HF_VIEW("door")}, &old));
}
END_TEST

START_TEST(is_bounded_and_keeps_the_latest)
{
    _cleanup_(hf_newest_freep) struct hf_newest *newest = hf_newest_new(&rng);
    struct hf_newest_version new = mark("a", 200, 2), old = mark("a", 100, 1);
    unsigned kept = 0;
    char key[32];

    for (int i = 0; i < 10 * HF_NEWEST_MAX; i++) {
        int n = snprintf(key, sizeof(key), "key-%d", i);
        hf_newest_note(newest, &(struct hf_newest_key){1, {key, (size_t)n}}, &new);
        ck_assert(hf_newest_superseded(newest, &(struct hf_newest_key){1, {key, (size_t)n}}, &old));
    }
    for (int i = 0; i < 10 * HF_NEWEST_MAX; i++) {
        int n = snprintf(key, sizeof(key), "key-%d", i);
        kept += hf_newest_superseded(newest, &(struct hf_newest_key){1, {key, (size_t)n}}, &old);
    }
    ck_assert_uint_le(kept, HF_NEWEST_MAX);
    ck_assert_uint_ge(kept, HF_NEWEST_MAX / 2);
}
END_TEST

static void cases_of(TCase *tc)
{
    tcase_add_loop_test(tc, newest_wins, 0, HF_LEN(cases));
    tcase_add_test(tc, clear_forgets_all);
    tcase_add_test(tc, is_bounded_and_keeps_the_latest);
}

HF_TEST_MAIN("telemetry/newest", cases_of)
