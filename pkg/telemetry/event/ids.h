/* telemetry/event/ids.h - remembers the names accepted last, which are ids of events and keys of batches.
 *
 * Keeps 64-bit SipHash-2-4 fingerprints (Aumasson and Bernstein, 2012) under a key that is random at every start. So
 * nobody can choose an id whose fingerprint equals that of another id. After a restart the agent fills the window again
 * from the lines on disk (hf_outlet_recent()), so it need not store the key. Memory grows with use, up to 16 bytes for
 * each name. The probability that a new name collides with a name in the window is max / 2^64.
 *
 * Threads: loop thread only. No clock, no file. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/rand.h"

enum { HF_IDS_MAX = 65536 };

enum hf_id_kind { HF_ID_EVENT, HF_ID_BATCH, HF_ID_SINK }; /* names of different kinds never match */

struct hf_ids;

/* Makes a window of up to `max` names (0 means HF_IDS_MAX). NULL on OOM. */
struct hf_ids *hf_ids_new(size_t max, const struct hf_rand_ops *rng);
void hf_ids_free(struct hf_ids *ids);
HF_DEFINE_CLEANUP(struct hf_ids, hf_ids_free)

bool hf_ids_contains(const struct hf_ids *ids, enum hf_id_kind kind, struct hf_view name);
/* Adds a name. 1: the name is new and now in the window, and the oldest name may have left the window. 0: the name was
 * in the window already. -ENOMEM: the name is not in the window. */
HF_MUST_USE int hf_ids_add(struct hf_ids *ids, enum hf_id_kind kind, struct hf_view name);
/* Removes a name, if the window contains it. Call this if an event or batch could not be stored, so that its sender can
 * send it again. */
void hf_ids_forget(struct hf_ids *ids, enum hf_id_kind kind, struct hf_view name);
/* These functions compute a fingerprint, and look up, add and remove by fingerprint, for callers that keep the
 * fingerprint instead of the name. */
uint64_t hf_ids_fingerprint(const struct hf_ids *ids, enum hf_id_kind kind, struct hf_view name);
bool hf_ids_contains_fingerprint(const struct hf_ids *ids, uint64_t fingerprint);
HF_MUST_USE int hf_ids_add_fingerprint(struct hf_ids *ids, uint64_t fingerprint);
void hf_ids_forget_fingerprint(struct hf_ids *ids, uint64_t fingerprint);
size_t hf_ids_count(const struct hf_ids *ids);

/* ---- batches of other agents ------------------------------------------------------------------------------------- */

enum { HF_BATCH_KEY_TEXT = 384 };

/* "<node>/<stream>/<first>-<last>", plus "/logs" or "/metrics" if a batch leaves in two requests. */
struct hf_batch_key {
    struct hf_view node, stream, part; /* part: "" if the batch is one request */
    uint64_t first, last;
};
/* Formats the key of a batch into `text`; returns `text`. `part` may be NULL. */
const char *hf_ids_batch_key_format(const char *node, const char *stream, uint64_t first, uint64_t last,
                                    const char *part, char text[HF_BATCH_KEY_TEXT]);
/* Splits a key into views of `text`. -EBADMSG: `text` has another form; the window accepts it all the same. */
HF_MUST_USE int hf_ids_batch_key_parse(struct hf_view text, struct hf_batch_key *ret_key);
