/* sync/pace.h - when to write a status: at once after a change, then at most once in 10 s, and as a heartbeat. Pure.
 *
 * A bucket of two tokens gets one token every gap. An ordinary change (an update begins, its phase changes) leaves
 * the last token; an urgent one (an outcome) may take it. So a status reports the end of an update at once although
 * its beginning was a second ago, and the mean rate stays one write in a gap. A write waits HF_PACE_GATHER_NS after
 * a change, to include further changes. At most one write is in flight. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/rand.h"

#define HF_PACE_GAP_NS (10 * HF_NS_PER_S) /* minimum gap for an API server, to which ten thousand nodes write */
#define HF_PACE_GATHER_NS (100 * HF_NS_PER_MS)

enum { HF_PACE_TOKENS = 2 };

struct hf_pace {
    uint64_t gap_ns;
    uint64_t tokens_at_ns; /* the bucket had `tokens` at this time */
    unsigned tokens;
    bool changed, urgent;
    uint64_t changed_at_ns;
    bool writing;           /* a write is in flight */
    uint64_t heartbeat_ns;  /* time of the next heartbeat; HF_NEVER: before the first delivery */
    uint64_t not_before_ns; /* end of the back-off after a failure */
};

void hf_pace_init(struct hf_pace *pace, uint64_t gap_ns, uint64_t now_ns);
/* Notes a change that a status must report. */
void hf_pace_changed(struct hf_pace *pace, bool urgent, uint64_t now_ns);

/* Returns when to write next; HF_NEVER: there is nothing to write, or a write is in flight. A time in the past means
 * now. */
uint64_t hf_pace_due_ns(const struct hf_pace *pace);

/* Call when a write has started. */
void hf_pace_started(struct hf_pace *pace, uint64_t now_ns);

/* Call when the server has the status. The next heartbeat comes after `interval_ns`, 10 % more or less. */
void hf_pace_delivered(struct hf_pace *pace, uint64_t interval_ns, const struct hf_rand_ops *rng, uint64_t now_ns);

/* Call when the status waits in the outbox for contact. Heartbeats continue. */
void hf_pace_parked(struct hf_pace *pace, uint64_t interval_ns, const struct hf_rand_ops *rng, uint64_t now_ns);

/* Call when the write failed: the next write is due `delay_ns` from now at the earliest. */
void hf_pace_failed(struct hf_pace *pace, uint64_t delay_ns, uint64_t now_ns);

/* Call when the server is in reach again: ends the back-off, and the next write is due after `delay_ns`, which
 * spreads the writes of a fleet. */
void hf_pace_retry(struct hf_pace *pace, uint64_t delay_ns, uint64_t now_ns);
