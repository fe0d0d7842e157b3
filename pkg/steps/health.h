/* SPDX-License-Identifier: Apache-2.0 */
/* steps/health.h - decides the verdict from the results of health checks. Pure: no clock, no effects.
 *
 * The verdict is Passed at the first moment at which the latest `successThreshold` results of each check are good, or
 * at once if there is no check. The verdict is Failed if the deadline passes before that moment, or if a check reports
 * a failure that no later result can improve, for example because systemd no longer restarts the unit. Any other bad
 * result does not fail the check, because services need time to start. But such a result sets the check's count of good
 * results back to zero, because a service that fails intermittently must not pass. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "api/update/reason.h"

enum hf_health_outcome { HF_HEALTH_GOOD, HF_HEALTH_BAD, HF_HEALTH_HOPELESS };
enum hf_health_verdict { HF_HEALTH_PENDING, HF_HEALTH_PASSED, HF_HEALTH_FAILED };

struct hf_health_check {
    /* `wanted` is the number of consecutive good results that the check needs; in_row is the present number of
     * consecutive good results */
    unsigned wanted, in_row;
    unsigned tries;
    char name[96]; /* kind and target of the check, such as "http http://127.0.0.1:8080/healthz" */
    char last[96]; /* text of the check's latest bad result; "" if no result was bad */
};

struct hf_health {
    struct hf_health_check checks[HF_MAX_CHECKS];
    size_t n;
    uint64_t deadline_at_ns; /* monotonic time at which the checks fail */
    enum hf_health_verdict verdict;
    enum hf_reason reason;
    char message[200]; /* after the verdict Failed, names the failed check and its result; otherwise "" */
};

void hf_health_init(struct hf_health *health, const struct hf_check *checks, size_t n, uint64_t now_ns,
                    uint64_t deadline_ns);
/* Records a result of check `i`. Once the verdict is not PENDING, later results do not change the verdict. */
enum hf_health_verdict hf_health_result(struct hf_health *health, size_t i, enum hf_health_outcome outcome,
                                        const char *text);
/* Sets the verdict to Failed if the deadline has passed. */
enum hf_health_verdict hf_health_tick(struct hf_health *health, uint64_t now_ns);
