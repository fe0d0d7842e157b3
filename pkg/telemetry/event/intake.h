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
    void (*settled)(struct hf_receipt *receipt); /* once */
    uint32_t open;
    int r; /* first failure, -errno */
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
    HF_OFFER_STORED,    /* holds the receipt until durable or failed */
    HF_OFFER_DUPLICATE, /* by id */
    /* By minSeverity, drop, sample, rateLimit; no sink; a newer payload of the key; for an aggregate not finite, or no
     * room for its series. */
    HF_OFFER_FILTERED,
    HF_OFFER_AGGREGATED,       /* in a window, not stored */
    HF_OFFER_REFUSED_BOUNDARY, /* no sink has it (pipeline/boundary.h) */
};

struct hf_intake {
    void *ctx;
    /* enum hf_offer, or -errno. -EAGAIN: a full queue, an unusable sink, changing settings, no memory: offer it again
     * at resume(). -E2BIG: never storable. Others, such as -ENOMEM: a later offer may succeed. */
    int (*offer)(void *ctx, const struct hf_event *event, struct hf_receipt *receipt);
    /* The last -EAGAIN's cause: 0: no room for anyone; -EDQUOT: the owner used its share of a queue; -ENODEV: an
     * unusable sink, why in text[n], safe in JSON. NULL: always 0. */
    int (*blocked)(void *ctx, char *text, size_t n);
};
