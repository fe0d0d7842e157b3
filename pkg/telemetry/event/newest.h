/* SPDX-License-Identifier: Apache-2.0 */
/* Has a newer payload of this key and owner passed? A keyed payload is a state. HF_NEWEST_MAX keys; after a restart, or
 * for a key that fell out, an older one may pass, and the receiver drops it by hf_newest_wins(). Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/rand.h"

enum { HF_NEWEST_MAX = 4096, HF_NEWEST_NODE = 64 };

/* `sequence`: of one node's writes (vector clock); 0: unknown. */
struct hf_newest_version {
    uint64_t unix_ns;
    struct hf_view node;
    uint64_t sequence;
};
/* The higher sequence wins if both are of one node and not 0 (its clock may jump); else time, node name, sequence: one
 * result on every node, in any order of arrival. Equal: false. */
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

/* False also if `version` itself passed last, or the key is not there. */
bool hf_newest_superseded(const struct hf_newest *newest, const struct hf_newest_key *key,
                          const struct hf_newest_version *version);
/* Nothing without memory. */
void hf_newest_note(struct hf_newest *newest, const struct hf_newest_key *key, const struct hf_newest_version *version);
/* It has not passed after all. */
void hf_newest_clear(struct hf_newest *newest);
