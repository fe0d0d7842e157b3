/* telemetry/sink/pending.h - table of the events on their way to disk, in the order in which the node accepted them.
 *
 * Each such event has an entry, and the outlets hold the entry's receipt. A sender may offer an event again while the
 * event is still on its way to disk. The receipt of the second offer must not settle before the event is durable, so it
 * waits until every event that the node accepted before the second offer has settled. Entries come from a free list
 * that grows up to HF_PENDING_MAX, so a steady load allocates nothing.
 *
 * Threads: loop thread only.  Memory: the table owns its entries; the callers own the receipts that they pass in.
 * Pure: no clock, no file. */
#pragma once

#include "telemetry/event/intake.h"

enum { HF_PENDING_MAX = 16384 };

struct hf_pending;

struct hf_pending_params {
    /* Called when a sink failed to store the event with this fingerprint. The callee removes the event's id from the
     * accepted ids. Bit i of `kept` is set if share i settled with 0, which means that its sink stored the event. */
    void (*lost)(void *arg, uint64_t fingerprint, uint32_t kept);
    /* Returns true if the id with this fingerprint is still among the accepted ids. The table calls this right before
     * it settles a receipt of hf_pending_follow(). */
    bool (*known)(void *arg, uint64_t fingerprint);
    /* Called when no event is on its way to disk any more. */
    void (*idle)(void *arg);
    void *arg;
};

struct hf_pending *hf_pending_new(const struct hf_pending_params *params); /* NULL on OOM */
/* Frees the table. After this call nobody may release a receipt that came from the table. */
void hf_pending_free(struct hf_pending *pending);
HF_DEFINE_CLEANUP(struct hf_pending, hf_pending_free)

/* Adds the event whose id has this fingerprint. Returns a new receipt for the event, which the caller holds once. The
 * table holds `outer` (may be NULL) until the new receipt settles. Returns NULL if HF_PENDING_MAX events are on their
 * way to disk, or on OOM. */
struct hf_receipt *hf_pending_begin(struct hf_pending *pending, uint64_t fingerprint, struct hf_receipt *outer);

/* For an event that several sinks must store: returns a receipt for one of these sinks, called a share, which the
 * caller holds once. `whole` is the event's receipt from hf_pending_begin(), and `which` (0..31) is the number of the
 * share. The share holds `whole` until the share settles. NULL on OOM. */
struct hf_receipt *hf_pending_share(struct hf_pending *pending, struct hf_receipt *whole, unsigned which);

/* Holds `receipt` until all events added so far have settled. Then releases `receipt` with 0, or with -EIO if the id
 * with this fingerprint is no longer among the accepted ids. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_pending_follow(struct hf_pending *pending, uint64_t fingerprint, struct hf_receipt *receipt);

/* Returns the number of events on their way to disk. */
size_t hf_pending_count(const struct hf_pending *pending);
