/* update/install/floor_copy.h - a copy of the floor of sequences (update/state/floor.h) outside the state folder, so
 * that an agent whose state folder was lost still refuses old releases.
 *
 * The copy is <update root>/.holdfast-floors/<release>, below the allowed root that contains the install path. Reading
 * joins the copies below all roots, because a replayed release may name another path. A copy counts only if nobody
 * except root and the agent's user can write it, so that a program that an update installed cannot change it. No
 * release can install into the folder .holdfast-floors (hf_target_check()). Threads: any; both functions block. */
#pragma once

#include "update/install/target.h"
#include "update/rules/sequence.h"

#define HF_FLOOR_COPY_FOLDER ".holdfast-floors"

/* Joins the copy below each root into *history. target->path is not used. A missing copy is no error. If a copy is bad,
 * the function still joins the copies that are good, and then returns the error of the last bad copy. */
HF_MUST_USE int hf_floor_copy_load(const struct hf_target *target, struct hf_sequence_history *history,
                                   struct hf_err *err);

/* Replaces the copy below the root of target->path durably. Writes nothing if the copy has this content already. */
HF_MUST_USE int hf_floor_copy_save(const struct hf_target *target, const struct hf_sequence_history *history,
                                   struct hf_err *err);

/* The same for a text that is not the floor of a release; target->release is the name of the copy, which no release may
 * have. hf_floor_copy_read() passes the copy below each root to take(arg), which returns 0 or -errno; a copy longer
 * than `max_bytes` is bad. */
HF_MUST_USE int hf_floor_copy_read(const struct hf_target *target, size_t max_bytes,
                                   int (*take)(void *arg, struct hf_view text, struct hf_err *err), void *arg,
                                   struct hf_err *err);
HF_MUST_USE int hf_floor_copy_write(const struct hf_target *target, struct hf_view text, struct hf_err *err);
