/* telemetry/event/newest.h - of state-like payloads the newest of a key goes on; one that arrives after a newer one does not. Pure.
 *
 * Remembers who wrote each of the last HF_NEWEST_MAX keys, and when. A key that was forgotten, and after a restart every key, is new
 * again: an old state may then go on once more, and the receiver decides by the same rule (hf_state_wins() in telemetry/event/ids.h). */
#pragma once

#include "base/rand.h"
#include "telemetry/event/ids.h"

enum { HF_NEWEST_MAX = 4096, HF_NEWEST_NODE = 64 };

struct hf_newest;

struct hf_newest *hf_newest_new(const struct hf_rand_ops *rng); /* NULL on OOM */
void hf_newest_free(struct hf_newest *newest);
HF_DEFINE_CLEANUP(struct hf_newest, hf_newest_free)

/* Is a newer write of this key known? The same write again is not newer. */
bool hf_newest_superseded(const struct hf_newest *newest, struct hf_view key, const struct hf_state_mark *mark);
/* This write went on. Without memory it is not remembered. */
void hf_newest_note(struct hf_newest *newest, struct hf_view key, const struct hf_state_mark *mark);
