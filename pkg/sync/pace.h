/* sync/pace.h - when to write status: at once on change, then at most once in 10 s, and as a heartbeat. Pure.
 *
 * A bucket of two tokens that fills by one every gap. An ordinary change (an update begins, a phase is passed through) leaves the
 * last token alone; an urgent one (an outcome) may take it, so that the end of an update is told at once although its beginning
 * was a second ago, while the mean rate stays one in a gap. Changes gather for HF_PACE_GATHER_NS. One write at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/rand.h"

#define HF_PACE_GAP_NS (10 * HF_NS_PER_S) /* an API server's: ten thousand nodes write to it */
#define HF_PACE_GATHER_NS (100 * HF_NS_PER_MS)

enum { HF_PACE_TOKENS = 2 };

struct hf_pace {
    uint64_t gap_ns;
    uint64_t tokens_at_ns; /* the bucket held `tokens` then */
    unsigned tokens;
    bool changed, urgent;
    uint64_t changed_at_ns;
    bool writing;           /* a write is on its way */
    uint64_t heartbeat_ns;  /* the next one; HF_NEVER before the first delivery */
    uint64_t not_before_ns; /* backoff after a failure */
};

void hf_pace_init(struct hf_pace *pace, uint64_t gap_ns, uint64_t now_ns);
void hf_pace_changed(struct hf_pace *pace, bool urgent, uint64_t now_ns);

/* When to write next; HF_NEVER when there is nothing to write or a write is on its way. In the past means now. */
uint64_t hf_pace_due_ns(const struct hf_pace *pace);

void hf_pace_started(struct hf_pace *pace, uint64_t now_ns);
/* `interval_ns` of the policy; the next heartbeat comes within 10 % around it. */
void hf_pace_delivered(struct hf_pace *pace, uint64_t interval_ns, const struct hf_rand_ops *rng, uint64_t now_ns);
/* It was put down where it waits for contact. The heartbeat goes on. */
void hf_pace_parked(struct hf_pace *pace, uint64_t interval_ns, const struct hf_rand_ops *rng, uint64_t now_ns);
/* Not delivered: to be written again, with whatever it says by then, not before `delay_ns` from now. */
void hf_pace_failed(struct hf_pace *pace, uint64_t delay_ns, uint64_t now_ns);
/* The peer is there again: forget the backoff, wait only `delay_ns` (spread over the fleet). */
void hf_pace_retry(struct hf_pace *pace, uint64_t delay_ns, uint64_t now_ns);
