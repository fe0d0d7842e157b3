/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of the floor (state/floor.h) outside the state folder, so that an agent that lost its state refuses old
 * releases: <update root>/.holdfast-floors/<release>, below the root of the install path. A load joins the copies below
 * all roots: an old release may have been below another. Copies are bad if others than root and the agent's user can
 * write; nothing installs into the folder (hf_config_path_is_reserved()). Threads: any; blocks. */
#pragma once

#include "steps/target.h"
#include "update/rules/sequence.h"

/* Joins the good copies into *history; ignores target->path. No copy is no error. Returns the error of the last copy
 * that is damaged, unreadable or writable by others. */
HF_MUST_USE int hf_floor_copy_load(const struct hf_target *target, struct hf_sequence_history *history,
                                   struct hf_err *err);

/* Writes the copy below the root of target->path, durably, if it differs. */
HF_MUST_USE int hf_floor_copy_save(const struct hf_target *target, const struct hf_sequence_history *history,
                                   struct hf_err *err);

/* The same for any text named target->release. `take` gets the copy below each root; a copy above max_bytes, or that
 * `take` refuses (-errno), is bad. */
HF_MUST_USE int hf_floor_copy_read(const struct hf_target *target, size_t max_bytes,
                                   int (*take)(void *arg, struct hf_view text, struct hf_err *err), void *arg,
                                   struct hf_err *err);
HF_MUST_USE int hf_floor_copy_write(const struct hf_target *target, struct hf_view text, struct hf_err *err);
