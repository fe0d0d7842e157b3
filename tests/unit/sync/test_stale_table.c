/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent does in each state of contact, cell by cell; and the manual shows the same table. */
#include "sync/stale_table.h"

#include <stdio.h>

#include "support/check_main.h"
#include "support/golden.h"

#define HOLD HF_ON_EXPIRY_HOLD
#define CONTINUE HF_ON_EXPIRY_CONTINUE

/* One letter for each of Fresh, Stale, Expired with Hold, Expired with Continue. */
static const struct {
    enum hf_stale_act act;
    const char *cells;
} wanted[] = {
    {HF_STALE_ACT_NEW_RELEASE, "yywy"},
    {HF_STALE_ACT_RUNNING_UPDATE, "yyyy"},
    {HF_STALE_ACT_RELEASE_DRIFT, "yyyy"},
    {HF_STALE_ACT_NEW_MANIFESTS, "yywy"},
    {HF_STALE_ACT_MANIFEST_DRIFT, "yyyy"},
    {HF_STALE_ACT_PRUNE, "yywy"},
    {HF_STALE_ACT_LABELS, "ysss"},
    {HF_STALE_ACT_TELEMETRY, "yyyy"},
    {HF_STALE_ACT_SECRET_ROTATION, "ysss"},
    {HF_STALE_ACT_CLOCK_RESYNC, "yyyy"},
    {HF_STALE_ACT_CERTIFICATE_RENEWAL, "ysss"},
};

static char letter_of(enum hf_stale_answer answer)
{
    return answer == HF_STALE_DOES ? 'y' : answer == HF_STALE_WAITS ? 'w' : 's';
}

START_TEST(cells)
{
    enum hf_stale_act act = wanted[_i].act;
    const char got[] = {letter_of(hf_stale_table_answer(act, HF_STALE_FRESH, HOLD)),
                        letter_of(hf_stale_table_answer(act, HF_STALE_STALE, HOLD)),
                        letter_of(hf_stale_table_answer(act, HF_STALE_EXPIRED, HOLD)),
                        letter_of(hf_stale_table_answer(act, HF_STALE_EXPIRED, CONTINUE)), '\0'};

    ck_assert_str_eq(got, wanted[_i].cells);
    for (enum hf_staleness s = HF_STALE_FRESH; s < HF_STALE_COUNT; s++) {
        ck_assert(hf_stale_table_may(act, s, HOLD) == (hf_stale_table_answer(act, s, HOLD) != HF_STALE_WAITS));
        ck_assert_msg(s == HF_STALE_EXPIRED ||
                          hf_stale_table_answer(act, s, HOLD) == hf_stale_table_answer(act, s, CONTINUE),
                      "onExpiry counts only after the expiry");
        ck_assert_msg(hf_stale_table_may(act, s, CONTINUE), "with Continue nothing waits for contact");
    }
}
END_TEST

START_TEST(every_act_has_a_row)
{
    ck_assert_uint_eq(HF_LEN(wanted), HF_STALE_ACTS);
}
END_TEST

START_TEST(golden)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 14);

    ck_assert_int_eq(hf_stale_table_print(&text), 0);
    ck_assert(hf_golden("stale_table.txt", hf_buf_view(&text)));
}
END_TEST

START_TEST(the_manual_has_the_table)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 14), manual = HF_BUF_INIT(1 << 20);
    char chunk[4096];
    size_t n;
    FILE *file = fopen("cmd/holdfast-agent/holdfast-agent.8", "r");

    ck_assert_ptr_nonnull(file);
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        ck_assert_int_eq(hf_buf_add(&manual, chunk, n), 0);
    (void)fclose(file);
    ck_assert_int_eq(hf_stale_table_print(&text), 0);
    ck_assert_msg(strstr(hf_buf_str(&manual), hf_buf_str(&text)) != NULL, "holdfast-agent(8) lacks\n%s",
                  hf_buf_str(&text));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, cells, 0, (int)HF_LEN(wanted));
    tcase_add_test(tc, every_act_has_a_row);
    tcase_add_test(tc, golden);
    tcase_add_test(tc, the_manual_has_the_table);
}
HF_TEST_MAIN("sync/stale_table", cases)
