/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/entry.h - internal header for the .c files of pkg/manifests: one entry, with its parts and actions.
 *
 * An entry has at most one step in progress: a job on a worker, a command, a restart, or health checks. Only one entry
 * at a time has a job, so that the jobs of two entries never have their contents in memory together. The end of a step
 * raises an event. For this event, the table in rules/machine.h has the next phase and an action. advance.c writes the
 * record, then starts the action.
 *
 * The files form layers. As a rule, a file calls files in lower rows. The exceptions: advance.c calls the actions
 * through a table that entry.c fills in; the targets are in a table of the engine (targets/target.h); make.c calls
 * permit_scope(); and some files call files of the same row.
 *   engine.c                          the public functions; calls entry_consider() for the entries that are due
 *   entry.c                           one entry: loads it, starts its next step, frees it
 *   targets/                          the actions, for each target
 *   commit.c drift.c removal.c        cleanup; search for drift, and its repair; removal of an entry that no policy
 *                                     has any more
 *   content/                          content from the source, and where it is; what the node permits. The stores are
 *                                     called through a table that entry.c fills in, so that the one in memory may call
 *                                     drift.c
 *   repair.c                          looks at the files in place, and puts them back (on a worker)
 *   make.c                            makes the files of a set (on a worker)
 *   advance.c                         event, next phase, record, action
 *   unit_call.c                       restarts or reloads the unit of the entry
 *   task.c counts.c engine_core.c     jobs; metrics; the engine's time and notices
 *
 * Threads: loop thread only. The one exception is the `run` function of a job, which runs on a worker. It accesses only
 * its job and those parts of the entry, such as the inventory, that the loop thread does not change while the job
 * runs. */
#pragma once

#include "base/backoff.h"
#include "manifests/advance.h"
#include "manifests/content/content.h"
#include "manifests/content/permit.h"
#include "manifests/content/secret.h"
#include "manifests/drift.h"
#include "manifests/engine_impl.h"
#include "manifests/make.h"
#include "manifests/rules/machine.h"
#include "manifests/state/inventory.h"
#include "manifests/state/record.h"
#include "manifests/targets/target_cluster.h"
#include "manifests/targets/target_pods.h"
#include "manifests/targets/trial.h"
#include "manifests/task.h"
#include "manifests/unit_call.h"

/* Attempts of one rollback that could not read what they go back to, after which that counts as lost: one error may
 * pass, a worn-out block does not. A full disk may last for days, so attempts that fail for other reasons do not
 * count. */
enum { MANIFEST_MAX_UNREADABLE = 5 };

/* Attempts in a row to put a set in place, or to put back the good one, that may fail for a reason that does not pass
 * by itself (hf_manifest_outcome_may_pass()), such as an immutable file. After one more, the set is rolled back, or the
 * rollback ends: otherwise the entry would keep out new content for ever, and its own removal, too. */
enum { MANIFEST_MAX_STUCK = 5 };

struct entry_failures {
    unsigned unreadable_rollbacks; /* of the rollback in progress; see MANIFEST_MAX_UNREADABLE */
    unsigned stuck_attempts;       /* see MANIFEST_MAX_STUCK */
    unsigned stuck_rollbacks;
};

enum entry_life {
    ENTRY_NEW,
    /* The disk could not read the record or the inventory. The entry does nothing; once per interval it tries to read
     * them again. */
    ENTRY_UNREADABLE,
    ENTRY_STARTED, /* the event STARTED has been raised */
    ENTRY_GONE,    /* everything is removed; engine.c frees the entry */
};

enum entry_cleanup {
    ENTRY_CLEANUP_DONE,
    ENTRY_CLEANUP_FAILED, /* waits for the next interval of the policy */
    ENTRY_CLEANUP_DUE,    /* that interval has come */
};

struct entry {
    struct hf_manifest_engine *engine;
    const struct entry_actions *actions;
    const struct content_store *const *stores; /* content/store.h; ends with NULL */
    struct hf_steer_machine machine;           /* advance.c; topics of its `wait` are enum entry_note_topic */
    char *name;
    char *folder; /* <state>/manifests/<name> */

    /* the entry as the policy has it; only entry.c sets these fields */
    struct hf_manifest *wanted; /* own copy; NULL if no policy has this entry, or if memory ran out */
    struct permit permit;
    bool download_left; /* no policy has the entry, and its folder may have an unfinished download */
    bool in_policy;     /* set by engine.c: the policy has this entry, so that it must not be removed */

    struct content content; /* what the source delivers */
    struct secret secret;   /* the store in memory, for contents of Secrets */

    enum entry_life life;
    /* A removal of the entry has begun, so items of the good set may be gone. If a policy has the entry again, its set
     * counts as new. */
    bool removing;
    /* an interval of the policy has passed, or a new content has come, so a refused set must be tried again */
    bool recheck;
    struct hf_manifest_record r;
    struct hf_inventory inventory; /* while the entry is busy, a worker may read and replace it */
    size_t n_files;                /* number of files in the inventory when the entry was last not busy */
    enum entry_cleanup cleanup;
    bool save_wanted; /* the record has changed without a change of phase */
    /* Phase of the record on disk. If the last write failed, the disk may have the phase of that write instead. */
    enum hf_manifest_phase written_phase;
    /* The process started in the phase Applying, so items of the newest set may be in place. If an attempt fails while
     * such items may still be in place, r.unproven becomes true. */
    bool resumed;
    /* The newest set did not pass `validate`, and a swap that was cut short has left files of two sets in place. No
     * attempt starts before another set comes. */
    bool invalid;

    /* the step in progress */
    bool busy; /* there is one */
    struct attempt *attempt;
    struct hf_proc_call *proc_call; /* the command of `validate`, or a program of the TPM */
    struct unit_call unit;
    struct entry_trial trial;
    struct entry_pods pods;
    struct entry_cluster cluster;
    struct entry_failures failures; /* in a row; not on disk */

    /* monotonic time before which no attempt starts; 0 if one may start now; HF_NEVER if none starts before the next
     * interval of the policy or a change of allow_prune */
    uint64_t due_ns;

    struct drift drift;
};

/* For each action of rules/machine.h, the function that starts the action; NULL if the action needs no function. */
struct entry_actions {
    void (*start[HF_MANIFEST_ACT_COUNT])(struct entry *entry);
};

struct entry *entry_new(struct hf_manifest_engine *engine, const char *name);
void entry_free(struct entry *entry);
/* Reads the record and the inventory. Blocks. Returns 0 also if the disk cannot read them: entry->life is then
 * ENTRY_UNREADABLE. -ENOMEM: memory ran out. */
int entry_load(struct entry *entry);
/* Sets the entry as the policy has it; `wanted` is NULL if the policy has no entry of this name. */
int entry_set(struct entry *entry, const struct hf_manifest *wanted);
/* Starts the step that the entry needs now, if any. */
void entry_consider(struct entry *entry);
