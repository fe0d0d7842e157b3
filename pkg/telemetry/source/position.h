/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps on disk how far a source has read, so that after a crash it resumes there with the same ids. Load and
 * free block. */
#pragma once

#include "telemetry/source/source.h"

enum {
    HF_POSITION_MAX_BYTES = 256 << 10,
    HF_POSITION_DELAY_S = 4,
    /* after this many durable events journald and tail save with `soon` */
    HF_POSITION_MAX_UNSAVED = 4096,
};

struct hf_position;

/* The file is <env->dir>/sources/<name>; nothing is read yet. */
struct hf_position *hf_position_new(const struct hf_telemetry_env *env, const char *name);
/* Saves a change first, unless a save runs. */
void hf_position_free(struct hf_position *position);
HF_DEFINE_CLEANUP(struct hf_position, hf_position_free)

/* Appends what was saved. -ENOENT: nothing was saved. */
HF_MUST_USE int hf_position_load(const struct hf_position *position, struct hf_buf *out, struct hf_err *err);

/* Saves within about HF_POSITION_DELAY_S, or at once if `soon`; later if a save runs or fails. A save calls
 * text(arg, out); `arg` must stay valid until hf_position_free(). */
void hf_position_changed(struct hf_position *position, bool soon, int (*text)(void *arg, struct hf_buf *out),
                         void *arg);
