/* SPDX-License-Identifier: Apache-2.0 */
/* Events on their way to disk, in order. The receipt of one offered again meanwhile waits for all accepted before. Owns
 * entries, not receipts passed in. */
#pragma once

#include "telemetry/event/intake.h"

enum { HF_PENDING_MAX = 16384 };

struct hf_pending;

struct hf_pending_params {
    /* Not stored: remove its id. Bit i of `kept`: share i was. */
    void (*lost)(void *arg, uint64_t fingerprint, uint32_t kept);
    /* Is the id still accepted? Before hf_pending_follow()'s receipts are released. */
    bool (*known)(void *arg, uint64_t fingerprint);
    void (*idle)(void *arg);
    void *arg;
};

struct hf_pending *hf_pending_new(const struct hf_pending_params *params);
/* Release no receipt of the table afterwards. */
void hf_pending_free(struct hf_pending *pending);
HF_DEFINE_CLEANUP(struct hf_pending, hf_pending_free)

/* The caller holds the receipt, which holds `outer` (may be NULL). NULL: HF_PENDING_MAX, or no memory. */
struct hf_receipt *hf_pending_begin(struct hf_pending *pending, uint64_t fingerprint, struct hf_receipt *outer);

/* For one of several sinks, `which` 0..31: a receipt with one hold of the caller's; holds `whole` until it settles. */
struct hf_receipt *hf_pending_share(struct hf_pending *pending, struct hf_receipt *whole, unsigned which);

/* Holds `receipt` (may be NULL) until all present have settled; then 0, or -EIO if the id is not accepted any more.
 * None present: not held. */
HF_MUST_USE int hf_pending_follow(struct hf_pending *pending, uint64_t fingerprint, struct hf_receipt *receipt);

size_t hf_pending_count(const struct hf_pending *pending);
