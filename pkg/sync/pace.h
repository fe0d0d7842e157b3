/* SPDX-License-Identifier: Apache-2.0 */
/* When to write a status: soon after a change, on average once per gap_ns at most, and as a heartbeat. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bucket.h"
#include "base/clock.h"
#include "base/rand.h"

#define HF_PACE_GAP_NS (10 * HF_NS_PER_S)
#define HF_PACE_GATHER_NS (100 * HF_NS_PER_MS)

enum { HF_PACE_TOKENS = 2 };

struct hf_pace {
    uint64_t gap_ns;
    struct hf_bucket bucket;
    bool changed, urgent;
    uint64_t changed_at_ns; /* time of the first unreported change, if `changed` */
    bool writing;
    uint64_t heartbeat_ns;  /* HF_NEVER: none yet */
    uint64_t not_before_ns; /* after a failure, or hf_pace_retry() */
};

void hf_pace_init(struct hf_pace *pace, uint64_t gap_ns);
void hf_pace_changed(struct hf_pace *pace, bool urgent, uint64_t now_ns);

/* When to write. HF_NEVER: nothing to write, or writing. */
uint64_t hf_pace_due_ns(const struct hf_pace *pace);

void hf_pace_started(struct hf_pace *pace, uint64_t now_ns);

/* The next heartbeat comes after `interval_ns`, 10 % more or less at random. */
void hf_pace_delivered(struct hf_pace *pace, uint64_t interval_ns, const struct hf_rand_ops *rng, uint64_t now_ns);

/* Called when the status is in the outbox. */
void hf_pace_parked(struct hf_pace *pace, uint64_t interval_ns, const struct hf_rand_ops *rng, uint64_t now_ns);

/* The next write waits for `delay_ns`, and may take the last token. */
void hf_pace_failed(struct hf_pace *pace, uint64_t delay_ns, uint64_t now_ns);

/* The server is reachable: ends the back-off. A random `delay_ns` spreads a fleet. */
void hf_pace_retry(struct hf_pace *pace, uint64_t delay_ns, uint64_t now_ns);
