/* SPDX-License-Identifier: Apache-2.0 */
/* Events on their way to disk, in order. If an event is offered again meanwhile, its receipt waits for all events
 * accepted before. */
#pragma once

#include "telemetry/event/intake.h"

enum { HF_PENDING_MAX = 16384 };

struct hf_pending;

struct hf_pending_params {
    /* The event was not stored, so its id must be removed. Bit i of `kept`: share i was stored. */
    void (*lost)(void *arg, uint64_t fingerprint, uint32_t kept);
    /* Whether the id is still accepted; called before a receipt of hf_pending_follow() is released. */
    bool (*known)(void *arg, uint64_t fingerprint);
    void (*idle)(void *arg);
    void *arg;
};

struct hf_pending *hf_pending_new(const struct hf_pending_params *params);
/* Afterwards release no receipt of the table. */
void hf_pending_free(struct hf_pending *pending);
HF_DEFINE_CLEANUP(struct hf_pending, hf_pending_free)

/* Adds an event. Its receipt has one hold, the caller's, and holds `outer`. NULL: HF_PENDING_MAX events wait, or no
 * memory. */
struct hf_receipt *hf_pending_begin(struct hf_pending *pending, uint64_t fingerprint, struct hf_receipt *outer);

/* Returns a receipt for one of several sinks, `which` 0..31, with one hold, the caller's. It holds `whole` until it
 * settles. */
struct hf_receipt *hf_pending_share(struct hf_pending *pending, struct hf_receipt *whole, unsigned which);

/* Holds `receipt` until all present events have settled, and releases it with 0, or with -EIO if the id is not accepted
 * any more. */
HF_MUST_USE int hf_pending_follow(struct hf_pending *pending, uint64_t fingerprint, struct hf_receipt *receipt);

size_t hf_pending_count(const struct hf_pending *pending);
