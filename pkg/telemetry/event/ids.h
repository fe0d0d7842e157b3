/* telemetry/event/ids.h - remembers the names that the agent has accepted most recently. A name is the id of an event
 * or the key of a batch.
 *
 * The window keeps 64-bit SipHash-2-4 fingerprints of the names (Aumasson and Bernstein, 2012). The key of the hash is
 * random at every start, so that nobody can choose an id whose fingerprint equals that of another id. After a restart
 * the agent fills the window again from the lines on disk (hf_outlet_recent()), so it need not store the key. The
 * memory grows with use, up to 16 bytes for each of the `max` names that fit into the window (hf_ids_new()). The
 * probability that a new name collides with a name in the window is at most `max` / 2^64.
 *
 * Threads: loop thread only. The window uses no clock and no file. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/rand.h"

enum { HF_IDS_MAX = 65536 };

/* The kind of a name: the id of an event, the key of a batch, or the name of a sink. Two names match only if they have
 * the same kind. The name of a sink serves only to compute a fingerprint (sink/fanout.c), and is never in the window
 * itself. */
enum hf_id_kind { HF_ID_EVENT, HF_ID_BATCH, HF_ID_SINK };

struct hf_ids;

/* Makes a window for the `max` most recent names (0 means HF_IDS_MAX). Returns NULL if memory runs out. */
struct hf_ids *hf_ids_new(size_t max, const struct hf_rand_ops *rng);
void hf_ids_free(struct hf_ids *ids);
HF_DEFINE_CLEANUP(struct hf_ids, hf_ids_free)

bool hf_ids_contains(const struct hf_ids *ids, enum hf_id_kind kind, struct hf_view name);
/* Adds a name. Returns 1 if the name was not in the window; the function has then added it, and has removed the oldest
 * name if the window was full or had no memory to grow. Returns 0 if the window contained the name already. Returns
 * -ENOMEM if there is no memory even for the first name; the name is then not in the window. */
HF_MUST_USE int hf_ids_add(struct hf_ids *ids, enum hf_id_kind kind, struct hf_view name);
/* Removes a name from the window, if the window contains it. Call this function if the event or batch with this name
 * could not be stored, so that its sender can send it again. */
void hf_ids_forget(struct hf_ids *ids, enum hf_id_kind kind, struct hf_view name);
/* The next four functions compute the fingerprint of a name, and look up, add and remove a name by its fingerprint.
 * They are for callers that keep only the fingerprint. */
uint64_t hf_ids_fingerprint(const struct hf_ids *ids, enum hf_id_kind kind, struct hf_view name);
bool hf_ids_contains_fingerprint(const struct hf_ids *ids, uint64_t fingerprint);
HF_MUST_USE int hf_ids_add_fingerprint(struct hf_ids *ids, uint64_t fingerprint);
void hf_ids_forget_fingerprint(struct hf_ids *ids, uint64_t fingerprint);
size_t hf_ids_count(const struct hf_ids *ids);

/* ---- batches of other agents ------------------------------------------------------------------------------------- */

enum { HF_BATCH_KEY_TEXT = 384 };

/* The parts of a batch's key. A key has the form "<node>/<stream>/<first>-<last>". In the sink format `otlp`, "/logs"
 * or "/metrics" follows. */
struct hf_batch_key {
    struct hf_view node, stream, part; /* views into the key; `part` is empty unless the sink format is `otlp` */
    uint64_t first, last;
};
/* Formats the key of a batch into `text`, and returns `text`. `part` may be NULL. */
const char *hf_ids_batch_key_format(const char *node, const char *stream, uint64_t first, uint64_t last,
                                    const char *part, char text[HF_BATCH_KEY_TEXT]);
/* Splits the key `text` into its parts, which are views into `text`. Returns -EBADMSG if the key has another form; such
 * a key can still be a name in the window. */
HF_MUST_USE int hf_ids_batch_key_parse(struct hf_view text, struct hf_batch_key *ret_key);
