/* telemetry/source/position.h - a small file that records how far a source has read. A worker replaces it now and then.
 *
 * After a crash the source reads the unsaved part again, under the same ids. Threads: loop thread only; load and free
 * block, so call them at start and end. Errors: it logs a failed save and tries again. */
#pragma once

#include "telemetry/source/source.h"

enum {
    HF_POSITION_MAX_BYTES = 256 << 10,
    HF_POSITION_DELAY_S = 4,
    /* Durable events after which a source calls hf_position_changed() with `soon`: fewer than the ids that the agent
     * recognises after a restart. */
    HF_POSITION_MAX_UNSAVED = 4096,
};

struct hf_position;

/* The file is <world->dir>/sources/<name>. NULL on OOM. */
struct hf_position *hf_position_new(const struct hf_telemetry_world *world, const char *name);
/* Saves unsaved progress, unless a worker is writing: that worker finishes alone. */
void hf_position_free(struct hf_position *position);
HF_DEFINE_CLEANUP(struct hf_position, hf_position_free)

/* Appends the saved text to *out; nothing if there is none or it cannot be read (*err says why; -ENOENT is normal). */
HF_MUST_USE int hf_position_load(const struct hf_position *position, struct hf_buf *out, struct hf_err *err);

/* Schedules a save. `text` makes the text right before each save: HF_POSITION_DELAY_S after the first of several calls
 * (at once for the very first), or as soon as a worker is free if `soon` is true. `arg` must stay valid until
 * hf_position_free(). */
void hf_position_changed(struct hf_position *position, bool soon, int (*text)(void *arg, struct hf_buf *out),
                         void *arg);
