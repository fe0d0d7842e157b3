/* update/floors/guard.h - notices that somebody has put older floors in place of the floors of this node, with a
 * counter in the node's TPM 2.
 *
 * The guard keeps all floors of the node in memory (update/floors/book.h). When a floor rises, the guard writes a
 * record of all floors with the next value of the counter (update/floors/record.h), then increments the counter. At the
 * start it compares the two (update/floors/decision.h), and merges the floors of a record that the TPM has opened into
 * its own. Until the floors are known to be the newest, and until the TPM has counted the last change, releases wait;
 * everything else goes on. The guard runs the program holdfast-tpm (tpm/helper.h) as a child process; after a failure
 * it tries again after 5 s to 10 min, and while it finds replaced floors, every 5 min. At rest it does nothing.
 *
 * The configuration switches the comparison on. Without it the guard collects the floors and does nothing else.
 * Threads: loop thread only; files are read and written in jobs. */
#pragma once

#include "base/fs.h"
#include "base/log.h"
#include "base/rand.h"
#include "loop/proc.h"
#include "loop/sched.h"
#include "update/rules/reasons.h"
#include "update/rules/sequence.h"

struct hf_floor_guard;

/* hf_floor_guard_new() copies the strings and `roots`; the tables must outlive the loop that runs the jobs. */
struct hf_floor_guard_params {
    const struct hf_fs_ops *fs;
    const struct hf_sched_ops *sched;
    const struct hf_proc_ops *proc;
    const struct hf_rand_ops *rng;
    struct hf_log *log;       /* may be NULL */
    const char *state_dir;    /* the state folder, which holds the record */
    const char *const *roots; /* update roots, below one of which a copy of the record lies; NULL ends the array */
    const char *host_root;    /* in pod mode, the mount point of the host's file system; NULL means "/" */
    uid_t uid;                /* user of this process */
    const char *program;      /* absolute path of holdfast-tpm; NULL: its path is unknown */
    /* Called when the reason that hf_floor_guard_ask() returns has changed, also from within
     * hf_floor_guard_configure() and hf_floor_guard_join(); not called if hf_floor_guard_configure() switches the
     * comparison off. May be NULL. */
    void (*changed)(void *arg);
    void *arg;
};

/* Makes a guard that is switched off. -ENOMEM: out of memory. */
HF_MUST_USE int hf_floor_guard_new(const struct hf_floor_guard_params *params, struct hf_floor_guard **ret_guard);
void hf_floor_guard_free(struct hf_floor_guard *guard); /* accepts NULL */

/* Switches the comparison on or off. `tcti` is the TPM (tpm/chip.h), not NULL; copied. If a value has changed, the
 * guard begins the comparison again; a job that runs first comes to its end, and its result does not count. */
void hf_floor_guard_configure(struct hf_floor_guard *guard, bool on, const char *tcti);

/* Merges a floor with that of the guard: *history and the floor of the guard both become the newer history. If the
 * floor of the guard has risen, the guard writes a record and increments the counter. `kind` is the kind of the name,
 * such as "release". Does nothing if `guard` is NULL. */
void hf_floor_guard_join(struct hf_floor_guard *guard, const char *kind, const char *name,
                         struct hf_sequence_history *history);

/* Returns HF_R_None if releases may start, otherwise the reason why they wait, and a text for a person in *ret_message,
 * which is valid until the next call with this guard. `guard` may be NULL; releases may then start. */
enum hf_reason hf_floor_guard_ask(const struct hf_floor_guard *guard, const char **ret_message);
