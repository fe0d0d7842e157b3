/* SPDX-License-Identifier: Apache-2.0 */
/* Notices by a counter in the TPM 2 that older floors replaced the newest. Until the floors are the newest and counted,
 * new releases wait; repairs and rollbacks do not. While off, only collects floors. */
#pragma once

#include "api/update/reason.h"
#include "loop/proc.h"
#include "loop/world.h"
#include "update/rules/sequence.h"

struct hf_floor_guard;

/* Copies strings and `roots`; tables must outlive the loop that runs the jobs. */
struct hf_floor_guard_params {
    struct hf_world world; /* fs, sched, rng, log */
    const struct hf_proc_ops *proc;
    const char *state_dir;    /* of the record */
    const char *const *roots; /* the record has a copy below one */
    const char *host_root;    /* pod mode: mount point of the host's root; NULL: "/" */
    uid_t uid;                /* this process's */
    const char *program;      /* absolute path of holdfast-tpm; NULL: TpmMissing */
    /* hf_floor_guard_ask() has another reason; also from within _configure() and _join(), but not if _configure()
     * switches it off, or sets FloorsPending as a job runs. May be NULL. */
    void (*changed)(void *arg);
    void *arg;
};

/* Switched off at first. */
HF_MUST_USE int hf_floor_guard_new(const struct hf_floor_guard_params *params, struct hf_floor_guard **ret_guard);
void hf_floor_guard_free(struct hf_floor_guard *guard);

/* A changed argument begins the comparison again; the result of a running job is ignored. `tcti` (tpm/chip.h) is
 * copied. */
void hf_floor_guard_configure(struct hf_floor_guard *guard, bool on, const char *tcti);

/* Joins *history and the guard's floor of this kind ("release") and name; both get the result (hf_sequence_join()). A
 * risen floor is recorded and counted, if on. NULL: no effect. */
void hf_floor_guard_join(struct hf_floor_guard *guard, const char *kind, const char *name,
                         struct hf_sequence_history *history);

/* HF_R_None (always for NULL): releases may start. *ret_message lasts until the next call or turn of the loop. */
enum hf_reason hf_floor_guard_ask(const struct hf_floor_guard *guard, const char **ret_message);
