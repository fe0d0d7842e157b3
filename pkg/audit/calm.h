/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps floods of events out of the audit log: counts equal events (of one kind that repeats, subject and
 * reason), and loses others beyond HF_AUDIT_BURST. Pure, but allocates. */
#pragma once

#include "audit/entry.h"
#include "base/bucket.h"

enum { HF_AUDIT_SLOTS = 32, HF_AUDIT_BURST = 256 };

#define HF_AUDIT_WINDOW_NS (3600 * HF_NS_PER_S)
#define HF_AUDIT_REFILL_NS (300 * HF_NS_PER_S)

struct hf_audit_calm {
    struct {
        struct hf_audit_event *event; /* the newest of equal events; NULL: the slot is free */
        uint64_t since_ns;            /* time of the last entry about them */
        uint64_t more;
    } slots[HF_AUDIT_SLOTS];
    struct hf_bucket bucket;
};

enum hf_audit_verdict { HF_AUDIT_WRITE, HF_AUDIT_COUNTED, HF_AUDIT_LOST };

void hf_audit_calm_done(struct hf_audit_calm *calm);

/* Decides about an event. Without memory or a free slot it counts none equal to this: each is written or lost. */
enum hf_audit_verdict hf_audit_calm_see(struct hf_audit_calm *calm, const struct hf_audit_event *event,
                                        uint64_t now_ns);

uint64_t hf_audit_calm_due_ns(const struct hf_audit_calm *calm);

/* Takes the events counted in a slot whose hour has ended (now_ns HF_NEVER: in any). Returns how many, 0: none;
 * *ret_event: the newest. */
uint64_t hf_audit_calm_take(struct hf_audit_calm *calm, uint64_t now_ns, struct hf_audit_event *ret_event);
