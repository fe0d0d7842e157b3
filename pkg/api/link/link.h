/* SPDX-License-Identifier: Apache-2.0 */
/* Whether spec.connectivity lets bulk transfers use the link; and averages of network measurements. Pure. */
#pragma once

#include "api/syncpolicy.h"
#include "base/time/range.h"

enum hf_link {
    HF_LINK_OPEN,
    HF_LINK_WINDOW_CLOSED,
    HF_LINK_CLOCK_UNSURE,
    HF_LINK_QUOTA_USED,
};

/* Returns "LinkWindowClosed" and so on, for a status; NULL: open. */
const char *hf_link_reason(enum hf_link link);

/* quota_used: maxBytesPerDay is used up. *ret_wait_ns: time until the next call; HF_NEVER without windows, else until
 * the next edge, at most 600 s, or 60 s while unsure. */
enum hf_link hf_link_judge(const struct hf_policy_connectivity *policy, const struct hf_time_range *range,
                           bool quota_used, uint64_t *ret_wait_ns);

/* Returns three quarters of `average` and a quarter of `sample`, or `sample` if the average is 0. */
uint64_t hf_link_average(uint64_t average, uint64_t sample);
