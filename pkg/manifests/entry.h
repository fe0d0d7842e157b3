/* SPDX-License-Identifier: Apache-2.0 */
/* Internal header for the .c files of pkg/manifests: one entry, with its parts and actions.
 *
 * An entry has at most one step in progress: a job on a worker, a command, a restart, or health checks; and only one
 * entry at a time a job, so that the contents of two are never in memory together. The end of a step is an event of
 * rules/machine.h: advance.c writes the record, then starts the action.
 *
 * A file calls files of its row and of later rows; but advance.c calls the actions, and content/ the stores, through
 * tables that entry.c fills in, the targets are in a table of the engine (targets/target.h), and make.c calls
 * permit_scope(): engine.c; entry.c; targets/; commit.c drift.c removal.c; content/; repair.c; make.c; advance.c;
 * unit_call.c; task.c counts.c engine_core.c.
 *
 * Threads: loop thread only, except `run` of a job: it accesses only the job and what the loop thread does not change
 * meanwhile, such as the inventory. */
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

/* Attempts of one rollback that could not read what they go back to; then it is lost: one error may pass, a worn-out
 * block does not. Other failures are not counted: a full disk may last for days. */
enum { MANIFEST_MAX_UNREADABLE = 5 };

/* Attempts in a row to place a set, or to put back the good one, that fail for a reason that does not pass by itself
 * (hf_manifest_outcome_may_pass()), such as an immutable file. After one more, the set is rolled back, or the rollback
 * ends: else the entry would keep out new content for ever. */
enum { MANIFEST_MAX_STUCK = 5 };

struct entry_failures {
    unsigned unreadable_rollbacks; /* MANIFEST_MAX_UNREADABLE */
    unsigned stuck_attempts;       /* MANIFEST_MAX_STUCK */
    unsigned stuck_rollbacks;
};

enum entry_life {
    ENTRY_NEW,
    /* The disk cannot read record or inventory. Tries again once per interval, and does nothing else. */
    ENTRY_UNREADABLE,
    ENTRY_STARTED, /* STARTED was raised */
    ENTRY_GONE,    /* nothing is left; engine.c frees it */
};

enum entry_cleanup {
    ENTRY_CLEANUP_DONE,
    ENTRY_CLEANUP_FAILED, /* until the next interval of the policy */
    ENTRY_CLEANUP_DUE,    /* it has come */
};

struct entry {
    struct hf_manifest_engine *engine;
    const struct entry_actions *actions;
    const struct content_store *const *stores;
    struct hf_steer_machine machine; /* topics of its `wait`: enum entry_note_topic */
    char *name;
    char *folder; /* <state>/manifests/<name> */

    /* as in the policy; set by entry.c alone */
    struct hf_manifest *wanted; /* own copy; NULL: in no policy, or no memory */
    struct permit permit;
    bool download_left; /* in no policy, and its folder may have an unfinished download */
    bool in_policy;     /* set by engine.c: must not be removed */

    struct content content;
    struct secret secret; /* store in memory */

    enum entry_life life;
    /* A removal has begun, so items of the good set may be gone: if a policy has the entry again, its set is new. */
    bool removing;
    /* an interval has passed, or a content has come: try a refused set again */
    bool recheck;
    struct hf_manifest_record r;
    struct hf_inventory inventory; /* while busy, a worker may read and replace it */
    size_t n_files;                /* in the inventory, when last not busy */
    enum entry_cleanup cleanup;
    bool save_wanted; /* the record has changed, the phase has not */
    /* The phase of the record on disk, or perhaps that of the last write if it failed. */
    enum hf_manifest_phase written_phase;
    /* The process started in Applying: items of the newest set may be in place. r.unproven if an attempt fails while
     * they may be. */
    bool resumed;
    /* The newest set did not pass `validate`, and a swap cut short has left files of two sets: no attempt before
     * another set comes. */
    bool invalid;

    /* the step */
    bool busy; /* in progress */
    struct attempt *attempt;
    struct hf_proc_call *proc_call; /* of `validate` or the TPM */
    struct unit_call unit;
    struct entry_trial trial;
    struct entry_pods pods;
    struct entry_cluster cluster;
    struct entry_failures failures; /* in a row; not on disk */

    /* monotonic: no attempt before; 0: now; HF_NEVER: not before the next interval or a change of allow_prune */
    uint64_t due_ns;

    struct drift drift;
};

/* The starts of actions, by enum hf_manifest_action; NULL: nothing to start. */
struct entry_actions {
    void (*start[HF_MANIFEST_ACT_COUNT])(struct entry *entry);
};

struct entry *entry_new(struct hf_manifest_engine *engine, const char *name);
void entry_free(struct entry *entry);
/* Reads record and inventory. Blocks. 0 also if the disk cannot read them: ENTRY_UNREADABLE. */
int entry_load(struct entry *entry);
/* Sets the entry as the policy has it; NULL: the policy does not have it. */
int entry_set(struct entry *entry, const struct hf_manifest *wanted);
void entry_consider(struct entry *entry);
