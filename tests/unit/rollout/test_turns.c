/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout/turns.h"

#include "api/update/phase.h"
#include "base/macros.h"
#include "support/check_main.h"

static const struct {
    const char *name;
    struct hf_turn_facts facts;
    bool over;
} rows[] = {
    {"waits for it", {.has_entry = true, .phase = HF_PHASE_VERIFIED, .release_wanted = true}, false},
    {"swaps", {.has_entry = true, .phase = HF_PHASE_SWAPPING, .release_wanted = true}, false},
    {"probation", {.has_entry = true, .phase = HF_PHASE_PROBATION, .release_wanted = true}, false},
    {"rolls back", {.has_entry = true, .phase = HF_PHASE_ROLLING_BACK, .release_wanted = true}, false},
    {"committed", {.has_entry = true, .phase = HF_PHASE_COMMITTED, .release_wanted = true}, true},
    {"rolled back", {.has_entry = true, .phase = HF_PHASE_ROLLED_BACK, .release_wanted = true}, true},
    {"rejected", {.has_entry = true, .phase = HF_PHASE_REJECTED, .release_wanted = true}, true},
    {"incompatible", {.has_entry = true, .phase = HF_PHASE_INCOMPATIBLE, .release_wanted = true}, true},
    {"no entry yet", {.release_wanted = true}, false},
    {"works on another digest", {.moved_on = true, .release_wanted = true}, true},
    {"silent", {.has_entry = true, .phase = HF_PHASE_VERIFIED, .is_silent = true, .release_wanted = true}, false},
    {"silent and freed",
     {.has_entry = true, .phase = HF_PHASE_VERIFIED, .is_silent = true, .freed = true, .release_wanted = true},
     true},
    {"heard and freed", {.has_entry = true, .phase = HF_PHASE_SWAPPING, .freed = true, .release_wanted = true}, false},
    {"held by its site and freed",
     {.has_entry = true, .phase = HF_PHASE_WAITING, .waits_for_site = true, .freed = true, .release_wanted = true},
     true},
    {"held by its site", {.has_entry = true, .phase = HF_PHASE_WAITING, .waits_for_site = true}, false},
    {"waits for a later stage",
     {.has_entry = true, .phase = HF_PHASE_VERIFIED, .release_wanted = true, .not_admitted = true},
     true},
    {"waited for a later stage, and is silent",
     {.has_entry = true, .phase = HF_PHASE_VERIFIED, .release_wanted = true, .not_admitted = true, .is_silent = true},
     false},
    {"object gone, node has dropped it", {.has_entry = false}, true},
    {"object gone, node works on it", {.has_entry = true, .phase = HF_PHASE_PROBATION}, false},
    {"object gone, node silent", {.is_silent = true}, false},
};

START_TEST(ends)
{
    ck_assert_msg(hf_turn_is_over(&rows[_i].facts) == rows[_i].over, "%s", rows[_i].name);
}
END_TEST

START_TEST(order)
{
    struct hf_turn_candidate candidates[] = {{.node = 1, .since_s = 20, .slot = 1},
                                             {.node = 2, .since_s = 10, .slot = 9},
                                             {.node = 3, .since_s = 10, .slot = 4},
                                             {.node = 5, .since_s = 10, .slot = 4}};
    static const uint32_t want[] = {3, 5, 2, 1};

    hf_turn_sort(candidates, HF_LEN(candidates));
    for (size_t i = 0; i < HF_LEN(want); i++)
        ck_assert_uint_eq(candidates[i].node, want[i]);
}
END_TEST

static unsigned given(struct hf_turn_group group, struct hf_share share)
{
    unsigned n = 0;

    while (n < 1000 && hf_turn_may(&group, &share))
        n++;
    return n;
}

START_TEST(budgets)
{
    struct hf_turn_group group = {.size = 50, .fenced = true};
    struct hf_share percent = {.is_percent = true, .basis_points = 1000},
                    tiny = {.is_percent = true, .basis_points = 1};

    ck_assert_uint_eq(given(group, (struct hf_share){.count = 1}), 1);
    ck_assert_uint_eq(given(group, (struct hf_share){.count = 7}), 7);
    ck_assert_uint_eq(given(group, percent), 5);
    ck_assert_uint_eq(given(group, tiny), 1); /* at least one */
    group.busy = 3;
    ck_assert_uint_eq(given(group, percent), 2);
    group.busy = 9; /* the operator has lowered the number */
    ck_assert_uint_eq(given(group, percent), 0);
    group = (struct hf_turn_group){.size = 50, .fenced = false};
    ck_assert_uint_eq(given(group, percent), 0);
}
END_TEST

START_TEST(groups)
{
    struct hf_turn_candidate candidates[] = {{.group = 9}, {.group = 0}, {.group = 9}, {.group = 4}};
    struct hf_turn_group found[4];

    ck_assert_uint_eq(hf_turn_groups(candidates, 4, found), 3);
    ck_assert_ptr_nonnull(hf_turn_group(found, 3, 0));
    ck_assert_ptr_nonnull(hf_turn_group(found, 3, 9));
    ck_assert_ptr_null(hf_turn_group(found, 3, 5));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, ends, 0, (int)HF_LEN(rows));
    tcase_add_test(tc, order);
    tcase_add_test(tc, budgets);
    tcase_add_test(tc, groups);
}

HF_TEST_MAIN("rollout/turns", cases)
