/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/source/position.h - a small file with how far a source has read; written by a worker.
 *
 * After a crash the source continues there and gives what it reads again the same ids. A failed save is logged and
 * repeated. Threads: loop thread only; load and free block. */
#pragma once

#include "telemetry/source/source.h"

enum {
    HF_POSITION_MAX_BYTES = 256 << 10,
    HF_POSITION_DELAY_S = 4,
    /* Durable events before a source passes `soon`; lower than the ids that the agent recognises after a restart. */
    HF_POSITION_MAX_UNSAVED = 4096,
};

struct hf_position;

/* For <world->dir>/sources/<name>, which is not read yet. */
struct hf_position *hf_position_new(const struct hf_telemetry_world *world, const char *name);
/* Saves a change first; but if a worker is writing, only that write is finished. */
void hf_position_free(struct hf_position *position);
HF_DEFINE_CLEANUP(struct hf_position, hf_position_free)

/* Appends. -ENOENT: never saved; normal. */
HF_MUST_USE int hf_position_load(const struct hf_position *position, struct hf_buf *out, struct hf_err *err);

/* A save HF_POSITION_DELAY_S after the first such call; at once (or after the current save) if `soon` or for the first
 * call ever. It calls text(arg, out), so `arg` must stay valid until freed. */
void hf_position_changed(struct hf_position *position, bool soon, int (*text)(void *arg, struct hf_buf *out),
                         void *arg);
