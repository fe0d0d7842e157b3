/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of the floor (state/floor.h) outside the state folder, so that an agent that lost its state still refuses old
 * releases: <update root>/.holdfast-floors/<release>, below the root of the install path. A copy is bad if users other
 * than root and the agent's can write it; nothing installs into the folder (hf_config_path_is_reserved()). Threads:
 * any; blocks. */
#pragma once

#include "steps/target.h"
#include "update/rules/sequence.h"

/* Joins the good copies below all roots into *history, since an old release may have been below another root. A missing
 * copy is no error. Returns the error of the last copy that is bad or not readable, else 0. */
HF_MUST_USE int hf_floor_copy_load(const struct hf_target *target, struct hf_sequence_history *history,
                                   struct hf_err *err);

HF_MUST_USE int hf_floor_copy_save(const struct hf_target *target, const struct hf_sequence_history *history,
                                   struct hf_err *err);

/* Read and write copies of any text, named target->release. `take` gets each good copy; one above max_bytes, or that
 * `take` refuses (-errno other than -ENOENT), is bad. */
HF_MUST_USE int hf_floor_copy_read(const struct hf_target *target, size_t max_bytes,
                                   int (*take)(void *arg, struct hf_view text, struct hf_err *err), void *arg,
                                   struct hf_err *err);
HF_MUST_USE int hf_floor_copy_write(const struct hf_target *target, struct hf_view text, struct hf_err *err);
