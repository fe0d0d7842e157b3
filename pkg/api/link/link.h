/* api/link/link.h - decides if bulk transfers may run now, by spec.connectivity of the policy, and averages
 * measurements of the network. Pure.
 *
 * Bulk transfers are downloads of artifacts and of archives of manifests, and the backlog of telemetry
 * (telemetry/delivery/fresh.h). Requests to the API server, statuses, live telemetry, and the repair of what runs never
 * wait. */
#pragma once

#include "api/syncpolicy.h"
#include "base/time/range.h"

enum hf_link {
    HF_LINK_OPEN,
    HF_LINK_WINDOW_CLOSED,
    HF_LINK_CLOCK_UNSURE, /* the evidence of the time does not show whether a window is open */
    HF_LINK_QUOTA_USED,
};

/* Returns the reason of a closed gate as statuses show it, such as "LinkWindowClosed"; NULL for HF_LINK_OPEN. */
const char *hf_link_reason(enum hf_link link);

/* Returns the gate for bulk transfers; hf_windows_judge() judges the windows. quota_used is true if maxBytesPerDay is
 * used up. *ret_wait_ns is the time after which to judge again: at the next edge of a window, but after at most 600 s,
 * because somebody may set the wall clock; after at most 60 s while the time is unsure; HF_NEVER without windows. */
enum hf_link hf_link_judge(const struct hf_policy_connectivity *policy, const struct hf_time_range *range,
                           bool quota_used, uint64_t *ret_wait_ns);

/* Returns the new exponential average: three quarters of `average` plus a quarter of `sample`. If `average` is 0 (no
 * sample yet), returns `sample`. */
uint64_t hf_link_average(uint64_t average, uint64_t sample);
