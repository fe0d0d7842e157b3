/* SPDX-License-Identifier: Apache-2.0 */
/* What a node counts as: one row for each rule, in the order of the rules. */
#include "rollout/counts.h"

#include "api/update/phase.h"
#include "base/clock.h"
#include "support/check_main.h"

#define MINUTE (60 * HF_NS_PER_S)

static const struct hf_rollout_limits limits = {.unknown_after_ns = 30 * MINUTE, .progress_deadline_ns = 60 * MINUTE};

#define IN .selected = true, .reached = true, .heard_ever = true
#define ENTRY(name) .has_entry = true, .phase = HF_PHASE_##name
#define FAILED(name) ENTRY(name), .failed = true

static const struct {
    const char *name;
    struct hf_rollout_facts facts;
    enum hf_rollout_class want;
} rows[] = {
    {"not selected, though committed", {ENTRY(COMMITTED), .reached = true}, HF_CLASS_OUTSIDE},
    {"superseded, though committed", {IN, ENTRY(COMMITTED), .superseded = true}, HF_CLASS_SUPERSEDED},
    {"not admitted", {.selected = true}, HF_CLASS_OUTSIDE},
    {"not admitted, waits", {.selected = true, ENTRY(WAITING)}, HF_CLASS_OUTSIDE},
    {"not admitted, rejects", {.selected = true, FAILED(REJECTED)}, HF_CLASS_OUTSIDE},
    {"not admitted, misfit", {.selected = true, ENTRY(INCOMPATIBLE)}, HF_CLASS_OUTSIDE},
    {"not admitted any more, fetches", {.selected = true, ENTRY(FETCHING)}, HF_CLASS_UPDATING},
    {"not admitted any more, rolled back", {.selected = true, FAILED(ROLLED_BACK)}, HF_CLASS_FAILED},
    {"committed", {IN, ENTRY(COMMITTED)}, HF_CLASS_UPDATED},
    {"committed, then silent", {IN, ENTRY(COMMITTED), .silent_ns = 99 * MINUTE}, HF_CLASS_UPDATED},
    {"committed, and repairs", {IN, ENTRY(FETCHING), .was_updated = true}, HF_CLASS_UPDATED},
    {"committed, repairs and fails", {IN, FAILED(ROLLED_BACK), .was_updated = true}, HF_CLASS_FAILED},
    {"rolls back", {IN, FAILED(ROLLING_BACK)}, HF_CLASS_FAILED},
    {"rolls back without a verdict", {IN, ENTRY(ROLLING_BACK)}, HF_CLASS_UPDATING},
    {"committed, repairs and rolls back without a verdict",
     {IN, ENTRY(ROLLING_BACK), .was_updated = true},
     HF_CLASS_UPDATED},
    {"rolls back without an end", {IN, ENTRY(ROLLING_BACK), .working_ns = 60 * MINUTE + 1}, HF_CLASS_OVERDUE},
    {"rolled back, then silent", {IN, FAILED(ROLLED_BACK), .silent_ns = 99 * MINUTE}, HF_CLASS_FAILED},
    {"rejects", {IN, FAILED(REJECTED)}, HF_CLASS_FAILED},
    {"misfit", {IN, ENTRY(INCOMPATIBLE)}, HF_CLASS_INCOMPATIBLE},
    {"silent at the limit", {IN, ENTRY(FETCHING), .silent_ns = 30 * MINUTE}, HF_CLASS_UPDATING},
    {"silent for longer", {IN, ENTRY(FETCHING), .silent_ns = 30 * MINUTE + 1}, HF_CLASS_UNKNOWN},
    {"never heard", {.selected = true, .reached = true, .silent_ns = 31 * MINUTE}, HF_CLASS_UNKNOWN},
    {"never heard, and late", {.selected = true, .reached = true, .working_ns = 99 * MINUTE}, HF_CLASS_UPDATING},
    {"held", {IN, ENTRY(WAITING), .wait = HF_FLEET_WAIT_HELD, .working_ns = 99 * MINUTE}, HF_CLASS_HELD},
    {"its site went back", {IN, ENTRY(WAITING), .wait = HF_FLEET_HELD_BACK, .working_ns = 99 * MINUTE}, HF_CLASS_HELD},
    {"turn", {IN, ENTRY(VERIFIED), .wait = HF_FLEET_WAIT_TURN, .working_ns = 99 * MINUTE}, HF_CLASS_TURN},
    {"window", {IN, ENTRY(WAITING), .wait = HF_FLEET_WAIT_EXCUSED, .working_ns = 99 * MINUTE}, HF_CLASS_EXCUSED},
    {"late", {IN, ENTRY(FETCHING), .working_ns = 60 * MINUTE + 1}, HF_CLASS_OVERDUE},
    {"late, by a report from before",
     {IN, ENTRY(FETCHING), .working_ns = 80 * MINUTE, .silent_ns = 20 * MINUTE - 1},
     HF_CLASS_OVERDUE},
    {"not late when last heard",
     {IN, ENTRY(FETCHING), .working_ns = 80 * MINUTE, .silent_ns = 20 * MINUTE},
     HF_CLASS_UPDATING},
    {"silent since before its admission",
     {IN, ENTRY(FETCHING), .working_ns = 61 * MINUTE, .silent_ns = 62 * MINUTE},
     HF_CLASS_UNKNOWN},
    {"late and silent", {IN, ENTRY(FETCHING), .working_ns = 99 * MINUTE, .silent_ns = 31 * MINUTE}, HF_CLASS_UNKNOWN},
    {"no word of this release", {IN}, HF_CLASS_UPDATING},
    {"a phase of a newer agent", {IN, .has_entry = true, .phase = 200}, HF_CLASS_UPDATING},
};

START_TEST(classes)
{
    enum hf_rollout_class got = hf_rollout_classify(&rows[_i].facts, &limits);

    ck_assert_msg(got == rows[_i].want, "%s: %d, not %d", rows[_i].name, (int)got, (int)rows[_i].want);
}
END_TEST

START_TEST(no_deadline_no_failure)
{
    struct hf_rollout_facts facts = {IN, ENTRY(FETCHING), .working_ns = UINT64_MAX};

    ck_assert_int_eq(hf_rollout_classify(&facts, &(struct hf_rollout_limits){30 * MINUTE, 0}), HF_CLASS_UPDATING);
}
END_TEST

/* Every class raises exactly one of the sums that people read. */
START_TEST(sums)
{
    for (enum hf_rollout_class class_ = 0; class_ < HF_CLASS_COUNT; class_++) {
        struct hf_rollout_counts counts = {0};
        hf_rollout_count(&counts, class_,
                         &(struct hf_rollout_place){.is_canary = true, .is_reached = true, .is_of_stage = true});
        ck_assert_uint_eq(counts.selected, 1);
        ck_assert_uint_eq(counts.admitted, class_ != HF_CLASS_OUTSIDE && class_ != HF_CLASS_SUPERSEDED);
        ck_assert_uint_eq(counts.updated + counts.updating + counts.failed + counts.incompatible + counts.unknown,
                          counts.admitted);
        ck_assert_uint_eq(counts.superseded, class_ == HF_CLASS_SUPERSEDED);
        ck_assert_uint_eq(counts.open, counts.updating);
        ck_assert_uint_eq(counts.stage_nodes, 1);
        ck_assert_uint_eq(counts.canary_open + counts.updated + counts.incompatible + counts.superseded, 1);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, classes, 0, (int)HF_LEN(rows));
    tcase_add_test(tc, no_deadline_no_failure);
    tcase_add_test(tc, sums);
}

HF_TEST_MAIN("rollout/counts", cases)
