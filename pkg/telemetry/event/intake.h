/* telemetry/event/intake.h - where sources put events, and how they learn that these are safe.
 *
 * A receipt stands for a piece of work of a source: the body of a request, a run of lines. Each event offered with it that will be
 * stored keeps it open; it closes when the last of them survives a power cut (or failed). Filtered events do not hold it.
 *
 *     receipt = (struct hf_receipt){.settled = settled}; hf_receipt_hold(receipt);
 *     for each event: r = intake->offer(intake->ctx, &event, receipt);
 *     hf_receipt_release(receipt, 0);      -> settled(receipt) now or later, once
 *
 * Loop thread only. */
#pragma once

#include "telemetry/event/event.h"

struct hf_receipt {
    void (*settled)(struct hf_receipt *receipt); /* every event of it is durable (r 0) or one was not (r < 0) */
    uint32_t open;
    int r; /* first failure */
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

/* What became of an event that was offered. */
enum hf_offer {
    HF_OFFER_STORED,    /* on its way to disk: the receipt tells */
    HF_OFFER_DUPLICATE, /* its id is known: accepted before */
    HF_OFFER_FILTERED,  /* by minSeverity, drop, sample or rate limit */
    HF_OFFER_AGGREGATED,
    HF_OFFER_REFUSED_BOUNDARY, /* no sink of its boundary; audited */
};

struct hf_intake {
    void *ctx;
    /* enum hf_offer, or -EAGAIN: full or busy (Block): offer the same event again after `resume` of the source; -E2BIG: can never
     * be stored; -errno of the store. The event is borrowed during the call. */
    int (*offer)(void *ctx, const struct hf_event *event, struct hf_receipt *receipt);
    /* After -EAGAIN: is it a sink that cannot be used, not room? Then its name and why are in text[n], without quotes or control
     * characters that JSON would need escaped. NULL: never. */
    bool (*blocked)(void *ctx, char *text, size_t n);
};
