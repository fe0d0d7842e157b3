/* telemetry/source/position.h - a small file that records how far a source has read its data. A worker replaces the
 * file from time to time.
 *
 * After a crash the source continues at the saved position. It then reads the data after that position again, and gives
 * the events the same ids as before. Threads: loop thread only. hf_position_load() and hf_position_free() block, so
 * call them only when a source starts and ends. Errors: a failed save is logged and repeated. */
#pragma once

#include "telemetry/source/source.h"

enum {
    HF_POSITION_MAX_BYTES = 256 << 10,
    HF_POSITION_DELAY_S = 4,
    /* Number of durable events after which a source calls hf_position_changed() with soon = true. The number is lower
     * than the number of ids that the agent recognises after a restart. */
    HF_POSITION_MAX_UNSAVED = 4096,
};

struct hf_position;

/* Makes the object for the file <world->dir>/sources/<name>, and does not read the file. Returns NULL if memory runs
 * out. */
struct hf_position *hf_position_new(const struct hf_telemetry_world *world, const char *name);
/* Saves progress that is not saved yet, then frees the object. If a worker is writing the file at this moment, the
 * worker finishes that write, and progress after that write stays unsaved. */
void hf_position_free(struct hf_position *position);
HF_DEFINE_CLEANUP(struct hf_position, hf_position_free)

/* Appends the saved text to *out. Returns 0, or -errno with the cause in *err. -ENOENT is normal and means that nothing
 * was saved yet. */
HF_MUST_USE int hf_position_load(const struct hf_position *position, struct hf_buf *out, struct hf_err *err);

/* Schedules a save, because the source's position has changed. The save starts HF_POSITION_DELAY_S after the first such
 * call, and further calls until then need no save of their own. If `soon` is true, and for the first call after
 * hf_position_new(), the save starts at once, or when the save in progress has ended. Right before each save, the
 * object calls text(arg, out), which appends the text to save. `arg` must stay valid until hf_position_free(). */
void hf_position_changed(struct hf_position *position, bool soon, int (*text)(void *arg, struct hf_buf *out),
                         void *arg);
