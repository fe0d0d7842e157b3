/* SPDX-License-Identifier: Apache-2.0 */
/* Pauses a sink that does not work, then sends single probes. Pure. */
#pragma once

#include <stdbool.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/macros.h"

enum { HF_BREAKER_FAILURES = 5 };

enum hf_breaker { HF_BREAKER_CLOSED, HF_BREAKER_OPEN, HF_BREAKER_HALF_OPEN };

struct hf_breaker_state {
    enum hf_breaker state;
    unsigned failures; /* in a row, CLOSED */
    bool probing;      /* in flight, HALF_OPEN */
    uint64_t until_ns; /* next probe, OPEN */
    struct hf_backoff backoff;
};

/* Back-off: base_ns at most (at least 1 s), doubling up to cap_ns; none below half of base_ns. */
void hf_breaker_init(struct hf_breaker_state *breaker, uint64_t base_ns, uint64_t cap_ns);
/* May a request start? After the back-off OPEN becomes HALF_OPEN. */
bool hf_breaker_admits(struct hf_breaker_state *breaker, uint64_t now_ns);
void hf_breaker_started(struct hf_breaker_state *breaker);
/* `works`: even if the sink refuses the content. at_least_ns: Retry-After, or 0. */
void hf_breaker_ended(struct hf_breaker_state *breaker, bool works, const struct hf_rand_ops *rng, uint64_t now_ns,
                      uint64_t at_least_ns);
/* 0: now; HF_NEVER: a probe is in flight. */
uint64_t hf_breaker_wait_until_ns(const struct hf_breaker_state *breaker);
