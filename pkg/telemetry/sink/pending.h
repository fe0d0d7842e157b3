/* telemetry/sink/pending.h - what was taken and is not on disk yet, in the order it was taken. Pure bookkeeping.
 *
 * Each event on its way has an entry whose receipt the outlets hold. An event that is offered again meanwhile must not be called safe
 * before the first one is: its receipt follows, and settles when everything taken before it has. Entries come from a free list that
 * grows with need up to HF_PENDING_MAX: no allocation per event in steady state. Loop thread only. */
#pragma once

#include "telemetry/event/intake.h"

enum { HF_PENDING_MAX = 16384 };

struct hf_pending;

struct hf_pending_params {
    /* The event with this mark could not be stored: it is not known any more. `kept`: the shares that could (bit `which`). */
    void (*lost)(void *arg, uint64_t mark, uint32_t kept);
    /* Is it (still) known? Asked for followers when their turn comes. */
    bool (*known)(void *arg, uint64_t mark);
    void (*idle)(void *arg); /* nothing is on its way any more */
    void *arg;
};

struct hf_pending *hf_pending_new(const struct hf_pending_params *params); /* NULL on OOM */
/* Receipts that are still out must not be released afterwards. */
void hf_pending_free(struct hf_pending *pending);
HF_DEFINE_CLEANUP(struct hf_pending, hf_pending_free)

/* A receipt, held once, for one event to be stored: `outer` (may be NULL) is held until it settles. NULL: HF_PENDING_MAX are on their way, or OOM.
 * `mark`: fingerprint of its id. */
struct hf_receipt *hf_pending_begin(struct hf_pending *pending, uint64_t mark, struct hf_receipt *outer);

/* A share of `whole` (which hf_pending_begin() made), held once, for one of those that must all keep the event; which: 0..31. It holds
 * the whole until it settles. NULL: OOM. */
struct hf_receipt *hf_pending_share(struct hf_pending *pending, struct hf_receipt *whole, unsigned which);

/* `receipt` (held until then) settles when everything begun so far has: 0, or -EIO when `mark` is not known then. -ENOMEM. */
HF_MUST_USE int hf_pending_follow(struct hf_pending *pending, uint64_t mark, struct hf_receipt *receipt);

size_t hf_pending_count(const struct hf_pending *pending);
