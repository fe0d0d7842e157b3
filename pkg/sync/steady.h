/* SPDX-License-Identifier: Apache-2.0 */
/* sync/steady.h - decides what the node reports about an update that fails and starts again many times. Pure.
 *
 * A release whose artifact is unreachable changes between Fetching and Waiting every few seconds, on every node that
 * wants it. A report of each change would overload the API server, or wear out a disk through the outbox. The reported
 * status therefore stays unchanged for up to `refresh_ns` while phase, reason and digest stay the same, whatever
 * happens to attempts, bytes, message and time. While a new attempt makes no progress, the node continues to report the
 * failure of the previous attempt, also for up to `refresh_ns`. Progress means that the attempt reaches another phase,
 * waits for another reason, or has fetched for HF_STEADY_TRY_NS. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/update/update.h"
#include "base/clock.h"
#include "base/strmap.h"

#define HF_STEADY_TRY_NS (60 * HF_NS_PER_S)

/* Maximum number of releases whose reported status is remembered. If there are more, a new release takes the place of
 * the release for which the last call of hf_steady_report() is the longest ago. */
enum { HF_STEADY_MAX = 128 };

struct hf_steady {
    struct hf_strmap reported; /* maps the name of a release to its reported status */
};

void hf_steady_init(struct hf_steady *steady);
void hf_steady_done(struct hf_steady *steady);

/* Computes the status to report for a release whose true status is `status` at now_ns (monotonic). The strings of
 * *ret_reported stay valid until the next call for this release, or until calls for HF_STEADY_MAX other releases.
 * *wait_ns is the time until the caller's next call; the function lowers it if the call must come sooner. -ENOMEM:
 * *ret_reported is a copy of *status, with the same strings. */
HF_MUST_USE int hf_steady_report(struct hf_steady *steady, const struct hf_update_status *status, uint64_t refresh_ns,
                                 uint64_t now_ns, struct hf_update_status *ret_reported, uint64_t *wait_ns);
