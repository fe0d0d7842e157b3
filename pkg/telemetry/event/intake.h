/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/event/intake.h - the interface to which sources offer events, and the receipts that report when events are
 * durable.
 *
 * A receipt stands for the events from one piece of a source's input, which is the body of a request or a run of lines.
 * The source holds the receipt. Each event of the piece also holds it, if the event will be stored. The receipt settles
 * when the source has released the receipt and each of these events is durable or could not be stored. Filtered events
 * do not hold a receipt.
 *
 *     receipt = (struct hf_receipt){.settled = settled}; hf_receipt_hold(receipt);
 *     for each event: r = intake->offer(intake->ctx, &event, receipt);
 *     hf_receipt_release(receipt, 0);      -> settled(receipt) now or later, once
 *
 * Threads: loop thread only. */
#pragma once

#include "telemetry/event/event.h"

struct hf_receipt {
    /* Called once, when nobody holds the receipt any more. receipt->r is then 0 if all events of the receipt are
     * durable, or negative if an event could not be stored. */
    void (*settled)(struct hf_receipt *receipt);
    uint32_t open; /* number of holds that are not yet released */
    int r;         /* first failure to store an event, as -errno; 0 if there was none */
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

/* The result of offering an event to the intake. */
enum hf_offer {
    /* the event is on its way to disk, and holds the receipt until it is durable or could not be stored */
    HF_OFFER_STORED,
    HF_OFFER_DUPLICATE, /* the intake accepted an event with this id before */
    /* the policy's minSeverity, drop, sample or rateLimit dropped the event; or no sink takes the event; or a newer
     * payload with the same key has passed already; or the event is a metric that the pipeline must aggregate, but its
     * value is not finite or the table of series is full */
    HF_OFFER_FILTERED,
    HF_OFFER_AGGREGATED, /* the event's value went into the aggregate of its window; the event itself is not stored */
    /* no sink has the event's compliance boundary; findings report such refusals (pipeline/boundary.h) */
    HF_OFFER_REFUSED_BOUNDARY,
};

struct hf_intake {
    void *ctx;
    /* Offers an event, which is borrowed during the call. Returns enum hf_offer, or -errno. -EAGAIN: the queue of a
     * sink has no room now, a sink cannot be used, the settings are changing, or memory ran out; offer the event again
     * when the source's resume() is called. -E2BIG: the event is too large and can never be stored. After another
     * error, such as -ENOMEM, a later offer may succeed. */
    int (*offer)(void *ctx, const struct hf_event *event, struct hf_receipt *receipt);
    /* Explains the last -EAGAIN of offer(). Returns 0 if the cause was a lack of room for everybody. Returns -EDQUOT
     * if the owner of the event has taken its share of a queue, and -ENODEV if a sink cannot be used; text[n] then
     * receives the reason, without characters that JSON must escape. The pointer may be NULL, which stands for
     * a function that returns 0. */
    int (*blocked)(void *ctx, char *text, size_t n);
};
