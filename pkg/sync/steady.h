/* sync/steady.h - what is said of an update that fails and is tried again, and again. Pure.
 *
 * A release whose artifact is out of reach flaps between Fetching and Waiting every few seconds on every node that wants it:
 * told as it happens, that is a storm on the API server, or a disk worn out by an outbox. So what is said of a release stays as it
 * was while only its attempts, bytes, message or time moved, for up to `refresh_ns`; and a new try counts as the failure before it
 * until it got somewhere (another phase, or HF_STEADY_TRY_NS of fetching). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/strmap.h"
#include "update/engine.h"

#define HF_STEADY_TRY_NS (60 * HF_NS_PER_S)

struct hf_steady {
    struct hf_strmap said; /* by release */
};

void hf_steady_init(struct hf_steady *steady);
void hf_steady_done(struct hf_steady *steady);

/* What to say of a release that stands like `status` at now_ns (monotonic). The strings of *ret_said live until the next call for this
 * release. *wait_ns is lowered to the time after which to ask again. -ENOMEM: *ret_said is `status` itself. */
HF_MUST_USE int hf_steady_report(struct hf_steady *steady, const struct hf_update_status *status, uint64_t refresh_ns,
                              uint64_t now_ns, struct hf_update_status *ret_said, uint64_t *wait_ns);
