/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict of health checks. Pure.
 *
 * Passed: the last `successThreshold` results of each check are good. Failed: the deadline comes first, or a check
 * reports what cannot improve, such as a unit that systemd no longer restarts. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "api/update/reason.h"

enum hf_health_outcome { HF_HEALTH_GOOD, HF_HEALTH_BAD, HF_HEALTH_HOPELESS };
enum hf_health_verdict { HF_HEALTH_PENDING, HF_HEALTH_PASSED, HF_HEALTH_FAILED };

struct hf_health_check {
    /* good results in a row: needed, and seen */
    unsigned wanted, in_row;
    unsigned tries;
    char name[96];
    char last[96];
};

struct hf_health {
    struct hf_health_check checks[HF_MAX_CHECKS];
    size_t n;
    uint64_t deadline_at_ns;
    enum hf_health_verdict verdict;
    enum hf_reason reason;
    char message[200];
};

void hf_health_init(struct hf_health *health, const struct hf_check *checks, size_t n, uint64_t now_ns,
                    uint64_t deadline_ns);
/* Adds a result of check `i`; ignored after the verdict. */
enum hf_health_verdict hf_health_result(struct hf_health *health, size_t i, enum hf_health_outcome outcome,
                                        const char *text);
enum hf_health_verdict hf_health_tick(struct hf_health *health, uint64_t now_ns);
