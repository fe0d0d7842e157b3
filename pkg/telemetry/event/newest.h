/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/event/newest.h - finds out if a payload with a key is outdated, because a newer payload with the same key
 * has already passed through the node. Pure.
 *
 * A payload with a key describes a state, and replaces earlier payloads with the same key and owner (event.h). For each
 * of up to HF_NEWEST_MAX keys, the table remembers the newest version that has passed. After a restart, or if the table
 * no longer contains the key, an older version may pass again; the receiver then drops it by the rule of
 * hf_newest_wins(). Threads: any, but only one at a time for one table. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/rand.h"

enum { HF_NEWEST_MAX = 4096, HF_NEWEST_NODE = 64 };

/* A version of a state: the time of the write, the node that wrote the state, and the sequence of the write on that
 * node (an entry of a vector clock; 0 means unknown). */
struct hf_newest_version {
    uint64_t unix_ns;
    struct hf_view node;
    uint64_t sequence;
};
/* Returns true if version `a` is newer than version `b`. If the same node wrote `a` and `b` and neither sequence is 0,
 * the version with the higher sequence is newer, because the node's clock may jump. Otherwise the version with the
 * later time is newer. If the times are equal, the version with the greater node name is newer; if the nodes are also
 * the same, it is the version with the higher sequence. Every node computes the same result, in whatever order the
 * versions arrive. Returns false if `a` and `b` are the same version. */
bool hf_newest_wins(const struct hf_newest_version *a, const struct hf_newest_version *b);

struct hf_newest;

/* The name of a state: nobody else's payloads outdate those of an owner. */
struct hf_newest_key {
    uint64_t owner;
    struct hf_view text;
};

/* Makes an empty table. Returns NULL if memory runs out. */
struct hf_newest *hf_newest_new(const struct hf_rand_ops *rng);
void hf_newest_free(struct hf_newest *newest);
HF_DEFINE_CLEANUP(struct hf_newest, hf_newest_free)

/* Returns true if a newer version of this key has passed. Returns false if `version` itself is the newest version that
 * has passed, or if the table does not contain the key. */
bool hf_newest_superseded(const struct hf_newest *newest, const struct hf_newest_key *key,
                          const struct hf_newest_version *version);
/* Records that this version has passed. Does nothing if memory runs out. */
void hf_newest_note(struct hf_newest *newest, const struct hf_newest_key *key, const struct hf_newest_version *version);
/* Forgets all versions, because one of them has not passed after all. */
void hf_newest_clear(struct hf_newest *newest);
