/* SPDX-License-Identifier: Apache-2.0 */
/* Has a newer payload of this key and owner passed? Keyed payloads are states. Knows HF_NEWEST_MAX keys; after a
 * restart or beyond, an older one may pass, and the receiver drops it by hf_newest_wins(). Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/rand.h"

enum { HF_NEWEST_MAX = 4096, HF_NEWEST_NODE = 64 };

/* `sequence`: of the node's writes (vector clock). */
struct hf_newest_version {
    uint64_t unix_ns;
    struct hf_view node;
    uint64_t sequence;
};
/* By sequence, if of one node and not 0 (its clock may jump); else by time, node name, sequence: one result on every
 * node, whatever the order of arrival. Equal: false. */
bool hf_newest_wins(const struct hf_newest_version *a, const struct hf_newest_version *b);

struct hf_newest;

struct hf_newest_key {
    uint64_t owner;
    struct hf_view text;
};

struct hf_newest *hf_newest_new(const struct hf_rand_ops *rng);
void hf_newest_free(struct hf_newest *newest);
HF_DEFINE_CLEANUP(struct hf_newest, hf_newest_free)

/* False also if `version` itself passed last. */
bool hf_newest_superseded(const struct hf_newest *newest, const struct hf_newest_key *key,
                          const struct hf_newest_version *version);
/* Without memory notes nothing. */
void hf_newest_note(struct hf_newest *newest, const struct hf_newest_key *key, const struct hf_newest_version *version);
void hf_newest_clear(struct hf_newest *newest);
