/* update/rules/health.h - from single check results to a verdict. Pure: no clock, no effect.
 *
 * Passed: every check's last `successThreshold` results were good, all at the same time. Failed: the deadline came first, or a
 * result that cannot become better (systemd gave the unit up). A bad result before the deadline starts that check's row anew:
 * services need time to come up, and one that flaps must not pass. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "update/rules/reasons.h"

enum hf_health_outcome { HF_HEALTH_GOOD, HF_HEALTH_BAD, HF_HEALTH_HOPELESS };
enum hf_health_verdict { HF_HEALTH_PENDING, HF_HEALTH_PASSED, HF_HEALTH_FAILED };

struct hf_health_check {
    unsigned wanted, in_row, tries;
    char name[96]; /* "http http://127.0.0.1:8080/healthz" */
    char last[96]; /* what the last bad result said; "" none yet */
};

struct hf_health {
    struct hf_health_check checks[HF_MAX_CHECKS];
    size_t n;
    uint64_t deadline_at_ns; /* monotonic */
    enum hf_health_verdict verdict;
    enum hf_reason reason;
    char message[200]; /* why it failed: which check, what it said */
};

void hf_health_init(struct hf_health *health, const struct hf_check *checks, size_t n, uint64_t now_ns,
                    uint64_t deadline_ns);
/* A result of check `i`. Verdicts are final. */
enum hf_health_verdict hf_health_result(struct hf_health *health, size_t i, enum hf_health_outcome outcome,
                                        const char *text);
/* The clock moved. */
enum hf_health_verdict hf_health_tick(struct hf_health *health, uint64_t now_ns);
