/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/delivery/breaker.h - circuit breaker: stops requests to a sink that does not work, and then sends single
 * requests (probes) to find out if the sink works again.
 *
 *   CLOSED --5 failures in a row--> OPEN --back-off passed--> HALF_OPEN: one probe --it passes--> CLOSED
 *                                    ^-------------- it fails; longer back-off ------'
 *
 * A missing network has the same effect as a broken sink, so an offline node sends only one probe after each back-off
 * and not one request for each batch.
 *
 * Pure; struct hf_breaker_state is a plain value, and all times are monotonic nanoseconds. */
#pragma once

#include <stdbool.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/macros.h"

enum { HF_BREAKER_FAILURES = 5 };

enum hf_breaker { HF_BREAKER_CLOSED, HF_BREAKER_OPEN, HF_BREAKER_HALF_OPEN };

struct hf_breaker_state {
    enum hf_breaker state;
    unsigned failures; /* number of failures in a row, in the state CLOSED */
    bool probing;      /* true while the probe is in flight, in the state HALF_OPEN */
    uint64_t until_ns; /* time of the next probe, in the state OPEN */
    struct hf_backoff backoff;
};

/* Initializes a breaker in the state CLOSED. The first back-off lasts at most base_ns (or 1 s, if base_ns is shorter).
 * The limit doubles with each further back-off, up to cap_ns. No back-off is shorter than half of the first limit. */
void hf_breaker_init(struct hf_breaker_state *breaker, uint64_t base_ns, uint64_t cap_ns);
/* Returns true if a request may start now. Changes the state from OPEN to HALF_OPEN if the back-off has passed. */
bool hf_breaker_admits(struct hf_breaker_state *breaker, uint64_t now_ns);
/* Records that a request has started. */
void hf_breaker_started(struct hf_breaker_state *breaker);
/* Records that a request has ended. Pass works = true if the answer shows that the sink works, even if the sink refused
 * the content. at_least_ns is the delay that the sink asked for with Retry-After (0 means none). */
void hf_breaker_ended(struct hf_breaker_state *breaker, bool works, const struct hf_rand_ops *rng, uint64_t now_ns,
                      uint64_t at_least_ns);
/* Returns the time at which the breaker admits the next request (0 means now). Returns HF_NEVER while a probe is in
 * flight, because the breaker then waits for the end of the probe. */
uint64_t hf_breaker_wait_until_ns(const struct hf_breaker_state *breaker);
