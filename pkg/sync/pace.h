/* SPDX-License-Identifier: Apache-2.0 */
/* sync/pace.h - decides when to write a status. A write comes soon after a change, but on average at most once per
 * gap_ns (10 s by default). Without changes, a heartbeat comes at regular times. Pure.
 *
 * A bucket holds at most two tokens and gets one token in each gap (gap_ns); each write takes a token if there is one.
 * The write for an ordinary change (an update begins, or its phase changes) must leave a token in the bucket. The write
 * for an urgent change (an update ends) may take the last token. A status can thus report the end of an update at once,
 * even if the update began a second ago. The mean rate of writes for changes is still at most one per gap. After a
 * change, a write waits for HF_PACE_GATHER_NS, to include further changes. At most one write is in flight. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/rand.h"

#define HF_PACE_GAP_NS (10 * HF_NS_PER_S) /* default of gap_ns, for an API server to which ten thousand nodes write */
#define HF_PACE_GATHER_NS (100 * HF_NS_PER_MS)

enum { HF_PACE_TOKENS = 2 };

struct hf_pace {
    uint64_t gap_ns;
    uint64_t tokens_at_ns; /* monotonic time at which the bucket had `tokens` tokens */
    unsigned tokens;
    bool changed, urgent;
    uint64_t changed_at_ns; /* monotonic time of the first change that no write has reported; valid if `changed` */
    bool writing;           /* true while a write is in flight */
    /* monotonic time of the next heartbeat (HF_NEVER means that no status was delivered or parked yet) */
    uint64_t heartbeat_ns;
    uint64_t not_before_ns; /* monotonic time before which no write is due, because of a failure or hf_pace_retry() */
};

void hf_pace_init(struct hf_pace *pace, uint64_t gap_ns, uint64_t now_ns);
/* Records a change that a status must report. */
void hf_pace_changed(struct hf_pace *pace, bool urgent, uint64_t now_ns);

/* Returns the monotonic time of the next write. A time in the past means now; HF_NEVER means that there is nothing to
 * write, or that a write is in flight. */
uint64_t hf_pace_due_ns(const struct hf_pace *pace);

/* Call when a write has started. */
void hf_pace_started(struct hf_pace *pace, uint64_t now_ns);

/* Call when the server has received the status. The next heartbeat comes after `interval_ns`, plus or minus up to 10 %
 * at random. */
void hf_pace_delivered(struct hf_pace *pace, uint64_t interval_ns, const struct hf_rand_ops *rng, uint64_t now_ns);

/* Call instead of hf_pace_delivered() when the status waits in the outbox for contact. Heartbeats continue. */
void hf_pace_parked(struct hf_pace *pace, uint64_t interval_ns, const struct hf_rand_ops *rng, uint64_t now_ns);

/* Call when the write failed. The next write is due `delay_ns` from now at the earliest, and may take the last
 * token. */
void hf_pace_failed(struct hf_pace *pace, uint64_t delay_ns, uint64_t now_ns);

/* Call when the server is reachable again. Ends the back-off, but no write is due before `delay_ns` has passed. Choose
 * `delay_ns` at random, to spread the writes of a fleet. */
void hf_pace_retry(struct hf_pace *pace, uint64_t delay_ns, uint64_t now_ns);
