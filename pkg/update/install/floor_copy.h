/* SPDX-License-Identifier: Apache-2.0 */
/* update/install/floor_copy.h - keeps a copy of the floor (update/state/floor.h) outside the state folder, so that an
 * agent that has lost its state folder still refuses old releases: <update root>/.holdfast-floors/<release>, below the
 * root of the install path.
 *
 * A load merges the copies below all roots, because an old release may have a path below another one. A copy that
 * others than root and the agent's user can write is bad; no release or manifest can write into the folder
 * (hf_config_path_is_reserved()). Threads: any; all functions block. */
#pragma once

#include "steps/target.h"
#include "update/rules/sequence.h"

#define HF_FLOOR_COPY_FOLDER ".holdfast-floors"

/* Merges the good copies into *history (hf_sequence_join()), without target->path. A missing copy is no error. If some
 * are damaged, unreadable or writable by others, returns the error of the last of these. */
HF_MUST_USE int hf_floor_copy_load(const struct hf_target *target, struct hf_sequence_history *history,
                                   struct hf_err *err);

/* Replaces the copy below the root of target->path durably, if its content differs. */
HF_MUST_USE int hf_floor_copy_save(const struct hf_target *target, const struct hf_sequence_history *history,
                                   struct hf_err *err);

/* The same for another text: target->release is the name of the copy, not that of a release. Calls `take` with the copy
 * below each root; a copy is bad, too, if it exceeds max_bytes or `take` returns -errno. */
HF_MUST_USE int hf_floor_copy_read(const struct hf_target *target, size_t max_bytes,
                                   int (*take)(void *arg, struct hf_view text, struct hf_err *err), void *arg,
                                   struct hf_err *err);
HF_MUST_USE int hf_floor_copy_write(const struct hf_target *target, struct hf_view text, struct hf_err *err);
