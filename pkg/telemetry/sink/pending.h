/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/pending.h - table of the events on their way to disk, in the order in which the node accepted the
 * events.
 *
 * Each event on its way to disk has an entry, and the outlets hold the entry's receipt. A sender may offer an event
 * again while the event is still on its way to disk. The receipt of this second offer must not settle before the event
 * is durable. So the table holds that receipt until all events that the node accepted before the second offer have
 * settled. The table keeps some freed entries for later events, so a small steady load allocates no memory.
 *
 * Threads: loop thread only. Memory: the table owns its entries; the callers own the receipts that they pass in. The
 * table uses no clock and no file. */
#pragma once

#include "telemetry/event/intake.h"

enum { HF_PENDING_MAX = 16384 };

struct hf_pending;

struct hf_pending_params {
    /* Called when a sink failed to store the event whose id has this fingerprint. The function must remove the id from
     * the accepted ids. Bit i of `kept` is set if share i (hf_pending_share()) settled with 0, which means that the
     * sink of share i stored the event. */
    void (*lost)(void *arg, uint64_t fingerprint, uint32_t kept);
    /* Returns true if the id with this fingerprint is still among the accepted ids. The table calls this function right
     * before it releases a receipt of hf_pending_follow(). */
    bool (*known)(void *arg, uint64_t fingerprint);
    /* Called when no event is on its way to disk any more. */
    void (*idle)(void *arg);
    void *arg;
};

/* Makes an empty table. Returns NULL if memory runs out. */
struct hf_pending *hf_pending_new(const struct hf_pending_params *params);
/* Frees the table. After this call nobody may release a receipt that came from the table. */
void hf_pending_free(struct hf_pending *pending);
HF_DEFINE_CLEANUP(struct hf_pending, hf_pending_free)

/* Adds the event whose id has this fingerprint. Returns a new receipt for the event; the caller owns one hold of the
 * receipt and must release it. The table holds the receipt `outer` (may be NULL) until the new receipt settles. Returns
 * NULL if HF_PENDING_MAX events are on their way to disk, or if memory runs out. */
struct hf_receipt *hf_pending_begin(struct hf_pending *pending, uint64_t fingerprint, struct hf_receipt *outer);

/* Returns a receipt for one of several sinks that must store an event. This receipt is called a share; the caller owns
 * one hold of the share and must release it. `whole` is the event's receipt from hf_pending_begin(), and `which`
 * (0..31) is the number of the share. The share holds `whole` until the share settles. Returns NULL if memory runs
 * out. */
struct hf_receipt *hf_pending_share(struct hf_pending *pending, struct hf_receipt *whole, unsigned which);

/* Holds `receipt` (may be NULL) until all events that are in the table now have settled. Then releases `receipt` with
 * 0, or with -EIO if the id with this fingerprint is no longer among the accepted ids. Does not hold `receipt` if the
 * table is empty. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_pending_follow(struct hf_pending *pending, uint64_t fingerprint, struct hf_receipt *receipt);

/* Returns the number of events on their way to disk. */
size_t hf_pending_count(const struct hf_pending *pending);
