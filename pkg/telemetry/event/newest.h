/* SPDX-License-Identifier: Apache-2.0 */
/* Remembers the version of the newest payload of each key and owner, for HF_NEWEST_MAX keys at most. After a restart,
 * or with many keys, an older payload may pass; the receiver drops it by hf_newest_wins(). Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/rand.h"

enum { HF_NEWEST_MAX = 4096, HF_NEWEST_NODE = 64 };

struct hf_newest_version {
    uint64_t unix_ns;
    struct hf_view node;
    uint64_t sequence;
};
/* Whether `a` is newer: by sequence (if known) within one node, otherwise by time, node name and sequence, so
 * that every node gets the same result. */
bool hf_newest_wins(const struct hf_newest_version *a, const struct hf_newest_version *b);

struct hf_newest;

struct hf_newest_key {
    uint64_t owner;
    struct hf_view text;
};

struct hf_newest *hf_newest_new(const struct hf_rand_ops *rng);
void hf_newest_free(struct hf_newest *newest);
HF_DEFINE_CLEANUP(struct hf_newest, hf_newest_free)

bool hf_newest_superseded(const struct hf_newest *newest, const struct hf_newest_key *key,
                          const struct hf_newest_version *version);
void hf_newest_note(struct hf_newest *newest, const struct hf_newest_key *key, const struct hf_newest_version *version);
void hf_newest_clear(struct hf_newest *newest);
