/* SPDX-License-Identifier: Apache-2.0 */
/* Reasons of updates: names that read back, log levels, and which are failures of the release. */
#include "api/update/reason.h"

#include "base/macros.h"
#include "support/check_main.h"

START_TEST(names)
{
    for (enum hf_reason reason = HF_R_None; reason < HF_R_COUNT; reason++) {
        ck_assert_int_eq(hf_reason_of(hf_reason_name(reason)), reason);
        ck_assert_str_ne(hf_reason_meaning(reason), "");
        ck_assert_str_ne(hf_reason_remedy(reason), "");
    }
}
END_TEST

START_TEST(levels)
{
    static const struct {
        enum hf_phase phase;
        enum hf_reason reason;
        enum hf_log_level level;
    } cases[] = {
        {HF_PHASE_ROLLED_BACK, HF_R_HealthDeadline, HF_LOG_ERROR},
        {HF_PHASE_ROLLED_BACK, HF_R_None, HF_LOG_ERROR},
        {HF_PHASE_ROLLING_BACK, HF_R_HealthFailed, HF_LOG_ERROR},
        {HF_PHASE_REJECTED, HF_R_SequenceTooLow, HF_LOG_ERROR},
        {HF_PHASE_REJECTED, HF_R_PathNotAllowed, HF_LOG_ERROR},
        {HF_PHASE_REJECTED, HF_R_Expired, HF_LOG_ERROR},
        {HF_PHASE_INCOMPATIBLE, HF_R_NoArtifactForArch, HF_LOG_WARNING},
        {HF_PHASE_WAITING, HF_R_DownloadRefused, HF_LOG_WARNING},
        {HF_PHASE_WAITING, HF_R_HashMismatch, HF_LOG_ERROR},
        {HF_PHASE_FETCHING, HF_R_HashMismatch, HF_LOG_WARNING}, /* of a delta: the agent fetches the whole file */
        {HF_PHASE_FETCHING, HF_R_DeltaUnfit, HF_LOG_WARNING},
        {HF_PHASE_FETCHING, HF_R_Downloading, HF_LOG_INFO},
        {HF_PHASE_WAITING, HF_R_DiskSpaceLow, HF_LOG_ERROR},
        {HF_PHASE_WAITING, HF_R_Drifted, HF_LOG_WARNING},
        {HF_PHASE_WAITING, HF_R_Queued, HF_LOG_INFO},
        {HF_PHASE_COMMITTED, HF_R_HealthPassed, HF_LOG_INFO},
        {HF_PHASE_COMMITTED, HF_R_NoHealthChecks, HF_LOG_INFO},
    };

    for (size_t i = 0; i < HF_LEN(cases); i++)
        ck_assert_msg(hf_reason_level(cases[i].phase, cases[i].reason) == cases[i].level, "%s %s",
                      hf_phase_name(cases[i].phase), hf_reason_name(cases[i].reason));
}
END_TEST

/* RollingBack is a failure of the release only after a verdict about it. */
START_TEST(failures_of_releases)
{
    for (unsigned reason = 0; reason < HF_R_COUNT; reason++) {
        for (unsigned phase = 0; phase < HF_PHASE_COUNT; phase++) {
            bool ended = phase == HF_PHASE_ROLLED_BACK || phase == HF_PHASE_REJECTED ||
                         (phase == HF_PHASE_COMMITTED && reason == HF_R_BootFailed);
            if (phase != HF_PHASE_ROLLING_BACK)
                ck_assert(hf_reason_is_failure((enum hf_phase)phase, (enum hf_reason)reason) == ended);
        }
    }
    ck_assert(hf_reason_is_failure(HF_PHASE_ROLLING_BACK, HF_R_HealthDeadline));
    ck_assert(hf_reason_is_failure(HF_PHASE_ROLLING_BACK, HF_R_RollbackFailed));
    ck_assert(!hf_reason_is_failure(HF_PHASE_ROLLING_BACK, HF_R_TargetChanged));
    ck_assert(!hf_reason_is_failure(HF_PHASE_ROLLING_BACK, HF_R_SwapFailed));
    ck_assert(!hf_reason_is_failure(HF_PHASE_ROLLING_BACK, HF_R_COUNT)); /* of a newer agent: RolledBack comes soon */
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_test(tc, names);
    tcase_add_test(tc, levels);
    tcase_add_test(tc, failures_of_releases);
}

HF_TEST_MAIN("api/update/reason", all)
