/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/source/position.h - a small file that records how far a source has read its data. A worker thread replaces
 * the file when the position has changed.
 *
 * After a crash the source continues at the saved position. It then reads the data after that position a second time,
 * and gives the events the same ids as the first time. Threads: loop thread only. hf_position_load() and
 * hf_position_free() block, so call them only when a source starts and ends. Errors: a failed save is logged and
 * repeated. */
#pragma once

#include "telemetry/source/source.h"

enum {
    HF_POSITION_MAX_BYTES = 256 << 10,
    HF_POSITION_DELAY_S = 4,
    /* Number of durable events after which a source calls hf_position_changed() with soon = true. The number is lower
     * than the number of ids that the agent recognizes after a restart. */
    HF_POSITION_MAX_UNSAVED = 4096,
};

struct hf_position;

/* Makes the object for the file <world->dir>/sources/<name>, and does not read the file. Returns NULL if memory runs
 * out. */
struct hf_position *hf_position_new(const struct hf_telemetry_world *world, const char *name);
/* Saves the position if it has changed since the last save, then frees the object. If a worker is writing the file at
 * this moment, the worker only finishes this write, and later changes of the position stay unsaved. */
void hf_position_free(struct hf_position *position);
HF_DEFINE_CLEANUP(struct hf_position, hf_position_free)

/* Appends the saved text to *out. Returns 0, or -errno with the cause in *err. -ENOENT is normal and means that no
 * position was ever saved. */
HF_MUST_USE int hf_position_load(const struct hf_position *position, struct hf_buf *out, struct hf_err *err);

/* Schedules a save, because the source's position has changed. The save starts HF_POSITION_DELAY_S seconds after the
 * first such call, and also covers all calls during that time. But if `soon` is true, or if this is the first call
 * after hf_position_new(), the save starts at once (or, if another save is in progress, after that save). Right before
 * each save, the object calls text(arg, out), which appends the text to save. `arg` must stay valid until
 * hf_position_free(). */
void hf_position_changed(struct hf_position *position, bool soon, int (*text)(void *arg, struct hf_buf *out),
                         void *arg);
