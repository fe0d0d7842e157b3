/* SPDX-License-Identifier: Apache-2.0 */
/* The decisions about an entry: the table of phases, the plan, the guard of removals, gates, the short diff, the pace. */
#include <stdio.h>
#include <string.h>

#include "manifests/rules/content_pace.h"
#include "manifests/rules/diff.h"
#include "manifests/rules/gate.h"
#include "manifests/rules/machine.h"
#include "manifests/rules/plan.h"
#include "support/check_main.h"
#include "support/golden.h"
#include "support/print_machine.h"

START_TEST(table)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16);

    ck_assert_int_eq(hf_print_table(&hf_manifest_table, &text), 0);
    ck_assert(hf_golden("manifest_machine.txt", hf_buf_view(&text)));
}
END_TEST

START_TEST(cells)
{
    for (unsigned phase = 0; phase <= HF_MANIFEST_PHASE_COUNT; phase++)
        for (unsigned event = 0; event <= HF_MANIFEST_EV_COUNT; event++) {
            struct hf_steer_move move = hf_steer_table_move(&hf_manifest_table, phase, event);
            ck_assert(!move.known || (phase < HF_MANIFEST_PHASE_COUNT && event < HF_MANIFEST_EV_COUNT));
            ck_assert(!move.known || (move.next < HF_MANIFEST_PHASE_COUNT && move.action < HF_MANIFEST_ACT_COUNT));
        }
}
END_TEST

/* An agent may start in any phase; an entry that is under way takes up no news. */
START_TEST(starts_and_news)
{
    for (unsigned i = 0; i < HF_MANIFEST_PHASE_COUNT; i++) {
        enum hf_manifest_phase phase = (enum hf_manifest_phase)i;
        struct hf_steer_move start = hf_steer_table_move(&hf_manifest_table, phase, HF_MANIFEST_EV_STARTED);
        ck_assert_msg(start.known && start.next == phase, "%s", hf_manifest_phase_name(phase));
        ck_assert_int_eq(hf_steer_table_move(&hf_manifest_table, phase, HF_MANIFEST_EV_NEWS).known,
                         hf_manifest_machine_rests(phase));
    }
}
END_TEST

START_TEST(planned)
{
    static const struct {
        enum hf_plan_seen seen;
        bool ours, force;
        enum hf_plan_step step;
    } rows[] = {
        {HF_PLAN_ABSENT, false, false, HF_PLAN_WRITE},        {HF_PLAN_ABSENT, true, false, HF_PLAN_WRITE},
        {HF_PLAN_SAME, false, false, HF_PLAN_KEEP},           {HF_PLAN_SAME, true, true, HF_PLAN_KEEP},
        {HF_PLAN_OTHER, true, false, HF_PLAN_WRITE},          {HF_PLAN_OTHER, false, false, HF_PLAN_REFUSE},
        {HF_PLAN_OTHER, false, true, HF_PLAN_REPLACE},        {HF_PLAN_LINK, true, false, HF_PLAN_WRITE},
        {HF_PLAN_LINK, false, false, HF_PLAN_REFUSE_ALWAYS},  {HF_PLAN_LINK, false, true, HF_PLAN_REFUSE_ALWAYS},
        {HF_PLAN_SPECIAL, true, true, HF_PLAN_REFUSE_ALWAYS}, {HF_PLAN_SPECIAL, false, true, HF_PLAN_REFUSE_ALWAYS},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++)
        ck_assert_msg(hf_plan_file(rows[i].seen, rows[i].ours, rows[i].force) == rows[i].step, "row %zu", i);
}
END_TEST

START_TEST(guard)
{
    static const char digest[] = "0123456789abcdef";

    ck_assert(hf_plan_may_prune(0, 0));
    ck_assert(hf_plan_may_prune(1, 1));
    ck_assert(!hf_plan_may_prune(2, 2));
    ck_assert(hf_plan_may_prune(3, 10));
    ck_assert(!hf_plan_may_prune(4, 10));
    ck_assert(!hf_plan_may_prune(31, 100));
    ck_assert(hf_plan_prune_is_allowed("site:0123456789ab", "site", digest));
    ck_assert(hf_plan_prune_is_allowed("x:111111111111, site:0123456789ab", "site", digest));
    ck_assert(!hf_plan_prune_is_allowed("site:0123456789a", "site", digest));
    ck_assert(!hf_plan_prune_is_allowed("site:0123456789abc", "site", digest));
    ck_assert(!hf_plan_prune_is_allowed("mysite:0123456789ab", "site", digest));
    ck_assert(!hf_plan_prune_is_allowed("site", "site", digest));
    ck_assert(!hf_plan_prune_is_allowed("", "site", digest));
    ck_assert(!hf_plan_prune_is_allowed(NULL, "site", digest));
    ck_assert(!hf_plan_prune_is_allowed("site:", "site", ""));
}
END_TEST

