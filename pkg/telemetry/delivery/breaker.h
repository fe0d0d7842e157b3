/* SPDX-License-Identifier: Apache-2.0 */
/* Circuit breaker: pauses a sink that does not work, then sends single requests as probes. Pure. */
#pragma once

#include <stdbool.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/macros.h"

enum { HF_BREAKER_FAILURES = 5 };

enum hf_breaker { HF_BREAKER_CLOSED, HF_BREAKER_OPEN, HF_BREAKER_HALF_OPEN };

struct hf_breaker_state {
    enum hf_breaker state;
    unsigned failures; /* in a row, while CLOSED */
    bool probing;      /* HALF_OPEN: a probe is in flight */
    uint64_t until_ns; /* OPEN: when the next probe may start */
    struct hf_backoff backoff;
};

/* Without Retry-After the longest pause is base_ns (at least 1 s) at first, and doubles up to cap_ns. */
void hf_breaker_init(struct hf_breaker_state *breaker, uint64_t base_ns, uint64_t cap_ns);
/* Whether a request may start. After the pause, OPEN becomes HALF_OPEN. */
bool hf_breaker_admits(struct hf_breaker_state *breaker, uint64_t now_ns);
void hf_breaker_started(struct hf_breaker_state *breaker);
/* `works`: the sink accepted or refused the content. at_least_ns: Retry-After, or 0. */
void hf_breaker_ended(struct hf_breaker_state *breaker, bool works, const struct hf_rand_ops *rng, uint64_t now_ns,
                      uint64_t at_least_ns);
/* Returns when the next request may start. 0: now; HF_NEVER: a probe is in flight. */
uint64_t hf_breaker_wait_until_ns(const struct hf_breaker_state *breaker);
