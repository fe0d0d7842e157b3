/* SPDX-License-Identifier: Apache-2.0 */
/* A bad result only makes its check count from zero: services need time to start, but one that fails now and then must
 * not pass. */
#include "steps/health.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/macros.h"

void hf_health_init(struct hf_health *health, const struct hf_check *checks, size_t n, uint64_t now_ns,
                    uint64_t deadline_ns)
{
    *health = (struct hf_health){.n = HF_MIN(n, (size_t)HF_MAX_CHECKS), .verdict = HF_HEALTH_PENDING};
    health->deadline_at_ns = deadline_ns > HF_NEVER - now_ns ? HF_NEVER : now_ns + deadline_ns;
    for (size_t i = 0; i < health->n; i++) {
        health->checks[i].wanted = HF_MAX(checks[i].success_threshold, 1u);
        hf_release_check_describe(&checks[i], health->checks[i].name, sizeof(health->checks[i].name));
    }
    if (n == 0) {
        health->verdict = HF_HEALTH_PASSED;
        health->reason = HF_R_NoHealthChecks;
    }
}

static void fail(struct hf_health *health, enum hf_reason reason, const struct hf_health_check *check, const char *what)
{
    health->verdict = HF_HEALTH_FAILED;
    health->reason = reason;
    (void)snprintf(health->message, sizeof(health->message), "%s: %s", check->name, what);
}

enum hf_health_verdict hf_health_result(struct hf_health *health, size_t i, enum hf_health_outcome outcome,
                                        const char *text)
{
    struct hf_health_check *check = &health->checks[i];

    if (health->verdict != HF_HEALTH_PENDING || i >= health->n)
        return health->verdict;
    check->tries++;
    if (outcome != HF_HEALTH_GOOD) {
        check->in_row = 0;
        (void)snprintf(check->last, sizeof(check->last), "%s", text);
        if (outcome == HF_HEALTH_HOPELESS)
            fail(health, HF_R_HealthFailed, check, check->last);
        return health->verdict;
    }
    check->in_row++;
    for (size_t k = 0; k < health->n; k++) {
        if (health->checks[k].in_row < health->checks[k].wanted)
            return health->verdict;
    }
    health->verdict = HF_HEALTH_PASSED;
    health->reason = HF_R_HealthPassed;
    return health->verdict;
}

/* The check to name in the message: the first without enough good results. */
static const struct hf_health_check *behind(const struct hf_health *health)
{
    for (size_t i = 0; i < health->n; i++) {
        if (health->checks[i].in_row < health->checks[i].wanted)
            return &health->checks[i];
    }
    return &health->checks[0];
}

enum hf_health_verdict hf_health_tick(struct hf_health *health, uint64_t now_ns)
{
    if (health->verdict != HF_HEALTH_PENDING || now_ns < health->deadline_at_ns)
        return health->verdict;
    const struct hf_health_check *check = behind(health);
    if (check->last[0] != '\0')
        fail(health, HF_R_HealthDeadline, check, check->last);
    else if (check->tries == 0)
        fail(health, HF_R_HealthDeadline, check, "no answer before the deadline");
    else
        fail(health, HF_R_HealthDeadline, check, "passed, but not often enough in a row before the deadline");
    return health->verdict;
}
