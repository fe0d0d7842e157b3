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
 *   engine.c                          the public functions; calls entry_consider() for every entry
 *   entry.c                           one entry: loads it, starts its next step, frees it
 *   targets/                          the actions, for each target
 *   commit.c drift.c removal.c        cleanup; search for drift, and its repair; removal of an entry that no policy
 *                                     has any more
 *   content/                          content from the source, and where it is; what the node permits. The stores are
 *                                     called through a table that entry.c fills in, so the one in memory may call drift.c
 *   repair.c                          looks at the files in place, and puts them back (on a worker)
 *   make.c                            makes the files of a set (on a worker)
 *   advance.c                         event, next phase, record, action
 *   unit_call.c                       restarts or reloads the unit of the entry
 *   task.c counts.c engine_core.c     jobs; metrics; the engine's reference count and wake-ups
 *
 * Threads: loop thread only. The one exception is the `run` function of a job, which runs on a worker. It accesses only
 * its job and those parts of the entry, such as the inventory, that the loop thread does not change while the job
 * runs. */
#pragma once

#include "base/backoff.h"
#include "manifests/advance.h"
#include "manifests/cluster/cluster.h"
#include "manifests/content/content.h"
#include "manifests/content/secret.h"
#include "manifests/drift.h"
#include "manifests/engine_impl.h"
#include "manifests/kubelet/health.h"
#include "manifests/make.h"
#include "manifests/rules/machine.h"
#include "manifests/state/inventory.h"
#include "manifests/state/record.h"
#include "manifests/task.h"
#include "steps/checks.h"

/* Attempts of one rollback that could not read what they go back to, after which that counts as lost: one error may
 * pass, a worn-out block does not. A full disk may last for days, so attempts that fail for other reasons do not
 * count. */
enum { MANIFEST_MAX_UNREADABLE = 5 };

/* Attempts in a row to put a set in place, or to put back the good one, that may fail for a reason that does not pass
 * by itself (hf_manifest_outcome_may_pass()), such as an immutable file. After one more, the set is rolled back, or the
 * rollback ends: otherwise the entry would keep out new content for ever, and its own removal, too. */
enum { MANIFEST_MAX_STUCK = 5 };

/* Times that a trial begins again because somebody has changed the set, or because nobody could look whether somebody
 * has. After that its health decides, whoever has changed it: somebody who does so again and again, such as an
 * autoscaler or the service itself, must not keep the set on trial for ever. */
enum { MANIFEST_MAX_TRIAL_REPAIRS = 3 };

struct entry {
    struct hf_manifest_engine *engine;
    const struct entry_actions *actions;
    const struct content_store *const *stores; /* content/store.h; ends with NULL */
    struct hf_steer_machine machine;           /* advance.c; topics of its `wait` are enum entry_note_topic */
    char *name;
    char *folder; /* <state>/manifests/<name> */

    /* the entry as the policy has it; only entry.c sets these fields */
    struct hf_manifest *wanted;       /* own copy; NULL if no policy has this entry, or if memory ran out */
    enum hf_manifest_reason distrust; /* why the entry does not count as signed */
    char distrust_text[HF_RECORD_MESSAGE];
    bool signed_;
    bool download_left; /* no policy has the entry, and its folder may have an unfinished download */
    bool in_policy;     /* set by engine.c: the policy has this entry, so that it must not be removed */
    /* permit.c: the last set without facts whose key was computed; the key of an equal set is the same */
    struct hf_manifest_set keyed;

    struct content content; /* what the source delivers */

    struct secret secret; /* the store in memory, for contents of Secrets */

    /* The disk could not read the record or the inventory. The entry does nothing; once per interval it tries to read
     * them again. */
    bool unreadable;
    bool started;       /* the event STARTED has been raised */
    bool start_counted; /* r.starts has the start of this process, and nobody has looked at the objects on trial yet */
    bool start_due;     /* r.starts lacks the start of this process, because the first looks got no answer */
    bool gone;          /* everything is removed; engine.c frees the entry */
    /* A removal of the entry has begun, so items of the good set may be gone. If a policy has the entry again, its set
     * counts as new. */
    bool removing;
    bool was_unproven; /* value of r.unproven when the attempt on objects of the cluster began */
    /* an interval of the policy has passed, or a new content has come, so a refused set must be tried again */
    bool recheck;
    struct hf_manifest_record r;
    struct hf_inventory inventory; /* while the entry is busy, a worker may read and replace it */
    size_t n_files;                /* number of files in the inventory when the entry was last not busy */
    bool clean_failed;             /* the last cleanup failed; the next interval tries again */
    bool clean_wanted;             /* an interval of the policy has passed since the failed cleanup */
    bool save_wanted;              /* the record has changed without a change of phase */
    /* Phase of the record on disk. If the last write failed, the disk may have the phase of that write instead. */
    enum hf_manifest_phase written_phase;
    /* The process started in the phase Applying, so items of the newest set may be in place. If an attempt fails while
     * such items may still be in place, r.unproven becomes true. */
    bool resumed;
    /* The newest set did not pass `validate`, and a swap that was cut short has left files of two sets in place. No
     * attempt starts before another set comes. */
    bool invalid;
    /* the entry itself is or was refused, or the process started in the phase Refused; the next set that is permitted
     * counts as new */
    bool was_refused;

    /* the step in progress */
    struct attempt *attempt;
    struct hf_proc_call *proc_call;
    struct hf_unit_call *unit_call;
    char *unit_to_reload; /* used by unit_call.c while it reads the state of this unit */
    void (*unit_done)(void *arg, int r, const struct hf_err *err);
    struct hf_checks *checks;
    struct hf_cluster_run *run;           /* used by objects.c */
    struct hf_kubelet_health *pod_health; /* used by pod_trial.c */
    /* used by pod_trial.c: a repeated check of pods that are in place; it is not a step, so the entry is not busy
     * meanwhile */
    struct hf_kubelet_health *pod_again;
    /* used by pod_trial.c: the good set, while a job compares it with the newest set */
    struct attempt *good_attempt;
    /* Monotonic time from which the deadline for the objects in this Probation counts. This is the time of the first
     * check. The time starts again with the next check if the API server did not answer, or if changed objects were put
     * back. 0 if that check has not come yet. */
    uint64_t probe_ns;

    /* used by pod_trial.c: an interval of the policy has passed, so check the pods again */
    bool pods_due;
    /* used by objects.c: a look for drift has just ended, so what else the entry has to do comes first */
    bool has_just_looked;
    bool busy; /* a step is in progress */
    /* how often the rollback in progress could not read the files to put back, from the disk or from the sealed copy */
    unsigned unreadable_rollbacks;
    unsigned stuck_attempts; /* see MANIFEST_MAX_STUCK */
    unsigned stuck_rollbacks;
    /* used by objects.c: how often the API server answered in the rollback in progress, but did not restore all
     * objects, or took none at all */
    unsigned refused_rollbacks, failed_rollbacks;
    /* how often the trial of this Probation began again because the set was put back, or because a look at it failed */
    unsigned trial_repairs;
    /* monotonic time since when changed files or objects cannot be put back in this Probation; 0 if they can */
    uint64_t refused_ns;

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
/* Reads the record and the inventory. Blocks. Returns 0 also if the disk cannot read them: entry->unreadable is then
 * true. -ENOMEM: memory ran out. */
int entry_load(struct entry *entry);
/* Sets the entry as the policy has it; `wanted` is NULL if the policy has no entry of this name. */
int entry_set(struct entry *entry, const struct hf_manifest *wanted);
/* Starts the step that the entry needs now, if any. */
void entry_consider(struct entry *entry);
