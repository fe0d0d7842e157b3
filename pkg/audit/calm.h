/* SPDX-License-Identifier: Apache-2.0 */
/* audit/calm.h - keeps a flood of events from filling the audit log. Pure, but allocates. Threads: one at a time.
 *
 * Events are equal if kind, subject and reason are. Of a kind that repeats (audit/entry.h) the first is written; equal
 * ones of the next hour are counted, and one entry at its end has their number. All others take a token of a bucket, or
 * are lost. */
#pragma once

#include "audit/entry.h"

enum { HF_AUDIT_SLOTS = 32, HF_AUDIT_BURST = 256 };

#define HF_AUDIT_WINDOW_NS (3600 * HF_NS_PER_S)
#define HF_AUDIT_REFILL_NS (300 * HF_NS_PER_S)

struct hf_audit_calm {
    struct {
        struct hf_audit_event *event; /* the newest of the equal events; NULL if the slot is free */
        uint64_t since_ns;            /* of the last entry about them (monotonic) */
        uint64_t more;                /* equal events since */
    } slots[HF_AUDIT_SLOTS];
    uint64_t spent_ns; /* when the bucket is full again (monotonic); each token taken adds HF_AUDIT_REFILL_NS */
};

enum hf_audit_verdict { HF_AUDIT_WRITE, HF_AUDIT_COUNTED, HF_AUDIT_LOST };

void hf_audit_calm_done(struct hf_audit_calm *calm);

/* Without memory or a free slot, equal events are not counted: each is written. */
enum hf_audit_verdict hf_audit_calm_see(struct hf_audit_calm *calm, const struct hf_audit_event *event,
                                        uint64_t now_ns);

/* Monotonic time from which hf_audit_calm_take() has events, or HF_NEVER. */
uint64_t hf_audit_calm_due_ns(const struct hf_audit_calm *calm);

/* Takes the counted events of a slot whose hour has ended; with HF_NEVER every hour has. Returns their number, 0 if
 * there is none; *ret_event is the newest of them. */
uint64_t hf_audit_calm_take(struct hf_audit_calm *calm, uint64_t now_ns, struct hf_audit_event *ret_event);
