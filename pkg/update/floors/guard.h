/* SPDX-License-Identifier: Apache-2.0 */
/* The floor guard notices, by a counter in the TPM 2, that older floors have replaced the newest. Until the newest
 * floors are in place and counted, new releases wait, but not repairs and rollbacks. While off, it only collects
 * floors. */
#pragma once

#include "api/update/reason.h"
#include "loop/proc.h"
#include "loop/world.h"
#include "update/rules/sequence.h"

struct hf_floor_guard;

/* Strings and `roots` are copied; tables of functions must outlive the loop that runs the jobs. */
struct hf_floor_guard_params {
    struct hf_world world;
    const struct hf_proc_ops *proc;
    const char *state_dir;
    const char *const *roots; /* update roots, one of which has a copy of the record */
    const char *host_root;
    uid_t uid;
    const char *program; /* absolute path of holdfast-tpm; NULL: TpmMissing */
    /* hf_floor_guard_ask() returns another reason now. May be called from within _join() and _configure(). May be
     * NULL. */
    void (*changed)(void *arg);
    void *arg;
};

/* Makes a guard that is switched off. */
HF_MUST_USE int hf_floor_guard_new(const struct hf_floor_guard_params *params, struct hf_floor_guard **ret_guard);
void hf_floor_guard_free(struct hf_floor_guard *guard);

/* Switches the comparison on or off; a changed argument begins it again. `tcti` (tpm/chip.h) is copied. */
void hf_floor_guard_configure(struct hf_floor_guard *guard, bool on, const char *tcti);

/* Joins *history and the guard's floor of this kind ("release") and name (hf_sequence_join()); both get the result.
 * While on, a risen floor leads to a new record and an increment of the counter. `guard` NULL: no effect. */
void hf_floor_guard_join(struct hf_floor_guard *guard, const char *kind, const char *name,
                         struct hf_sequence_history *history);

/* Returns why releases must wait, or HF_R_None (always if `guard` is NULL). *ret_message lasts until the next call or
 * iteration of the loop. */
enum hf_reason hf_floor_guard_ask(const struct hf_floor_guard *guard, const char **ret_message);
