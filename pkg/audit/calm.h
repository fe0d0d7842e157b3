/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps floods of events out of the audit log. Pure, but allocates. */
#pragma once

#include "audit/entry.h"
#include "base/bucket.h"

enum { HF_AUDIT_SLOTS = 32, HF_AUDIT_BURST = 256 };

#define HF_AUDIT_WINDOW_NS (3600 * HF_NS_PER_S)
#define HF_AUDIT_REFILL_NS (300 * HF_NS_PER_S)

struct hf_audit_calm {
    struct {
        struct hf_audit_event *event; /* newest of equal ones; NULL: free */
        uint64_t since_ns;            /* last entry about them */
        uint64_t more;                /* events since then */
    } slots[HF_AUDIT_SLOTS];
    struct hf_bucket bucket;
};

enum hf_audit_verdict { HF_AUDIT_WRITE, HF_AUDIT_COUNTED, HF_AUDIT_LOST };

void hf_audit_calm_done(struct hf_audit_calm *calm);

/* Without memory or a free slot it counts no equal events: each is written or lost. */
enum hf_audit_verdict hf_audit_calm_see(struct hf_audit_calm *calm, const struct hf_audit_event *event,
                                        uint64_t now_ns);

/* When hf_audit_calm_take() has events, or HF_NEVER. */
uint64_t hf_audit_calm_due_ns(const struct hf_audit_calm *calm);

/* Takes the events of a slot whose hour ended (now_ns HF_NEVER: any slot). Returns how many, 0: none; *ret_event: the
 * newest. */
uint64_t hf_audit_calm_take(struct hf_audit_calm *calm, uint64_t now_ns, struct hf_audit_event *ret_event);
