/* telemetry/event/newest.h - of state-like payloads the newest of a key goes on; one that arrives after a newer one does not. Pure.
 *
 * Remembers who wrote each of the last HF_NEWEST_MAX keys, and when. A key that was forgotten, and after a restart every key, is new
 * again: an old state may then go on once more, and the receiver decides by the same rule (hf_newest_wins() in telemetry/event/ids.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/rand.h"

enum { HF_NEWEST_MAX = 4096, HF_NEWEST_NODE = 64 };

/* When and by whom a state was written: its time, the node and the node's own sequence (an entry of a vector clock). */
struct hf_newest_version {
    uint64_t unix_ns;
    struct hf_view node;
    uint64_t sequence;
};
/* Does `a` win over `b`? Of one node the higher sequence (clocks may jump), else the later time, then the greater name: the same
 * winner wherever it is asked and in whatever order they arrive. False when they are the same write. */
bool hf_newest_wins(const struct hf_newest_version *a, const struct hf_newest_version *b);

struct hf_newest;

struct hf_newest *hf_newest_new(const struct hf_rand_ops *rng); /* NULL on OOM */
void hf_newest_free(struct hf_newest *newest);
HF_DEFINE_CLEANUP(struct hf_newest, hf_newest_free)

/* Is a newer write of this key known? The same write again is not newer. */
bool hf_newest_superseded(const struct hf_newest *newest, struct hf_view key, const struct hf_newest_version *mark);
/* This write went on. Without memory it is not remembered. */
void hf_newest_note(struct hf_newest *newest, struct hf_view key, const struct hf_newest_version *mark);
