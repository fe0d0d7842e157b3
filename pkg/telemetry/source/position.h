/* telemetry/source/position.h - a small file that records how far a source has read. A worker replaces the file from
 * time to time.
 *
 * After a crash the source reads the part again that it read after the last save, and gives the events the ids that
 * they had before. Threads: loop thread only. hf_position_load() and hf_position_free() block, so call them only when a
 * source starts and ends. Errors: a failed save is logged and repeated. */
#pragma once

#include "telemetry/source/source.h"

enum {
    HF_POSITION_MAX_BYTES = 256 << 10,
    HF_POSITION_DELAY_S = 4,
    /* After this number of durable events, a source calls hf_position_changed() with `soon`. The number is lower than
     * the number of ids that the agent recognises after a restart. */
    HF_POSITION_MAX_UNSAVED = 4096,
};

struct hf_position;

/* Makes the object for the file <world->dir>/sources/<name>, without reading it. NULL on OOM. */
struct hf_position *hf_position_new(const struct hf_telemetry_world *world, const char *name);
/* Saves unsaved progress, except while a worker is writing the file. That worker then finishes its write, and later
 * progress stays unsaved. */
void hf_position_free(struct hf_position *position);
HF_DEFINE_CLEANUP(struct hf_position, hf_position_free)

/* Appends the saved text to *out. On failure returns -errno, and *err has the cause; -ENOENT is normal and means that
 * nothing was saved yet. */
HF_MUST_USE int hf_position_load(const struct hf_position *position, struct hf_buf *out, struct hf_err *err);

/* Schedules a save. The save starts HF_POSITION_DELAY_S after this call, and also saves the progress of later calls
 * until then. If `soon` is true, and for the first call after hf_position_new(), the save starts at once, or when the
 * save in progress has ended. Right before each save, `text` writes the text to save. `arg` must stay valid until
 * hf_position_free(). */
void hf_position_changed(struct hf_position *position, bool soon, int (*text)(void *arg, struct hf_buf *out),
                         void *arg);
