/* telemetry/event/ids.h - what was accepted lately, and which of two writers is newer.
 *
 * A window over the last `max` names (ids of events, keys of batches): 64-bit SipHash-2-4 fingerprints (Aumasson and Bernstein, 2012)
 * under a key that is random at every start, so that nobody can choose an id that hides another one. It is filled again after a
 * restart from the lines that are still on disk (hf_outlet_recent), so the key need not be kept. Memory grows with what is in it, up
 * to 16 bytes for each name. Two different names are taken for one with a chance of max / 2^64. No clock, no file; loop thread only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/rand.h"

enum { HF_IDS_MAX = 65536 };

enum hf_id_kind { HF_ID_EVENT, HF_ID_BATCH, HF_ID_SINK }; /* names of one kind are never taken for those of the other */

struct hf_ids;

/* max: 0 for HF_IDS_MAX. NULL on OOM. */
struct hf_ids *hf_ids_new(size_t max, const struct hf_rand_ops *rng);
void hf_ids_free(struct hf_ids *ids);
HF_DEFINE_CLEANUP(struct hf_ids, hf_ids_free)

bool hf_ids_known(const struct hf_ids *ids, enum hf_id_kind kind, struct hf_view name);
/* 1: new, and known from now on (the oldest may be forgotten for it); 0: known already; -ENOMEM: not remembered. */
HF_MUST_USE int hf_ids_add(struct hf_ids *ids, enum hf_id_kind kind, struct hf_view name);
/* It could not be stored after all: the next one with this name is welcome. Absent is fine. */
void hf_ids_forget(struct hf_ids *ids, enum hf_id_kind kind, struct hf_view name);
/* The same by fingerprint, where the name is not at hand any more. */
uint64_t hf_ids_fingerprint(const struct hf_ids *ids, enum hf_id_kind kind, struct hf_view name);
bool hf_ids_known_fingerprint(const struct hf_ids *ids, uint64_t mark);
HF_MUST_USE int hf_ids_add_fingerprint(struct hf_ids *ids, uint64_t mark);
void hf_ids_forget_fingerprint(struct hf_ids *ids, uint64_t mark);
size_t hf_ids_count(const struct hf_ids *ids);

/* ---- batches of other agents ------------------------------------------------------------------------------------- */

enum { HF_BATCH_KEY_TEXT = 384 };

/* "<node>/<stream>/<first>-<last>", with "/logs" or "/metrics" behind it where a batch goes in two requests. */
struct hf_batch_key {
    struct hf_view node, stream, part; /* part: "" when whole */
    uint64_t first, last;
};
/* Returns text. `part` may be NULL. */
const char *hf_ids_batch_key_format(const char *node, const char *stream, uint64_t first, uint64_t last,
                                    const char *part, char text[HF_BATCH_KEY_TEXT]);
/* Views into text. -EBADMSG: not of this form (still good as a name in the window). */
HF_MUST_USE int hf_ids_batch_key_parse(struct hf_view text, struct hf_batch_key *ret_key);
