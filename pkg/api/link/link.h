/* SPDX-License-Identifier: Apache-2.0 */
/* The gate for bulk transfers by spec.connectivity, and averages of network measurements. Pure.
 *
 * Bulk transfers are downloads of artifacts and of manifests' archives, and uploads of telemetry backlog
 * (telemetry/delivery/fresh.h). */
#pragma once

#include "api/syncpolicy.h"
#include "base/time/range.h"

/* OPEN, or why closed. */
enum hf_link {
    HF_LINK_OPEN,
    HF_LINK_WINDOW_CLOSED,
    HF_LINK_CLOCK_UNSURE, /* the time leaves it unknown */
    HF_LINK_QUOTA_USED,
};

/* For statuses, "LinkWindowClosed"; NULL: open. */
const char *hf_link_reason(enum hf_link link);

/* quota_used: of maxBytesPerDay. *ret_wait_ns: next call; HF_NEVER without windows, else next edge, at most 600 s; 60 s
 * while unsure. */
enum hf_link hf_link_judge(const struct hf_policy_connectivity *policy, const struct hf_time_range *range,
                           bool quota_used, uint64_t *ret_wait_ns);

/* Three quarters of `average` and a quarter of `sample`; `sample` if the average is 0. */
uint64_t hf_link_average(uint64_t average, uint64_t sample);
