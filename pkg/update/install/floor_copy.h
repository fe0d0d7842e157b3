/* SPDX-License-Identifier: Apache-2.0 */
/* update/install/floor_copy.h - keeps a copy of the floor (update/state/floor.h) outside the state folder, so that an
 * agent that has lost its state folder still refuses old releases.
 *
 * The copy is <update root>/.holdfast-floors/<release>, below the allowed root that contains the install path.
 * hf_floor_copy_load() merges the copies below all roots, because somebody may replay an old release whose install path
 * is below another root. A copy counts only if nobody except root and the agent's user can write it, so that a program
 * that an update installed cannot change it. No release and no entry of spec.manifests can write into the folder
 * .holdfast-floors (hf_config_path_is_reserved()). Threads: any; all functions block. */
#pragma once

#include "steps/target.h"
#include "update/rules/sequence.h"

#define HF_FLOOR_COPY_FOLDER ".holdfast-floors"

/* Merges the copy below each root into *history (hf_sequence_join()). Does not use target->path. A missing copy is no
 * error. A copy is bad if it is damaged, unreadable or writable by others. If there are bad copies, the function still
 * merges the good copies, and then returns the error of the last bad copy. */
HF_MUST_USE int hf_floor_copy_load(const struct hf_target *target, struct hf_sequence_history *history,
                                   struct hf_err *err);

/* Replaces the copy below the root of target->path durably. Writes nothing if the copy has this content already. */
HF_MUST_USE int hf_floor_copy_save(const struct hf_target *target, const struct hf_sequence_history *history,
                                   struct hf_err *err);

/* The next two functions read and write copies of another text in the same folders. target->release is the name of the
 * copy, which must not be the name of a release. hf_floor_copy_read() calls `take` with the copy below each root;
 * `take` returns 0 or -errno. A copy counts as bad if it has more than max_bytes bytes, or if `take` returns -errno.
 * Bad and missing copies have the same effect as in hf_floor_copy_load(). */
HF_MUST_USE int hf_floor_copy_read(const struct hf_target *target, size_t max_bytes,
                                   int (*take)(void *arg, struct hf_view text, struct hf_err *err), void *arg,
                                   struct hf_err *err);
HF_MUST_USE int hf_floor_copy_write(const struct hf_target *target, struct hf_view text, struct hf_err *err);
