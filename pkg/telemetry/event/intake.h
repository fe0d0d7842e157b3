/* SPDX-License-Identifier: Apache-2.0 */
/* How sources offer events, with receipts for when they are durable.
 *
 * A receipt is for one piece of input (a request's body, a run of lines). Its source and each event to be stored
 * hold it; it settles when all release it.
 *
 *     receipt = (struct hf_receipt){.settled = settled}; hf_receipt_hold(receipt);
 *     for each event: r = intake->offer(intake->ctx, &event, receipt);
 *     hf_receipt_release(receipt, 0);      -> settled(receipt) now or later, once */
#pragma once

#include "telemetry/event/event.h"

struct hf_receipt {
    void (*settled)(struct hf_receipt *receipt); /* called once */
    uint32_t open;
    int r; /* first error, or 0 */
};
static inline void hf_receipt_hold(struct hf_receipt *receipt)
{
    if (receipt != NULL)
        receipt->open++;
}
static inline void hf_receipt_release(struct hf_receipt *receipt, int r)
{
    if (receipt == NULL)
        return;
    if (r < 0 && receipt->r == 0)
        receipt->r = r;
    if (--receipt->open == 0)
        receipt->settled(receipt);
}

enum hf_offer {
    HF_OFFER_STORED, /* the receipt is held until the event is durable or failed */
    HF_OFFER_DUPLICATE,
    /* Dropped by a filter of the policy, for want of a sink or series, or because a newer payload of its key has
     * passed. */
    HF_OFFER_FILTERED,
    HF_OFFER_AGGREGATED,       /* part of a window, not stored */
    HF_OFFER_REFUSED_BOUNDARY, /* no sink has the event's boundary */
};

struct hf_intake {
    void *ctx;
    /* Returns enum hf_offer or -errno. -EAGAIN: not now, offer it again at resume(). -E2BIG: it can never be stored.
     * After other errors a later offer may succeed. */
    int (*offer)(void *ctx, const struct hf_event *event, struct hf_receipt *receipt);
    /* Returns why the last offer got -EAGAIN. 0: everyone must wait; -EDQUOT: the owner used its share of a queue;
     * -ENODEV: a sink is unusable, as text[n] says. May be NULL. */
    int (*blocked)(void *ctx, char *text, size_t n);
};
