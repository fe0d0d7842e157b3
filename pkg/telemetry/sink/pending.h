/* telemetry/sink/pending.h - the events on their way to disk, in the order in which the node accepted them.
 *
 * Each such event has an entry, and the outlets hold the entry's receipt. If a sender offers the event again meanwhile,
 * the second offer must not count as durable before the first one: its receipt follows, and settles after everything
 * accepted before it. Entries come from a free list that grows up to HF_PENDING_MAX, so a steady load allocates
 * nothing.
 *
 * Threads: loop thread only.  Memory: owns its entries; the callers own their receipts.  Pure: no clock, no file. */
#pragma once

#include "telemetry/event/intake.h"

enum { HF_PENDING_MAX = 16384 };

struct hf_pending;

struct hf_pending_params {
    /* Some sink failed to store the event with this fingerprint: forget its id. `kept`: bit i is set if share i settled
     * with 0. */
    void (*lost)(void *arg, uint64_t fingerprint, uint32_t kept);
    /* Returns true if the id is still recorded. The table calls this for a receipt that follows another one, before
     * it settles. */
    bool (*known)(void *arg, uint64_t fingerprint);
    /* Called when no event is on its way any more. */
    void (*idle)(void *arg);
    void *arg;
};

struct hf_pending *hf_pending_new(const struct hf_pending_params *params); /* NULL on OOM */
/* After this call nobody may release one of its receipts. */
void hf_pending_free(struct hf_pending *pending);
HF_DEFINE_CLEANUP(struct hf_pending, hf_pending_free)

/* Adds an event with the fingerprint of its id and returns a receipt, held once. Holds `outer` (may be NULL) until that
 * receipt settles. NULL: HF_PENDING_MAX events are on their way, or OOM. */
struct hf_receipt *hf_pending_begin(struct hf_pending *pending, uint64_t fingerprint, struct hf_receipt *outer);

/* Returns a share of `whole` (from hf_pending_begin()), held once, for one of several sinks that must all store the
 * event; which: 0..31. The share holds `whole` until it settles. NULL: OOM. */
struct hf_receipt *hf_pending_share(struct hf_pending *pending, struct hf_receipt *whole, unsigned which);

/* Holds `receipt` until everything begun so far has settled; it then settles with 0, or with -EIO if the fingerprint is
 * not recorded any more. -ENOMEM. */
HF_MUST_USE int hf_pending_follow(struct hf_pending *pending, uint64_t fingerprint, struct hf_receipt *receipt);

/* Returns the number of events on their way to disk. */
size_t hf_pending_count(const struct hf_pending *pending);
