/* telemetry/event/newest.h - lets only the newest version of each key of state-like payloads pass. Pure.
 *
 * Remembers the last version of each of HF_NEWEST_MAX keys. After a restart, or if a key was forgotten, an old version
 * may pass once more; the receiver then decides by the same rule (hf_newest_wins()). Threads: one at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/rand.h"

enum { HF_NEWEST_MAX = 4096, HF_NEWEST_NODE = 64 };

/* Identifies one write of a state: its time, the node, and the node's own sequence (an entry of a vector clock). */
struct hf_newest_version {
    uint64_t unix_ns;
    struct hf_view node;
    uint64_t sequence;
};
/* True if `a` is newer than `b`: for one node the higher sequence (clocks may jump), else the later time, then the
 * greater node name. The result is the same on every node and for every order of arrival. False for the same write. */
bool hf_newest_wins(const struct hf_newest_version *a, const struct hf_newest_version *b);

struct hf_newest;

struct hf_newest *hf_newest_new(const struct hf_rand_ops *rng); /* NULL on OOM */
void hf_newest_free(struct hf_newest *newest);
HF_DEFINE_CLEANUP(struct hf_newest, hf_newest_free)

/* True if a newer version of this key has passed. The same version again is not newer. */
bool hf_newest_superseded(const struct hf_newest *newest, struct hf_view key, const struct hf_newest_version *mark);
/* Records that this version has passed; does nothing if out of memory. */
void hf_newest_note(struct hf_newest *newest, struct hf_view key, const struct hf_newest_version *mark);
