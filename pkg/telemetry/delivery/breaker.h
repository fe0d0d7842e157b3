/* telemetry/delivery/breaker.h - leave a sink alone that does not work, and find out with one request when it does again. Pure.
 *
 *   CLOSED --5 failures in a row--> OPEN --its time is over--> HALF_OPEN: one probe --it passes--> CLOSED
 *                                    ^------------------------ it fails, for longer ------'
 *
 * A network that is away looks the same: a node that is offline asks once in a while instead of for each batch. */
#pragma once

#include <stdbool.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/macros.h"

enum { HF_BREAKER_FAILURES = 5 };

enum hf_breaker { HF_BREAKER_CLOSED, HF_BREAKER_OPEN, HF_BREAKER_HALF_OPEN };

struct hf_breaker_state {
    enum hf_breaker state;
    unsigned failures; /* in a row, while closed */
    bool probing;      /* the probe is under way */
    uint64_t until_ns; /* OPEN: when a probe may go */
    struct hf_backoff backoff;
};

void hf_breaker_init(struct hf_breaker_state *breaker, uint64_t base_ns, uint64_t cap_ns);
/* May a request start now? Moves from OPEN to HALF_OPEN when it is time. */
bool hf_breaker_admits(struct hf_breaker_state *breaker, uint64_t now_ns);
void hf_breaker_started(struct hf_breaker_state *breaker);
/* The request ended: `works`: the sink answered as one that works (also when it refused the content). */
void hf_breaker_ended(struct hf_breaker_state *breaker, bool works, const struct hf_rand_ops *rng, uint64_t now_ns,
                      uint64_t at_least_ns);
/* It was taken back: the next one is the probe. */
void hf_breaker_cancelled(struct hf_breaker_state *breaker);
/* When it will admit one without anything else happening; HF_NEVER: not by time, 0: now. */
uint64_t hf_breaker_wait_until_ns(const struct hf_breaker_state *breaker);
