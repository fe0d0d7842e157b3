/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/event/newest.h - knows if a newer payload of the same key and owner has already passed through the node.
 *
 * A payload with a key describes a state. The table holds up to HF_NEWEST_MAX keys; after a restart, or for a key that
 * fell out, an older one may pass, and the receiver drops it by hf_newest_wins(). Pure. Threads: any, one at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/rand.h"

enum { HF_NEWEST_MAX = 4096, HF_NEWEST_NODE = 64 };

/* `sequence` orders the writes of one node (an entry of a vector clock); 0: unknown. */
struct hf_newest_version {
    uint64_t unix_ns;
    struct hf_view node;
    uint64_t sequence;
};
/* By sequence if the same node wrote both and neither is 0 (its clock may jump); otherwise by time, node name,
 * sequence: the same on every node in any order of arrival. False if equal. */
bool hf_newest_wins(const struct hf_newest_version *a, const struct hf_newest_version *b);

struct hf_newest;

/* An owner's payloads outdate only its own. */
struct hf_newest_key {
    uint64_t owner;
    struct hf_view text;
};

struct hf_newest *hf_newest_new(const struct hf_rand_ops *rng);
void hf_newest_free(struct hf_newest *newest);
HF_DEFINE_CLEANUP(struct hf_newest, hf_newest_free)

/* False if `version` itself is the newest that has passed, or the key is not in the table. */
bool hf_newest_superseded(const struct hf_newest *newest, const struct hf_newest_key *key,
                          const struct hf_newest_version *version);
/* Does nothing if memory runs out. */
void hf_newest_note(struct hf_newest *newest, const struct hf_newest_key *key, const struct hf_newest_version *version);
/* When a version has not passed after all. */
void hf_newest_clear(struct hf_newest *newest);
