/* SPDX-License-Identifier: Apache-2.0 */
/* Internal header for the .c files of pkg/manifests: one entry, with its parts and actions.
 *
 * An entry has at most one step in progress: a job, a command, a restart, or health checks. One entry at a time has a
 * job, so that no two jobs have a content in memory. The end of a step is an event of rules/machine.h: advance.c
 * writes the record, then starts the action.
 *
 * Threads: `run` of a job is on a worker: it accesses the job, and what the loop thread does not change meanwhile, such
 * as the inventory. */
#pragma once

#include "base/backoff.h"
#include "manifests/advance.h"
#include "manifests/content/content.h"
#include "manifests/content/images.h"
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

/* Attempts of one rollback that cannot read the content to go back to, before the content counts as lost: an error may
 * pass, a worn-out block does not. Other failures, such as a full disk, do not count. */
enum { MANIFEST_MAX_UNREADABLE = 5 };

/* Attempts in a row to place a set, or to restore the good one, that fail for a lasting reason (not
 * hf_manifest_outcome_may_pass()), such as an immutable file. One more rolls back, or ends the rollback, so that new
 * content can come. */
enum { MANIFEST_MAX_STUCK = 5 };

struct entry_failures {
    unsigned unreadable_rollbacks;
    unsigned stuck_attempts;
    unsigned stuck_rollbacks;
};

enum entry_life {
    ENTRY_NEW,
    /* the disk cannot read record or inventory; tries again once per interval, and does nothing else */
    ENTRY_UNREADABLE,
    ENTRY_STARTED, /* STARTED was raised */
    ENTRY_GONE,    /* nothing is left; engine.c frees it */
};

enum entry_cleanup {
    ENTRY_CLEANUP_DONE,
    ENTRY_CLEANUP_FAILED, /* waits for the policy's next interval */
    ENTRY_CLEANUP_DUE,    /* after that interval */
};

/* What the status shows of the entry's fields; set by engine.c alone. */
struct entry_shown {
    json_t *json; /* where the others come from; a reference of its own; NULL: none */
    enum hf_manifest_target to;
    bool when_alone; /* whenAlone: Start */
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
    bool download_left; /* its folder may have a download, to be removed if in no policy */
    bool in_policy;     /* set by engine.c: not to be removed */

    struct content content;
    struct secret secret; /* of the store in memory */
    struct content_images images;

    enum entry_life life;
    /* A removal has begun: if a policy has the entry again, its set is new. */
    bool removing;
    /* try a refused set again: an interval has passed, or a content has come */
    bool recheck;
    struct hf_manifest_record r;
    struct hf_inventory inventory; /* a worker may replace it while busy */
    size_t n_files;                /* in the inventory, when last idle */
    struct entry_shown shown;
    enum entry_cleanup cleanup;
    bool save_wanted; /* the record has changed, the phase has not */
    /* on disk; after a failed write perhaps the new phase */
    enum hf_manifest_phase written_phase;
    /* The process started in Applying: items of the newest set may be in place. If an attempt then fails, r.unproven is
     * set. */
    bool resumed;
    /* The newest set failed `validate`, and a swap cut short has left files of two sets: wait for another set. */
    bool invalid;

    /* the step */
    bool busy;
    struct attempt *attempt;
    struct hf_proc_call *proc_call; /* of `validate` or the TPM */
    struct unit_call unit;
    struct entry_trial trial;
    struct entry_pods pods;
    struct entry_cluster cluster;
    struct entry_failures failures; /* in a row; not on disk */

    /* next attempt; 0: now; HF_NEVER: at the next interval or change of allow_prune */
    uint64_t due_ns;

    struct drift drift;
};

/* By enum hf_manifest_action; NULL: nothing to start. */
struct entry_actions {
    void (*start[HF_MANIFEST_ACT_COUNT])(struct entry *entry);
};

struct entry *entry_new(struct hf_manifest_engine *engine, const char *name);
void entry_free(struct entry *entry);
/* Blocks. 0 also if it becomes ENTRY_UNREADABLE. */
int entry_load(struct entry *entry);
/* As the policy has it; NULL: not at all. Copies. */
int entry_set(struct entry *entry, const struct hf_manifest *wanted);
void entry_consider(struct entry *entry);
