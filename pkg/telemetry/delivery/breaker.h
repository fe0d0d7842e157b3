/* telemetry/delivery/breaker.h - circuit breaker: stops requests to a sink that does not work, then tests it with
 * single requests.
 *
 *   CLOSED --5 failures in a row--> OPEN --back-off passed--> HALF_OPEN: one probe --it passes--> CLOSED
 *                                    ^-------------- it fails; longer back-off ------'
 *
 * To the breaker, a missing network looks like a broken sink. So an offline node sends one probe after each back-off
 * instead of one request for each batch.
 *
 * Pure: plain values; times are monotonic nanoseconds. */
#pragma once

#include <stdbool.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/macros.h"

enum { HF_BREAKER_FAILURES = 5 };

enum hf_breaker { HF_BREAKER_CLOSED, HF_BREAKER_OPEN, HF_BREAKER_HALF_OPEN };

struct hf_breaker_state {
    enum hf_breaker state;
    unsigned failures; /* failures in a row, while closed */
    bool probing;      /* the probe is in flight */
    uint64_t until_ns; /* OPEN: time of the next probe */
    struct hf_backoff backoff;
};

void hf_breaker_init(struct hf_breaker_state *breaker, uint64_t base_ns, uint64_t cap_ns);
/* True if a request may start now. Moves from OPEN to HALF_OPEN after the back-off. */
bool hf_breaker_admits(struct hf_breaker_state *breaker, uint64_t now_ns);
/* Notes the start of a request. */
void hf_breaker_started(struct hf_breaker_state *breaker);
/* Notes the end of a request. Pass works = true if the sink answered properly, even if it refused the content.
 * at_least_ns is the delay that the sink asked for with Retry-After (0 means none). */
void hf_breaker_ended(struct hf_breaker_state *breaker, bool works, const struct hf_rand_ops *rng, uint64_t now_ns,
                      uint64_t at_least_ns);
/* Returns the time at which the breaker admits the next request. 0: now. HF_NEVER: a probe is in flight, and the
 * breaker waits for its end. */
uint64_t hf_breaker_wait_until_ns(const struct hf_breaker_state *breaker);
