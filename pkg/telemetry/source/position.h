/* SPDX-License-Identifier: Apache-2.0 */
/* How far a source has read, on disk: after a crash it resumes there, with the same ids. Failed saves are logged and
 * repeated. A worker writes; load and free block. */
#pragma once

#include "telemetry/source/source.h"

enum {
    HF_POSITION_MAX_BYTES = 256 << 10,
    HF_POSITION_DELAY_S = 4,
    /* durable events until a source passes `soon`; below what ids recognise after a restart */
    HF_POSITION_MAX_UNSAVED = 4096,
};

struct hf_position;

/* <env->dir>/sources/<name>; does not read it. */
struct hf_position *hf_position_new(const struct hf_telemetry_env *env, const char *name);
/* Saves a change first. */
void hf_position_free(struct hf_position *position);
HF_DEFINE_CLEANUP(struct hf_position, hf_position_free)

/* Appends. -ENOENT: never saved. */
HF_MUST_USE int hf_position_load(const struct hf_position *position, struct hf_buf *out, struct hf_err *err);

/* Saves after HF_POSITION_DELAY_S; the first time, or if `soon`, at once or after the current save. A save calls
 * text(arg, out): `arg` must stay valid until hf_position_free(). */
void hf_position_changed(struct hf_position *position, bool soon, int (*text)(void *arg, struct hf_buf *out),
                         void *arg);