START_TEST(gates)
{
    struct hf_manifest_gate gate = {.dependency_waits = true};

    ck_assert_int_eq(hf_manifest_gate_ask(&gate), HF_MANIFEST_REASON_DEPENDENCY_NOT_APPLIED);
    gate.no_space = true;
    ck_assert_int_eq(hf_manifest_gate_ask(&gate), HF_MANIFEST_REASON_NO_SPACE);
    gate.stale = true;
    ck_assert_int_eq(hf_manifest_gate_ask(&gate), HF_MANIFEST_REASON_STALE);
    gate.held = true;
    ck_assert_int_eq(hf_manifest_gate_ask(&gate), HF_MANIFEST_REASON_HELD);
    gate = (struct hf_manifest_gate){.held = false};
    ck_assert_int_eq(hf_manifest_gate_ask(&gate), HF_MANIFEST_REASON_NONE);
    ck_assert_int_eq(hf_manifest_gate_retry(HF_MANIFEST_REASON_NO_SPACE), HF_MANIFEST_RETRY_BACK_OFF);
    ck_assert_int_eq(hf_manifest_gate_retry(HF_MANIFEST_REASON_FOREIGN_FILE), HF_MANIFEST_RETRY_INTERVAL);
    ck_assert_int_eq(hf_manifest_gate_retry(HF_MANIFEST_REASON_VALIDATE_FAILED), HF_MANIFEST_RETRY_NEVER);
}
END_TEST

START_TEST(short_diff)
{
    struct hf_diff diff = {.n = 0};
    char path[200];

    hf_diff_add(&diff, "a.conf", HF_DIFF_CONTENT);
    hf_diff_add(&diff, "b.conf", HF_DIFF_MISSING);
    ck_assert_str_eq(hf_diff_text(&diff), "a.conf (content), b.conf (missing)");
    diff = (struct hf_diff){.n = 0};
    (void)memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    for (int i = 0; i < 9; i++)
        hf_diff_add(&diff, path, HF_DIFF_MODE);
    ck_assert(strstr(hf_diff_text(&diff), "... (mode)") == NULL && strstr(diff.text, "...xxx") != NULL);
    ck_assert(strstr(diff.text, " and 4 more") != NULL);
}
END_TEST

START_TEST(content_paced)
{
    static const unsigned minutes[] = {1, 2, 4, 5, 5}; /* the interval is 5 minutes */
    const uint64_t minute = 60 * HF_NS_PER_S;
    struct hf_content_pace pace = {.gap_ns = 0};
    uint64_t now = 1000 * HF_NS_PER_S;

    for (unsigned i = 0; i < HF_CONTENT_PACE_BURST; i++) {
        ck_assert_uint_eq(hf_content_pace_wait_ns(&pace, now), 0);
        hf_content_pace_spend(&pace, now, 5 * minute);
    }
    for (size_t i = 0; i < HF_LEN(minutes); i++) {
        ck_assert_uint_eq(hf_content_pace_wait_ns(&pace, now), minutes[i] * minute);
        now += minutes[i] * minute;
        ck_assert_uint_eq(hf_content_pace_wait_ns(&pace, now), 0);
        hf_content_pace_spend(&pace, now, 5 * minute);
    }
    /* The clock stands still; a limit below the first gap; rest fills the bucket again. */
    ck_assert_uint_eq(hf_content_pace_wait_ns(&pace, now - 10), 5 * minute + 10);
    ck_assert_uint_eq(hf_content_pace_wait_ns(&pace, now + 25 * minute), 0);
    ck_assert_uint_eq(pace.bucket.full_ns, now + 25 * minute);
    now += 25 * minute;
    for (unsigned i = 0; i < HF_CONTENT_PACE_BURST + 1; i++)
        hf_content_pace_spend(&pace, now, HF_NS_PER_S);
    ck_assert_uint_eq(pace.gap_ns, HF_CONTENT_PACE_FIRST_GAP_NS);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, content_paced);
    tcase_add_test(tc, table);
    tcase_add_test(tc, cells);
    tcase_add_test(tc, starts_and_news);
    tcase_add_test(tc, planned);
    tcase_add_test(tc, guard);
    tcase_add_test(tc, gates);
    tcase_add_test(tc, short_diff);
}

HF_TEST_MAIN("manifests/rules", cases)
