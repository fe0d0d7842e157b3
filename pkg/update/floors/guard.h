/* SPDX-License-Identifier: Apache-2.0 */
/* update/floors/guard.h - uses a counter in the node's TPM 2 to notice that somebody has put older floors in place of
 * the newest floors of this node.
 *
 * The guard keeps all floors of the node in memory (update/floors/book.h). When a floor rises, the guard writes a
 * record of all floors with the next value of the counter (update/floors/record.h), and then increments the counter. At
 * its start, the guard compares the value in the record with the counter (update/floors/decision.h). If the TPM opens
 * the record, the guard merges the floors of the record into the floors in memory. New releases wait until the guard
 * knows that the floors are the newest, and until the TPM has counted the last change. Repairs and rollbacks do not
 * wait. The guard runs the program holdfast-tpm (tpm/helper.h) as a child process. After a failure, it tries again
 * after 5 s to 10 min. While the reason is FloorsReplaced or TpmReplaced, it tries again every 5 min.
 *
 * The configuration switches the comparison on (hf_floor_guard_configure()). While the comparison is off, the guard
 * only collects the floors. Threads: loop thread only; files are read and written in jobs. */
#pragma once

#include "api/update/reason.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/rand.h"
#include "loop/proc.h"
#include "loop/sched.h"
#include "update/rules/sequence.h"

struct hf_floor_guard;

/* hf_floor_guard_new() copies the strings and `roots`. The tables of functions must outlive the loop that runs the
 * jobs. */
struct hf_floor_guard_params {
    const struct hf_fs_ops *fs;
    const struct hf_sched_ops *sched;
    const struct hf_proc_ops *proc;
    const struct hf_rand_ops *rng;
    struct hf_log *log;       /* may be NULL */
    const char *state_dir;    /* the state folder, which holds the record */
    const char *const *roots; /* update roots; a copy of the record lies below one of them; NULL ends the array */
    const char *host_root;    /* in pod mode, the mount point of the host's file system; NULL means "/" */
    uid_t uid;                /* user of this process */
    const char *program;      /* absolute path of holdfast-tpm; if NULL, the comparison ends with TpmMissing */
    /* Called when the reason that hf_floor_guard_ask() returns has changed, also from within hf_floor_guard_configure()
     * and hf_floor_guard_join(). There are two exceptions: hf_floor_guard_configure() does not call it when it switches
     * the comparison off, or when it sets the reason to FloorsPending because a job runs. May be NULL. */
    void (*changed)(void *arg);
    void *arg;
};

/* Makes a guard that is switched off. -ENOMEM: out of memory. */
HF_MUST_USE int hf_floor_guard_new(const struct hf_floor_guard_params *params, struct hf_floor_guard **ret_guard);
void hf_floor_guard_free(struct hf_floor_guard *guard); /* accepts NULL */

/* Switches the comparison on or off. `tcti` names the TPM (tpm/chip.h); it is copied, and must not be NULL. If `on` or
 * `tcti` differs from the last call, the guard begins the comparison again. If a job runs at that time, the guard waits
 * for the end of the job, and ignores its result. */
void hf_floor_guard_configure(struct hf_floor_guard *guard, bool on, const char *tcti);

/* Merges *history with the guard's floor of this kind and name, and sets both to the result (hf_sequence_join()). If
 * the guard's floor has risen and the comparison is on, the guard writes a record and increments the counter. `kind` is
 * the kind of the object called `name`, such as "release". Does nothing if `guard` is NULL. */
void hf_floor_guard_join(struct hf_floor_guard *guard, const char *kind, const char *name,
                         struct hf_sequence_history *history);

/* Returns HF_R_None if releases may start, otherwise the reason why they wait. *ret_message receives a text that
 * explains this reason to a person. The text is valid until the next call with this guard, or until the event loop's
 * next iteration. `guard` may be NULL; releases may then start. */
enum hf_reason hf_floor_guard_ask(const struct hf_floor_guard *guard, const char **ret_message);
