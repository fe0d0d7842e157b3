/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/pending.h - the events on their way to disk, in order of acceptance.
 *
 * An event offered again meanwhile must not be acknowledged before it is durable: the table holds that receipt until
 * all events accepted before it have settled. Threads: loop thread only. Owns its entries, not the receipts passed
 * in. */
#pragma once

#include "telemetry/event/intake.h"

enum { HF_PENDING_MAX = 16384 };

struct hf_pending;

struct hf_pending_params {
    /* A sink failed to store the event: remove its id. Bit i of `kept`: share i stored it. */
    void (*lost)(void *arg, uint64_t fingerprint, uint32_t kept);
    /* Is the id still accepted? Asked before a receipt of hf_pending_follow() is released. */
    bool (*known)(void *arg, uint64_t fingerprint);
    void (*idle)(void *arg);
    void *arg;
};

struct hf_pending *hf_pending_new(const struct hf_pending_params *params);
/* No receipt of the table may be released afterwards. */
void hf_pending_free(struct hf_pending *pending);
HF_DEFINE_CLEANUP(struct hf_pending, hf_pending_free)

/* A new receipt with one hold of the caller's; holds `outer` (may be NULL) until it settles. NULL: HF_PENDING_MAX
 * reached or no memory. */
struct hf_receipt *hf_pending_begin(struct hf_pending *pending, uint64_t fingerprint, struct hf_receipt *outer);

/* For one of several sinks, `which` 0..31: a receipt (share) with one hold of the caller's, which holds `whole` until
 * it settles. NULL: no memory. */
struct hf_receipt *hf_pending_share(struct hf_pending *pending, struct hf_receipt *whole, unsigned which);

/* Holds `receipt` (may be NULL) until all present events have settled; then releases it with 0, or -EIO if the id is no
 * longer accepted. Does not hold it if the table is empty. -ENOMEM. */
HF_MUST_USE int hf_pending_follow(struct hf_pending *pending, uint64_t fingerprint, struct hf_receipt *receipt);

size_t hf_pending_count(const struct hf_pending *pending);
