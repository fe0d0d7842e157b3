/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts of health checks: pure rows. */
#include "base/clock.h"
#include "steps/health.h"
#include "support/check_main.h"

static const struct hf_check checks[] = {
    {.kind = HF_CHECK_HTTP, .url = "http://x/healthz", .success_threshold = 3},
    {.kind = HF_CHECK_TCP, .host = "127.0.0.1", .port = 80, .success_threshold = 1},
};

/* Each letter is a result: G g good (of check 0, 1), B b bad, H hopeless, '.' the deadline. */
static const struct {
    const char *name, *script;
    enum hf_health_verdict verdict;
    enum hf_reason reason;
    const char *message;
} rows[] = {
    {"both, in any order", "GGgG", HF_HEALTH_PASSED, HF_R_HealthPassed, ""},
    {"the other last", "GGGg", HF_HEALTH_PASSED, HF_R_HealthPassed, ""},
    {"not yet", "GGg", HF_HEALTH_PENDING, HF_R_None, ""},
    {"a row broken", "GGBGGg", HF_HEALTH_PENDING, HF_R_None, ""},
    {"flapping", "GGgBGGBGGBGGB.", HF_HEALTH_FAILED, HF_R_HealthDeadline, "http http://x/healthz: no"},
    {"one good, then lost again", "GGgbG", HF_HEALTH_PENDING, HF_R_None, ""},
    {"silence", ".", HF_HEALTH_FAILED, HF_R_HealthDeadline, "http http://x/healthz: no answer before the deadline"},
    {"too few", "Gg.", HF_HEALTH_FAILED, HF_R_HealthDeadline,
     "http http://x/healthz: passed, but not often enough in a row before the deadline"},
    {"given up", "GGH", HF_HEALTH_FAILED, HF_R_HealthFailed, "http http://x/healthz: no"},
    {"final", "GGGg.BH", HF_HEALTH_PASSED, HF_R_HealthPassed, ""},
    {"the second is late", "GGG.", HF_HEALTH_FAILED, HF_R_HealthDeadline,
     "tcp 127.0.0.1:80: no answer before the deadline"},
};

START_TEST(verdicts)
{
    struct hf_health health;

    hf_health_init(&health, checks, HF_LEN(checks), 1000, HF_NS_PER_S);
    for (const char *at = rows[_i].script; *at != '\0'; at++) {
        size_t i = *at == 'g' || *at == 'b';
        if (*at == '.')
            (void)hf_health_tick(&health, 1000 + HF_NS_PER_S);
        else
            (void)hf_health_result(&health, i,
                                   *at == 'G' || *at == 'g' ? HF_HEALTH_GOOD
                                   : *at == 'H'             ? HF_HEALTH_HOPELESS
                                                            : HF_HEALTH_BAD,
                                   "no");
        (void)hf_health_tick(&health, 1000 + HF_NS_PER_S - 1);
    }
    ck_assert_msg(health.verdict == rows[_i].verdict && health.reason == rows[_i].reason &&
                      strcmp(health.message, rows[_i].message) == 0,
                  "%s: %d %s '%s'", rows[_i].name, (int)health.verdict, hf_reason_name(health.reason), health.message);
}
END_TEST

START_TEST(none)
{
    struct hf_health health;

    hf_health_init(&health, NULL, 0, 0, HF_NEVER);
    ck_assert(health.verdict == HF_HEALTH_PASSED && health.reason == HF_R_NoHealthChecks);
    ck_assert(hf_health_result(&health, 0, HF_HEALTH_HOPELESS, "") == HF_HEALTH_PASSED);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, verdicts, 0, (int)HF_LEN(rows));
    tcase_add_test(tc, none);
}

HF_TEST_MAIN("steps/health", cases)
