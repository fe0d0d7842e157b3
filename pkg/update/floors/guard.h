/* SPDX-License-Identifier: Apache-2.0 */
/* update/floors/guard.h - notices, by a counter in the node's TPM 2, that somebody has put older floors in place of the
 * newest ones.
 *
 * The guard keeps all floors in memory (update/floors/book.h). When one rises, it writes a record of all with the next
 * value of the counter (update/floors/record.h), then increments the counter; at its start it compares the two
 * (update/floors/decision.h). New releases wait until the floors are known to be the newest and counted; repairs and
 * rollbacks do not. It runs holdfast-tpm (tpm/helper.h) as a child process, again 5 s to 10 min after a failure, and
 * every 5 min while the reason is FloorsReplaced or TpmReplaced. While the comparison is off, it only collects the
 * floors. */
#pragma once

#include "api/update/reason.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/rand.h"
#include "loop/proc.h"
#include "loop/sched.h"
#include "update/rules/sequence.h"

struct hf_floor_guard;

/* Strings and `roots` are copied. The tables must outlive the loop that runs the jobs. */
struct hf_floor_guard_params {
    const struct hf_fs_ops *fs;
    const struct hf_sched_ops *sched;
    const struct hf_proc_ops *proc;
    const struct hf_rand_ops *rng;
    struct hf_log *log;       /* may be NULL */
    const char *state_dir;    /* holds the record */
    const char *const *roots; /* update roots; below one of them lies a copy of the record; NULL ends the array */
    const char *host_root;    /* in pod mode, the mount point of the host's file system; NULL: "/" */
    uid_t uid;                /* of this process */
    const char *program;      /* absolute path of holdfast-tpm; NULL: the comparison ends with TpmMissing */
    /* The reason of hf_floor_guard_ask() has changed. Also called from within hf_floor_guard_configure() and
     * hf_floor_guard_join(), except when hf_floor_guard_configure() switches the comparison off, or sets FloorsPending
     * because a job runs. May be NULL. */
    void (*changed)(void *arg);
    void *arg;
};

/* Makes a guard that is switched off. */
HF_MUST_USE int hf_floor_guard_new(const struct hf_floor_guard_params *params, struct hf_floor_guard **ret_guard);
void hf_floor_guard_free(struct hf_floor_guard *guard); /* accepts NULL */

/* Switches the comparison on or off, and begins it again if an argument has changed; a running job is awaited, and its
 * result ignored. `tcti` names the TPM (tpm/chip.h); copied. */
void hf_floor_guard_configure(struct hf_floor_guard *guard, bool on, const char *tcti);

/* Merges *history with the guard's floor of this kind (such as "release") and name, and sets both to the result
 * (hf_sequence_join()). If the floor has risen and the comparison is on, the guard writes a record and increments the
 * counter. No effect if `guard` is NULL. */
void hf_floor_guard_join(struct hf_floor_guard *guard, const char *kind, const char *name,
                         struct hf_sequence_history *history);

/* HF_R_None if releases may start (always if `guard` is NULL), else why they wait, explained in *ret_message; this is
 * valid until the next call with this guard, or the loop's next iteration. */
enum hf_reason hf_floor_guard_ask(const struct hf_floor_guard *guard, const char **ret_message);
