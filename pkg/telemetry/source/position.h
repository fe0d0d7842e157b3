/* telemetry/source/position.h - a small text on disk that says how far a source has come: replaced whole, now and then, by a worker.
 *
 * What is lost with a crash is read again by its source, with the same ids. Loop thread only; load and free block (start and end). */
#pragma once

#include "telemetry/source/source.h"

enum {
    HF_POSITION_MAX_BYTES = 256 << 10,
    HF_POSITION_DELAY_S = 4,
    /* Events that are safe before it is said to the disk `soon`: fewer than there are ids known again after a restart. */
    HF_POSITION_MAX_UNSAVED = 4096,
};

struct hf_position;

/* The file is <world->dir>/sources/<name>. NULL on OOM. */
struct hf_position *hf_position_new(const struct hf_telemetry_world *world, const char *name);
/* Writes what is not written yet. A worker that is at it is left to itself. */
void hf_position_free(struct hf_position *position);
HF_DEFINE_CLEANUP(struct hf_position, hf_position_free)

/* What was kept before, appended to *out; nothing when there is none or it cannot be read (*err says why: -ENOENT is no trouble). */
HF_MUST_USE int hf_position_load(const struct hf_position *position, struct hf_buf *out, struct hf_err *err);

/* `text` makes the text whenever it is about to be written: HF_POSITION_DELAY_S after the first of several calls (at once for the first of all), or with `soon` as
 * soon as a worker is free. From then until the position is freed `arg` must be valid. */
void hf_position_changed(struct hf_position *position, bool soon, int (*text)(void *arg, struct hf_buf *out),
                         void *arg);
