/* update/rules/health.h - decides the verdict from the results of health checks. Pure: no clock, no effects.
 *
 * The verdict is Passed when, at one moment, the last `successThreshold` results of every check are good. The verdict
 * is Failed if before that the deadline passes, or a check has a result that cannot improve, for example because
 * systemd no longer restarts the unit. A bad result before the deadline does not fail a check, because services need
 * time to start. A bad result sets the check's count of good results back to zero, because a service that fails
 * intermittently must not pass. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "update/rules/reasons.h"

enum hf_health_outcome { HF_HEALTH_GOOD, HF_HEALTH_BAD, HF_HEALTH_HOPELESS };
enum hf_health_verdict { HF_HEALTH_PENDING, HF_HEALTH_PASSED, HF_HEALTH_FAILED };

struct hf_health_check {
    unsigned wanted, in_row; /* number of good results in a row that the check needs, and number reached so far */
    unsigned tries;
    char name[96]; /* "http http://127.0.0.1:8080/healthz" */
    char last[96]; /* text of the last bad result; "" if none yet */
};

struct hf_health {
    struct hf_health_check checks[HF_MAX_CHECKS];
    size_t n;
    uint64_t deadline_at_ns; /* monotonic */
    enum hf_health_verdict verdict;
    enum hf_reason reason;
    char message[200]; /* after a failure: names the check and its result */
};

void hf_health_init(struct hf_health *health, const struct hf_check *checks, size_t n, uint64_t now_ns,
                    uint64_t deadline_ns);
/* Records a result of check `i`. Once the verdict is not PENDING, later results do not change the verdict. */
enum hf_health_verdict hf_health_result(struct hf_health *health, size_t i, enum hf_health_outcome outcome,
                                        const char *text);
/* Fails the checks if the deadline has passed. */
enum hf_health_verdict hf_health_tick(struct hf_health *health, uint64_t now_ns);
