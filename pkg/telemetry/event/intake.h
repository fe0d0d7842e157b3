/* telemetry/event/intake.h - the interface to which sources offer events, and the receipts that report when events are
 * durable.
 *
 * A receipt covers one piece of a source's work: the body of a request, or a run of lines. The source and each event
 * that will be stored hold the receipt. The receipt settles when the source has released it and every one of these
 * events is durable or has failed to be stored. Filtered events do not hold a receipt.
 *
 *     receipt = (struct hf_receipt){.settled = settled}; hf_receipt_hold(receipt);
 *     for each event: r = intake->offer(intake->ctx, &event, receipt);
 *     hf_receipt_release(receipt, 0);      -> settled(receipt) now or later, once
 *
 * Threads: loop thread only. */
#pragma once

#include "telemetry/event/event.h"

struct hf_receipt {
    /* called once, when nobody holds the receipt any more; r is 0 if all its events are durable, or negative if one
     * failed */
    void (*settled)(struct hf_receipt *receipt);
    uint32_t open;
    int r; /* the first failure */
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

/* The fate of an offered event. */
enum hf_offer {
    HF_OFFER_STORED,    /* the event is on its way to disk; the receipt settles after it is durable */
    HF_OFFER_DUPLICATE, /* an event with this id was accepted before */
    HF_OFFER_FILTERED,  /* dropped by minSeverity, drop, sample or rateLimit */
    HF_OFFER_AGGREGATED,
    HF_OFFER_REFUSED_BOUNDARY, /* no sink has the event's boundary; an audit event records that */
};

struct hf_intake {
    void *ctx;
    /* Offers an event; borrows the event during the call. Returns enum hf_offer or -errno. -EAGAIN: there is no room
     * now (Block); offer the event again after the call of the source's resume(). -E2BIG: the event can never be
     * stored. Other errors come from the store. */
    int (*offer)(void *ctx, const struct hf_event *event, struct hf_receipt *receipt);
    /* Call after -EAGAIN. Returns true if the cause is a sink that cannot be used, instead of a lack of room. text[n]
     * then holds the sink's name and the cause, without quotes or control characters that JSON would escape. May be
     * NULL, which means false. */
    bool (*blocked)(void *ctx, char *text, size_t n);
};
