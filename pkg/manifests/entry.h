/* SPDX-License-Identifier: Apache-2.0 */
/* Internal header for the .c files of pkg/manifests: one entry, with its parts and actions.
 *
 * An entry has at most one step in progress, such as a job, a command, a restart, or health checks. One entry at a time
 * has a job, so that no two jobs have a content in memory. The end of a step may be an event of rules/machine.h:
 * advance.c writes the record, then starts the action.
 *
 * Threads: a job's function `run` is on a worker. It accesses the job, and what the loop thread does not change
 * meanwhile, such as the inventory. */
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

/* After so many attempts of one rollback that cannot read the good set's content, the content counts as lost. */
enum { MANIFEST_MAX_UNREADABLE = 5 };

/* After so many attempts with files in a row that fail for a lasting reason (not hf_manifest_outcome_may_pass()), one
 * more rolls back, or ends the rollback. */
enum { MANIFEST_MAX_STUCK = 5 };

struct entry_failures {
    unsigned unreadable_rollbacks;
    unsigned stuck_attempts;
    unsigned stuck_rollbacks;
};

enum entry_life {
    ENTRY_NEW,
    /* the disk cannot read the record or the inventory; the entry only tries again, once per interval */
    ENTRY_UNREADABLE,
    ENTRY_STARTED,
    ENTRY_GONE, /* nothing is left to remove; engine.c frees or renews it */
};

enum entry_cleanup {
    ENTRY_CLEANUP_DONE,
    ENTRY_CLEANUP_FAILED, /* waits for the policy's next interval */
    ENTRY_CLEANUP_DUE,
};

/* What the status shows of the entry's fields; set by engine.c alone. */
struct entry_shown {
    json_t *json; /* the entry that the other members come from; an own reference, or NULL */
    enum hf_manifest_target to;
    bool when_alone;
};

struct entry {
    struct hf_manifest_engine *engine;
    const struct entry_actions *actions;
    const struct content_store *const *stores;
    struct hf_steer_machine machine;
    char *name;
    char *folder; /* <state>/manifests/<name> */

    struct hf_manifest *wanted; /* own copy, set by entry.c; NULL: in no policy, or no memory */
    struct permit permit;
    bool download_left; /* its folder may have a download, useless without a policy */
    bool in_policy;     /* set by engine.c: the entry must not be removed */

    struct content content;
    struct secret secret;
    struct content_images images;

    enum entry_life life;
    /* A removal has begun: if a policy has the entry again, its set counts as new. */
    bool removing;
    /* try a refused set or an unreadable state again */
    bool recheck;
    struct hf_manifest_record r;
    struct hf_inventory inventory; /* while busy, a worker may replace it */
    size_t n_files;
    struct entry_shown shown;
    enum entry_cleanup cleanup;
    bool save_wanted; /* the record has changed, but not its phase */
    /* phase of the last record written; after a failed write the disk may already have the next one */
    enum hf_manifest_phase written_phase;
    /* The process started in Applying: items of the newest set may be in place. */
    bool resumed;
    /* The newest set failed `validate` and a swap cut short has left files of two sets, so the entry waits for another
     * set. */
    bool invalid;

    /* the step in progress */
    bool busy;
    struct attempt *attempt;
    struct hf_proc_call *proc_call; /* a running `validate` or holdfast-tpm */
    struct unit_call unit;
    struct entry_trial trial;
    struct entry_pods pods;
    struct entry_cluster cluster;
    struct entry_failures failures;

    /* when the next attempt may start; 0: now; HF_NEVER: at the next interval or change of allow_prune */
    uint64_t due_ns;

    struct drift drift;
};

/* Starts an action, by enum hf_manifest_action; NULL: nothing to start. */
struct entry_actions {
    void (*start[HF_MANIFEST_ACT_COUNT])(struct entry *entry);
};

struct entry *entry_new(struct hf_manifest_engine *engine, const char *name);
void entry_free(struct entry *entry);
/* Loads record and inventory; blocks. Returns 0 even for an entry that becomes ENTRY_UNREADABLE. */
int entry_load(struct entry *entry);
/* Sets a copy of the policy's entry; NULL: no policy has it. */
int entry_set(struct entry *entry, const struct hf_manifest *wanted);
void entry_consider(struct entry *entry);
