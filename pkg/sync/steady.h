/* sync/steady.h - the reported status of an update that fails and is retried, again and again. Pure.
 *
 * A release whose artifact is out of reach flaps between Fetching and Waiting every few seconds, on every node that
 * wants it. Reports of each change would be a storm on the API server, or wear out a disk through the outbox. So the
 * reported status stays as it is while only attempts, bytes, message or time change, for up to `refresh_ns`. A new
 * attempt counts as the failure before it until it gets somewhere: to another phase, or to HF_STEADY_TRY_NS of
 * fetching. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/strmap.h"
#include "update/engine.h"

#define HF_STEADY_TRY_NS (60 * HF_NS_PER_S)

struct hf_steady {
    struct hf_strmap reported; /* by release name */
};

void hf_steady_init(struct hf_steady *steady);
void hf_steady_done(struct hf_steady *steady);

/* Computes what to report of a release whose status is `status` at now_ns (monotonic). The strings of *ret_reported
 * live until the next call for this release. Lowers *wait_ns to the time after which to ask again. -ENOMEM:
 * *ret_reported is `status` itself. */
HF_MUST_USE int hf_steady_report(struct hf_steady *steady, const struct hf_update_status *status, uint64_t refresh_ns,
                                 uint64_t now_ns, struct hf_update_status *ret_reported, uint64_t *wait_ns);
