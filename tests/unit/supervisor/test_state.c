/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macros.h"
#include "supervisor/state.h"
#include "support/check_main.h"

static const struct {
    const char *slot;
    bool valid;
} slots[] = {
    {"slots/0.1.0-0123456789ab", true},
    {".holdfast-holdfast-agent.tree/00ff", true},
    {"a", true},
    {"a/...", true},
    {"1.2~rc+1_x", true},
    {"", false},
    {"/a", false},
    {"a/", false},
    {"a//b", false},
    {".", false},
    {"..", false},
    {"a/..", false},
    {"../a", false},
    {"a/./b", false},
    {"a b", false},
    {"a\nb", false},
    {"a%s", false},
    {"\xc3\xa9", false},
};

START_TEST(slot_names)
{
    ck_assert_msg(hf_supervisor_slot_is_valid(slots[_i].slot) == slots[_i].valid, "'%s'", slots[_i].slot);
}
END_TEST

START_TEST(slot_length)
{
    char slot[HF_HOST_SLOT + 1];

    memset(slot, 'a', sizeof(slot));
    slot[HF_HOST_SLOT] = '\0';
    ck_assert(!hf_supervisor_slot_is_valid(slot));
    slot[HF_HOST_SLOT - 1] = '\0';
    ck_assert(hf_supervisor_slot_is_valid(slot));
    struct hf_supervisor_verdict verdict = {.reason = HF_HOST_NOT_EXECUTABLE}, again;
    char text[HF_HOST_NOTE];
    memcpy(verdict.slot, slot, HF_HOST_SLOT);
    size_t n = hf_supervisor_verdict_format(&verdict, text);
    ck_assert(n > 0 && n < sizeof(text) && hf_supervisor_verdict_parse(text, n, &again));
    ck_assert_str_eq(again.slot, slot);
}
END_TEST

static const struct hf_supervisor_verdict verdict = {.slot = "slots/1-ab", .reason = HF_HOST_LATE};
static const struct hf_supervisor_trial trial = {.slot = "slots/1-ab", .ends = 2};

/* The promise to agents of other versions. */
START_TEST(texts)
{
    char text[HF_HOST_NOTE];

    ck_assert(hf_supervisor_verdict_format(&verdict, text) == strlen(text));
    ck_assert_str_eq(text, "holdfast-verdict 1 Late slots/1-ab 5402b27d\n");
    ck_assert(hf_supervisor_trial_format(&trial, text) == strlen(text));
    ck_assert_str_eq(text, "holdfast-trial 1 2 slots/1-ab 38c93ff6\n");
    ck_assert(hf_supervisor_verdict_format(&(struct hf_supervisor_verdict){.slot = "a", .reason = HF_HOST_NO_REASON},
                                           text) == 0);
    ck_assert(hf_supervisor_verdict_format(
                  &(struct hf_supervisor_verdict){.slot = "a", .reason = (enum hf_supervisor_reason)9}, text) == 0);
    ck_assert(hf_supervisor_trial_format(&(struct hf_supervisor_trial){.slot = "../a"}, text) == 0);
}
END_TEST

/* Each byte changed, each shorter text, each longer one: refused, and the result untouched. */
START_TEST(damage)
{
    char text[HF_HOST_NOTE], bad[HF_HOST_NOTE];
    struct hf_supervisor_verdict got = {.slot = "untouched"};
    struct hf_supervisor_trial got_trial = {.ends = 7};

    for (int kind = 0; kind < 2; kind++) {
        size_t n = kind == 0 ? hf_supervisor_verdict_format(&verdict, text) : hf_supervisor_trial_format(&trial, text);
        for (size_t i = 0; i < n; i++) {
            for (int c = 0; c < 256; c++) {
                memcpy(bad, text, n);
                bad[i] = (char)c;
                if (bad[i] != text[i])
                    ck_assert(!hf_supervisor_verdict_parse(bad, n, &got) &&
                              !hf_supervisor_trial_parse(bad, n, &got_trial));
            }
            ck_assert(!hf_supervisor_verdict_parse(text, i, &got) && !hf_supervisor_trial_parse(text, i, &got_trial));
        }
        memcpy(bad, text, n);
        bad[n] = '\n';
        ck_assert(!hf_supervisor_verdict_parse(bad, n + 1, &got) && !hf_supervisor_trial_parse(bad, n + 1, &got_trial));
    }
    ck_assert_str_eq(got.slot, "untouched");
    ck_assert_uint_eq(got_trial.ends, 7);
    ck_assert(hf_supervisor_trial_parse(text, strlen(text), &got_trial) && got_trial.ends == 2);
    ck_assert(!hf_supervisor_verdict_parse(text, strlen(text), &got)); /* one kind is not the other */
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, slot_names, 0, HF_LEN(slots));
    tcase_add_test(tc, slot_length);
    tcase_add_test(tc, texts);
    tcase_add_test(tc, damage);
}
HF_TEST_MAIN("supervisor/state", cases)
