/* SPDX-License-Identifier: Apache-2.0 */
/* audit/calm.h - keeps a flood of events from filling the audit log. Pure, except that it allocates.
 *
 * Two events are equal if they have the same kind, subject and reason. If events of a kind that repeats (audit/entry.h)
 * are equal, the log gets the first event at once. Equal events in the next hour are only counted. When the hour ends,
 * the log gets one entry with their number. A token bucket limits all other entries: each takes one token. The bucket
 * holds at most HF_AUDIT_BURST tokens and gets one token per HF_AUDIT_REFILL_NS. If the bucket is empty, the caller
 * counts the event as lost. Threads: one at a time. */
#pragma once

#include "audit/entry.h"

enum { HF_AUDIT_SLOTS = 32, HF_AUDIT_BURST = 256 };

#define HF_AUDIT_WINDOW_NS (3600 * HF_NS_PER_S)
#define HF_AUDIT_REFILL_NS (300 * HF_NS_PER_S)

struct hf_audit_calm {
    struct {
        struct hf_audit_event *event; /* the newest of the equal events; NULL if the slot is free */
        uint64_t since_ns;            /* monotonic time of the last entry in the log about these events */
        uint64_t more;                /* number of equal events after that entry */
    } slots[HF_AUDIT_SLOTS];
    uint64_t spent_ns; /* monotonic time at which the bucket is full again; each token taken adds HF_AUDIT_REFILL_NS */
};

enum hf_audit_verdict { HF_AUDIT_WRITE, HF_AUDIT_COUNTED, HF_AUDIT_LOST };

void hf_audit_calm_done(struct hf_audit_calm *calm);

/* Decides if the log gets an event at the monotonic time `now_ns`. If memory runs out or no slot is free, the log does
 * not count equal events: each gets an entry of its own. */
enum hf_audit_verdict hf_audit_calm_see(struct hf_audit_calm *calm, const struct hf_audit_event *event,
                                        uint64_t now_ns);

/* Returns the monotonic time from which hf_audit_calm_take() has events, or HF_NEVER if no counted events wait. */
uint64_t hf_audit_calm_due_ns(const struct hf_audit_calm *calm);

/* Takes the counted events of one slot whose hour has ended at `now_ns`. If `now_ns` is HF_NEVER, every hour counts as
 * ended. Returns the number of these events, and sets *ret_event to the newest of them. Returns 0 if there is no such
 * slot. */
uint64_t hf_audit_calm_take(struct hf_audit_calm *calm, uint64_t now_ns, struct hf_audit_event *ret_event);
