/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent does in each state of contact, cell by cell; and the manual shows the same table. */
#include "sync/stale_table.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "support/check_main.h"
#include "support/golden.h"

#define HOLD HF_ON_EXPIRY_HOLD
#define CONTINUE HF_ON_EXPIRY_CONTINUE

/* One letter for each of Fresh, Stale, Expired with Hold, Expired with Continue. */
static const struct {
    enum hf_stale_act act;
    const char *cells, *name;
} wanted[] = {
    {HF_STALE_ACT_NEW_RELEASE, "yywy", "start a new release"},
    {HF_STALE_ACT_RUNNING_UPDATE, "yyyy", "finish or roll back a running update"},
    {HF_STALE_ACT_RELEASE_DRIFT, "yyyy", "repair drift of a release"},
    {HF_STALE_ACT_NEW_MANIFESTS, "yywy", "apply new content of manifests"},
    {HF_STALE_ACT_MANIFEST_DRIFT, "yyyy", "repair drift of manifests"},
    {HF_STALE_ACT_PRUNE, "yywy", "prune what manifests no longer have"},
    {HF_STALE_ACT_LABELS, "ysss", "write labels of the Node"},
    {HF_STALE_ACT_TELEMETRY, "yyyy", "collect, keep and send telemetry"},
    {HF_STALE_ACT_SECRET_ROTATION, "ysss", "write the new content of a Secret"},
    {HF_STALE_ACT_CLOCK_RESYNC, "yyyy", "ask for a resync of the clock"},
    {HF_STALE_ACT_CERTIFICATE_RENEWAL, "ysss", "renew the client certificate"},
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

static void print(struct hf_buf *out)
{
    static const char *const words[HF_STALE_ANSWERS] = {
        [HF_STALE_DOES] = "yes", [HF_STALE_WAITS] = "waits", [HF_STALE_NEEDS_THE_SERVER] = "needs server"};

    ck_assert_int_eq(
        hf_buf_addf(out, "%-38s %-6s %-13s %-14s %s\n", "", "Fresh", "Stale", "Expired, Hold", "Expired, Continue"), 0);
    for (size_t i = 0; i < HF_LEN(wanted); i++) {
        enum hf_stale_act act = wanted[i].act;
        ck_assert_int_eq(hf_buf_addf(out, "%-38s %-6s %-13s %-14s %s\n", wanted[i].name,
                                     words[hf_stale_table_answer(act, HF_STALE_FRESH, HOLD)],
                                     words[hf_stale_table_answer(act, HF_STALE_STALE, HOLD)],
                                     words[hf_stale_table_answer(act, HF_STALE_EXPIRED, HOLD)],
                                     words[hf_stale_table_answer(act, HF_STALE_EXPIRED, CONTINUE)]),
                         0);
    }
}

START_TEST(golden)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 14);

    print(&text);
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
    print(&text);
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
