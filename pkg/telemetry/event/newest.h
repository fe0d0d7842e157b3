/* telemetry/event/newest.h - finds out whether a payload with a key is older than a version of that key that has
 * already passed. Pure.
 *
 * A payload with a key replaces earlier payloads with that key, like a state. The table remembers the version that
 * passed last, for up to HF_NEWEST_MAX keys. After a restart, or if the table no longer contains a key, an old version
 * may pass once more; the receiver then decides by the rule of hf_newest_wins(), too. Threads: one at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/rand.h"

enum { HF_NEWEST_MAX = 4096, HF_NEWEST_NODE = 64 };

/* Identifies one write of a state by its time, the node that wrote, and the node's own sequence (an entry of a vector
 * clock). */
struct hf_newest_version {
    uint64_t unix_ns;
    struct hf_view node;
    uint64_t sequence;
};
/* True if `a` is newer than `b`. If one node wrote both, the higher sequence is newer, because the node's clock may
 * jump. Otherwise the later time is newer, and for equal times the greater node name. The result does not depend on the
 * node that computes it or on the order of arrival. False if `a` and `b` are one write. */
bool hf_newest_wins(const struct hf_newest_version *a, const struct hf_newest_version *b);

struct hf_newest;

struct hf_newest *hf_newest_new(const struct hf_rand_ops *rng); /* NULL on OOM */
void hf_newest_free(struct hf_newest *newest);
HF_DEFINE_CLEANUP(struct hf_newest, hf_newest_free)

/* True if a newer version of this key has passed. If only this version itself has passed, the result is false. */
bool hf_newest_superseded(const struct hf_newest *newest, struct hf_view key, const struct hf_newest_version *version);
/* Records that this version has passed. Does nothing on OOM. */
void hf_newest_note(struct hf_newest *newest, struct hf_view key, const struct hf_newest_version *version);
