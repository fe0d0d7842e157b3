/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/event/ids.h - remembers the names that the agent has accepted most recently. A name is the id of an event
 * or the Idempotency-Key of a request.
 *
 * Two names are the same only if they have the same kind and the same owner (event.h), and for events the same origin.
 * There are two windows, one for the agent's own sources and one for all that is posted, so no sender can push out what
 * the agent needs to recognise after a crash.
 *
 * The windows keep 64-bit SipHash-2-4 fingerprints of the names (Aumasson and Bernstein, 2012). The key of the hash is
 * random at every start, so that nobody can choose a name whose fingerprint equals that of another one. After a restart
 * the agent fills the windows again from the lines on disk (hf_outlet_recent()), so it need not store the key. The
 * memory grows with use, up to 16 bytes for each of the `max` names that fit into a window (hf_ids_new()). The
 * probability that a new name collides with a name in its window is at most `max` / 2^63.
 *
 * Threads: loop thread only. The window uses no clock and no file. */
#pragma once

#include "base/rand.h"
#include "telemetry/event/event.h"

enum { HF_IDS_MAX = 65536 };

struct hf_ids;

/* Makes two windows for the `max` most recent names each (0 means HF_IDS_MAX). Returns NULL if memory runs out. */
struct hf_ids *hf_ids_new(size_t max, const struct hf_rand_ops *rng);
void hf_ids_free(struct hf_ids *ids);
HF_DEFINE_CLEANUP(struct hf_ids, hf_ids_free)

/* The fingerprints of the id of an event, of the Idempotency-Key of a request of this owner, and of the name of a sink.
 * That of a sink serves only to change other fingerprints (sink/fanout.c): its bit 0 is 0, so that these stay in their
 * windows. */
uint64_t hf_ids_of_event(const struct hf_ids *ids, const struct hf_event *event);
uint64_t hf_ids_of_request(const struct hf_ids *ids, uint64_t owner, struct hf_view key);
uint64_t hf_ids_of_sink(const struct hf_ids *ids, struct hf_view name);

bool hf_ids_contains(const struct hf_ids *ids, uint64_t fingerprint);
/* Adds a name. Returns 1 if the name was not in its window; the function has then added it, and has removed the oldest
 * name if the window was full or had no memory to grow. Returns 0 if the window contained the name already. Returns
 * -ENOMEM if there is no memory even for the first name; the name is then not in the window. */
HF_MUST_USE int hf_ids_add(struct hf_ids *ids, uint64_t fingerprint);
/* Removes a name from its window, if the window contains it. Call this function if the event or request with this name
 * could not be stored, so that its sender can send it again. */
void hf_ids_forget(struct hf_ids *ids, uint64_t fingerprint);
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
