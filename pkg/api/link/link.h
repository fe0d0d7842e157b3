/* SPDX-License-Identifier: Apache-2.0 */
/* api/link/link.h - the gate for bulk transfers: by spec.connectivity of the policy, it decides if they may run now.
 * Also averages measurements of the network. Pure.
 *
 * Bulk transfers are downloads of artifacts, downloads of archives of manifests, and uploads of telemetry backlog
 * (telemetry/delivery/fresh.h). Requests to the API server, statuses, live telemetry, and repairs of installed files
 * never wait. */
#pragma once

#include "api/syncpolicy.h"
#include "base/time/range.h"

/* The state of the gate: open, or the reason why it is closed. */
enum hf_link {
    HF_LINK_OPEN,
    HF_LINK_WINDOW_CLOSED,
    HF_LINK_CLOCK_UNSURE, /* the evidence of the time does not show whether a window is open */
    HF_LINK_QUOTA_USED,
};

/* Returns the reason why the gate is closed, in the form that statuses show, such as "LinkWindowClosed". Returns NULL
 * for HF_LINK_OPEN. */
const char *hf_link_reason(enum hf_link link);

/* Returns the state of the gate. hf_windows_judge() judges the windows. quota_used is true if maxBytesPerDay is used
 * up. Sets *ret_wait_ns to the time after which the caller must call this function again. Without windows, this time is
 * HF_NEVER. With windows, it is the time until the next edge of a window, but at most 600 s, because somebody may set
 * the wall clock. If the result is HF_LINK_CLOCK_UNSURE, it is at most 60 s. */
enum hf_link hf_link_judge(const struct hf_policy_connectivity *policy, const struct hf_time_range *range,
                           bool quota_used, uint64_t *ret_wait_ns);

/* Returns the new exponential average: three quarters of `average` plus a quarter of `sample`. If `average` is 0 (no
 * sample yet), returns `sample`. */
uint64_t hf_link_average(uint64_t average, uint64_t sample);
