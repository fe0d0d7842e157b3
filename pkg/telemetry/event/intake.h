/* telemetry/event/intake.h - sources offer events here and learn when they are durable.
 *
 * A receipt covers one piece of a source's work: the body of a request, or a run of lines. Each event that will be
 * stored keeps its receipt open; the receipt closes when the last of them survives a power cut (or failed). Filtered
 * events do not hold it open.
 *
 *     receipt = (struct hf_receipt){.settled = settled}; hf_receipt_hold(receipt);
 *     for each event: r = intake->offer(intake->ctx, &event, receipt);
 *     hf_receipt_release(receipt, 0);      -> settled(receipt) now or later, once
 *
 * Threads: loop thread only. */
#pragma once

#include "telemetry/event/event.h"

struct hf_receipt {
    /* called once: all its events are durable (r is 0), or one failed (r < 0) */
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
    HF_OFFER_STORED,    /* the event is on its way to disk: the receipt reports when it is there */
    HF_OFFER_DUPLICATE, /* an event with this id was accepted before */
    HF_OFFER_FILTERED,  /* dropped by minSeverity, drop, sample or rateLimit */
    HF_OFFER_AGGREGATED,
    HF_OFFER_REFUSED_BOUNDARY, /* no sink has the event's boundary; an audit event records that */
};

struct hf_intake {
    void *ctx;
    /* Returns enum hf_offer or -errno. -EAGAIN: full or busy (Block), offer the same event again after the source's
     * resume(); -E2BIG: it can never be stored; other errors come from the store. Borrows the event during the call. */
    int (*offer)(void *ctx, const struct hf_event *event, struct hf_receipt *receipt);
    /* After -EAGAIN: true if the cause is a sink that cannot be used, not a lack of room. text[n] then holds its name
     * and the reason, without quotes or control characters that JSON would escape. NULL: never. */
    bool (*blocked)(void *ctx, char *text, size_t n);
};
