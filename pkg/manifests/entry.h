/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/entry.h - internal header for the .c files of pkg/manifests: one entry, with its parts and actions.
 *
 * An entry has at most one step in progress: a job on a worker, a command, a restart, or health checks. Only one entry
 * at a time has a job, so that the jobs of two entries never have their contents in memory together. The end of a step
 * raises an event. For this event, the table in rules/machine.h has the next phase and an action. advance.c writes the
 * record, then starts the action.
 *
 * The files form layers. As a rule, a file calls files in lower rows. The exceptions: advance.c calls the actions
 * through a table that entry.c fills in; objects.c and pod_trial.c call functions of trial.c; removal.c calls
 * objects_remove() and restore_disown(); drift.c calls pod_trial_is_open(); make.c calls permit_scope(); and some
 * files call files of the same row.
 *   engine.c                          the public functions; calls entry_consider() for every entry
 *   entry.c                           one entry: loads it, starts its next step, frees it
 *   apply.c trial.c pod_trial.c restore.c    the actions on files and static pods
 *   objects.c                         the same actions on objects of the cluster
 *   commit.c drift.c removal.c        cleanup; search for drift, and its repair; removal of an entry that no policy
 *                                     has any more
 *   secret_fetch.c                    asks the API server for the content of a Secret again
 *   content.c permit.c                content from the source; whether the node permits what the entry asks for
 *   repair.c                          looks at the files in place, and puts them back (on a worker)
 *   make.c                            makes the files of a set (on a worker)
 *   vault.c                           the copy of a Secret that is sealed to the TPM
 *   secret.c                          the content of Secrets, which is in memory only
 *   advance.c                         event, next phase, record, action
 *   unit_call.c                       restarts or reloads the unit of the entry
 *   task.c counts.c engine_core.c     jobs; metrics; the engine's reference count and wake-ups
 *
 * Threads: loop thread only. The one exception is the `run` function of a job, which runs on a worker. It accesses only
 * its job and those parts of the entry, such as the inventory, that the loop thread does not change while the job
 * runs. */
#pragma once

#include <limits.h>

#include "base/backoff.h"
#include "base/strmap.h"
#include "manifests/cluster/cluster.h"
#include "manifests/counts.h"
#include "manifests/engine.h"
#include "manifests/files/place.h"
#include "manifests/kubelet/health.h"
#include "manifests/outcome.h"
#include "manifests/rules/content_pace.h"
#include "manifests/rules/gate.h"
#include "manifests/rules/machine.h"
#include "manifests/rules/repair_pace.h"
#include "manifests/source/source.h"
#include "manifests/source/turns.h"
#include "manifests/state/inventory.h"
#include "manifests/state/record.h"
#include "steps/checks.h"

/* Limits of all entries together. Entries that no policy has any more ("left") may wait for ever for a person to allow
 * their removal (PruneLimit). So they have limits of their own, and take no room from the entries of the policy, of
 * which there are at most HF_MAX_MANIFESTS. When the left entries reach one of their limits, the engine takes up no new
 * name. It drops none of them, because nobody would manage its files then. */
enum {
    MANIFEST_MAX_WATCHES = 1024,           /* watched folders */
    MANIFEST_MAX_BYTES = 64 << 20,         /* bytes of the policy's contents on disk */
    MANIFEST_MAX_INCOMING_BYTES = 8 << 20, /* bytes of contents that are not on disk yet, without those read in turn */
    MANIFEST_MAX_LEFT = 1024,              /* left entries */
    MANIFEST_MAX_LEFT_BYTES = 256 << 20,   /* bytes of their contents on disk */
    MANIFEST_MAX_LEFT_ITEMS = 64 * 4096    /* items of their inventories, which are in memory */
};

#define MANIFEST_DOWNLOAD "download" /* subfolder of an entry's folder, for an unfinished download */

struct entry;
struct job;

struct hf_manifest_engine {
    struct hf_manifest_engine_params p;
    char *folder;  /* <state>/manifests */
    unsigned refs; /* one for the owner, one for each job in progress, and one while the timer's function runs */
    bool closing;  /* the owner has called hf_manifest_engine_free() */
    bool inline_;  /* task_submit() runs the job before it returns (hf_manifest_engine_repair_now()) */
    struct hf_timer *timer;
    uint64_t wake_ns;              /* monotonic time for which the timer is armed; HF_NEVER if it is not armed */
    bool notify_pending;           /* a call of p.changed is due */
    struct hf_strmap entries;      /* maps a name to a struct entry */
    struct hf_strmap no_room;      /* names of the policy that found no room, each with its enum hf_manifest_target */
    struct hf_source_turns *turns; /* of the sources, to have a large content in memory */
    struct entry *active;          /* the entry that has a job; NULL if there is none */
    unsigned n_watches;
    bool set_once; /* hf_manifest_engine_set() has been called */
    bool proven, held, stale;
    uint64_t interval_ns; /* interval of the policy */
    /* value of the policy's annotation allow-prune (hf_plan_prune_is_allowed()); NULL if there is none */
    char *allow_prune;
    struct hf_manifest_counts counts;
};

/* engine_core.c */
void manifest_engine_ref(struct hf_manifest_engine *engine);
void manifest_engine_unref(struct hf_manifest_engine *engine);
/* Makes the engine call entry_consider() for every entry in the event loop's next iteration. */
void manifest_engine_wake(struct hf_manifest_engine *engine);
/* Makes the engine call entry_consider() for every entry after delay_ns at the latest. */
void manifest_engine_wake_in(struct hf_manifest_engine *engine, uint64_t delay_ns);
/* Makes the engine call p.changed in the event loop's next iteration. */
void manifest_engine_notify(struct hf_manifest_engine *engine);
uint64_t manifest_engine_now(const struct hf_manifest_engine *engine);

/* ---- one entry --------------------------------------------------------------------------------------------------- */

/* Attempts of one rollback that could not read what they go back to, or of one set that could not read its content,
 * after which that counts as lost: one error may pass, a worn-out block does not. A full disk may last for days, so
 * attempts that fail for other reasons do not count. */
enum { MANIFEST_MAX_UNREADABLE = 5 };

/* Attempts in a row to put a set in place, or to put back the good one, that may fail for a reason that does not pass
 * by itself (hf_manifest_outcome_may_pass()), such as an immutable file. After one more, the set is rolled back, or the
 * rollback ends: otherwise the entry would keep out new content for ever, and its own removal, too. */
enum { MANIFEST_MAX_STUCK = 5 };

/* Times that a trial begins again because somebody has changed the set, or because nobody could look whether somebody
 * has. After that its health decides, whoever has changed it: somebody who does so again and again, such as an
 * autoscaler or the service itself, must not keep the set on trial for ever. */
enum { MANIFEST_MAX_TRIAL_REPAIRS = 3 };

/* What a note is about. The next event removes the note, and so does the next success of what it is about. */
enum entry_note_topic {
    ENTRY_NOTE_STEP, /* a step has failed, or cannot go on */
    ENTRY_NOTE_LOOK, /* a look for drift in files, or a repair, has failed */
    ENTRY_NOTE_WAIT, /* the newest set waits for a gate (rules/gate.h), or for the pace of labels */
};

/* A reason and a message for the status, such as the cause of a wait or of a failure. Not saved on disk. */
struct entry_note {
    enum hf_manifest_reason reason; /* HF_MANIFEST_REASON_NONE if the status shows the reason of the record */
    enum entry_note_topic topic;
    char message[HF_RECORD_MESSAGE];
};

/* An attempt to place a set, to check it, to roll back to it, to repair it, or to remove it. The struct exists from the
 * first step of the attempt to the last. */
struct attempt {
    struct hf_manifest *entry; /* decoded from set.entry */
    bool health_unknown;       /* nothing has shown whether the static pods of the set run */
    bool checked;              /* the health checks of the set are done */
    /* Looks at what is on trial after the checks, then calls trial_conclude(). NULL: trial.c looks at the files. */
    void (*look)(struct entry *entry);
    /* why the set fails, unless a look finds that somebody has changed it; the reason is NONE if it passes so far */
    struct entry_note failure;
    /* If the command of `validate` did not start: -EAGAIN if it may start soon, or -ENOENT if a person has to mend
     * something first. 0 if it started. */
    int not_started;
    struct hf_manifest_set set;
    struct hf_files_want want;
    struct hf_files_place place;
    const struct hf_config *config;
    enum hf_config_scope scope;
    const char *argv[HF_MAX_ARGV + 1]; /* the command of `validate`, with the path of the candidate filled in */
    char pod_folder[HF_FILES_MAX_PATH];
    const char *closed[HF_CLOSED_MAX + 1]; /* folders of holdfast and of the kubelet: place.closed_folders */
    bool on_swap;                          /* the content is secret, and the kernel may swap memory to a disk */
};

struct entry_watch {
    struct entry *entry;
    struct hf_watch *watch;
};

struct entry {
    struct hf_manifest_engine *engine;
    const struct entry_actions *actions;
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

    /* content.c */
    struct hf_manifest_source *source;
    struct hf_bundle *incoming; /* delivered content that is not on disk yet; NULL if there is none */
    uint64_t storing_bytes;     /* size of the content that a job writes to disk; 0 if none does */
    char incoming_revision[HF_RECORD_REVISION];
    char incoming_from[HF_SHA256_HEX]; /* hf_manifest_source_key() of the entry for which `incoming` was delivered */
    char wanted_from[HF_SHA256_HEX];   /* hf_manifest_source_key() of `wanted` */
    char unstored[HF_SHA256_HEX];      /* digest of the content that the disk could not take; "" if there is none */
    struct entry_note source_note;     /* what is wrong with the source */
    /* DigestMismatch if the newest content of the source does not have the digest in contentDigest, otherwise NONE. The
     * entry keeps this note, because the source delivers each content only once. */
    struct entry_note mismatch;
    struct hf_content_pace content_pace;
    /* A hold of this entry alone, and not the site's own hold (engine->held). The hold is in force after the entry has
     * turned away a new content, or could not write one to disk. It stops the source, so that the source does not
     * download content that the entry does not accept. When the hold ends, the source starts again and delivers the
     * newest content. */
    struct {
        /* ContentPaced, NoSpace or SourceTooLarge, or why the content could not be written; NONE if no hold is in
         * force */
        enum hf_manifest_reason reason;
        /* monotonic time at which the hold ends; 0 if it ends when the disk or the write budget has room again */
        uint64_t until_ns;
        /* for SourceTooLarge: size of the content, and how often in a row it was turned away */
        uint64_t bytes;
        unsigned times;
    } hold;

    /* secret.c: the content of a Secret, which is on disk only as a sealed copy, if at all */
    /* the content while the entry needs it; NULL if only the source (or the sealed copy) has it */
    struct hf_bundle *secret;
    struct {
        /* the files that a rollback puts back, with contents and attributes as hf_files_before_read() returns them;
         * `bundle` is NULL if there are no such files */
        struct hf_bundle *bundle;
        struct hf_inventory list, foreign;
    } kept;
    bool secret_asked; /* the source was started again to deliver the content once more, and has not delivered it yet */
    bool secret_again; /* the content is needed to repeat a refused attempt */
    bool secret_lost;  /* files have drifted, and no copy of their content is left; the next delivery repairs them */
    bool revoked;      /* the API server has confirmed that the Secret is deleted, and the entry has `prune` */

    /* vault.c: the copy of the good set's content that is sealed to the TPM */
    struct {
        char digest[HF_SHA256_HEX]; /* digest of the copy on disk; "" if there is none */
        char failed[HF_SHA256_HEX]; /* digest of a content that could not be sealed; "" if there is none */
        bool hopeless;              /* another attempt to seal the content of `failed` would fail in the same way */
        /* digest of a copy that this process does not try to open (again), because it cannot or must not be opened */
        char useless[HF_SHA256_HEX];
        bool stale; /* the copy is bound to other PCRs than agent.yaml names */
        /* why the last attempt to open the copy failed, or why the copy was removed; "" if neither happened, or if a
         * copy was opened or made after that */
        char why[200];
        uint64_t retry_ns;       /* monotonic time before which no attempt to open the copy starts */
        struct vault_room *room; /* the key, while a copy is being sealed or opened; otherwise NULL */
        void (*then)(struct entry *entry);
        bool verify; /* the content in memory came from the copy, and the files in place must be compared with it */
        bool forget; /* the API server has confirmed that the Secret is deleted, so no copy may stay */
    } vault;

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
    enum hf_manifest_action then;  /* action that starts when the record is durable */
    struct hf_buf written;         /* text of the record on disk */
    bool unsaved;                  /* the last write of the record failed */
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
    struct entry_note note;

    /* the step in progress */
    struct job *job;
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
    unsigned unreadable_looks;    /* how often in a row files in place have drifted only because the disk reads none */
    unsigned unreadable_attempts; /* how often in a row the disk could not read the content of the newest set */
    unsigned unreadable_copies;   /* how often in a row such a content was fetched again */
    unsigned stuck_attempts;      /* see MANIFEST_MAX_STUCK */
    unsigned stuck_rollbacks;
    /* used by objects.c: how often the API server answered in the rollback in progress, but did not restore all
     * objects, or took none at all */
    unsigned refused_rollbacks, failed_rollbacks;
    /* how often the trial of this Probation began again because the set was put back, or because a look at it failed */
    unsigned trial_repairs;
    /* monotonic time since when changed files or objects cannot be put back in this Probation; 0 if they can */
    uint64_t refused_ns;

    struct hf_backoff save_backoff; /* between attempts to write the record */
    struct hf_backoff backoff;
    /* monotonic time before which no attempt starts; 0 if one may start now; HF_NEVER if none starts before the next
     * interval of the policy or a change of allow_prune */
    uint64_t due_ns;

    /* drift.c */
    uint64_t look_due_ns; /* monotonic time before which no look for drift starts; 0 if one may start now */
    struct hf_repair_pace pace;
    uint64_t told_ns; /* monotonic time of the last notice of a repair; 0 if there was none */
    struct entry_watch *watches;
    size_t n_watches;
    bool look_wanted; /* a look for drift must start, but not before look_due_ns */
    /* an interval of the policy has passed, so the next look is a full one (hf_files_look.full): whoever changes a file
     * causes a look, and must not make the agent read large files all the time */
    bool look_full;
    bool watch_stale;   /* the set of folders has changed since the watches were made */
    bool unwatched;     /* a folder has no watch, so only a look finds drift there */
    uint64_t looked_ns; /* monotonic time of the last look; 0 if there was none */
};

/* For each action of rules/machine.h, the function that starts the action; NULL if the action needs no function. */
struct entry_actions {
    void (*start[HF_MANIFEST_ACT_COUNT])(struct entry *entry);
};

/* entry.c */
struct entry *entry_new(struct hf_manifest_engine *engine, const char *name);
void entry_free(struct entry *entry);
/* Reads the record and the inventory. Blocks. Returns 0 also if the disk cannot read them: entry->unreadable is then
 * true. -ENOMEM: memory ran out. */
int entry_load(struct entry *entry);
/* Sets the entry as the policy has it; `wanted` is NULL if the policy has no entry of this name. */
int entry_set(struct entry *entry, const struct hf_manifest *wanted);
/* Starts the step that the entry needs now, if any. */
void entry_consider(struct entry *entry);

/* apply.c, trial.c, restore.c, commit.c: actions */
void apply_start(struct entry *entry);
void trial_start(struct entry *entry);
void restore_start(struct entry *entry);
/* Takes the files in `list` out of the inventory, because they belong to somebody else. Called on a worker. */
int restore_disown(struct entry *entry, const struct hf_inventory *list, struct hf_err *err);
void commit_start(struct entry *entry);
void commit_clean(struct entry *entry);

/* objects.c: actions of entries whose target is Cluster */
bool objects_is(const struct hf_manifest_set *set); /* Returns true if the set's target is Cluster. */
void objects_place(struct entry *entry);
void objects_probe(struct entry *entry);
void objects_rollback(struct entry *entry);
bool objects_drift_consider(struct entry *entry);
/* Starts to delete every object in the inventory, unless the guard of removals (rules/plan.h) stops it. The caller has
 * checked that a removal is allowed now. */
void objects_remove(struct entry *entry);

/* pod_trial.c: starts the action `probe` for static pods. Waits until the pods run, then calls trial_check(). */
void pod_trial_start(struct entry *entry);
/* Call this function when an attempt is prepared, before its first file changes. For static pods, starts to ask the
 * kubelet which pods it has now, and returns true. Afterwards writes the pods' hashes into the record and raises the
 * event Go. Returns false if there is nothing to ask; the caller must then raise Go. */
bool pod_trial_ask_before(struct entry *entry);
/* Returns true if an entry with static pods is in the phase Applied, but the last check did not find each pod ready or
 * succeeded. */
bool pod_trial_is_open(const struct entry *entry);
/* If pod_trial_is_open() and a check is due (once per interval), starts a job that checks the pods again, and returns
 * true. The result changes only reason and message; it causes no rollback. */
bool pod_trial_ask_again(struct entry *entry);

/* trial.c: if a changed file could not be put back, tries that again without another restart, and returns true. */
bool trial_puts_back_again(struct entry *entry);
/* trial.c: somebody has changed items on trial, so that their health says nothing about the newest set, and they cannot
 * be put back. Ends the attempt. The deadline counts from the first such failure, because an attempt may itself take as
 * long. `unreadable`: the disk cannot read our copy of the content, for which the set is not to blame. */
void trial_not_put_back(struct entry *entry, bool unreadable, enum hf_manifest_reason reason, const char *message);
/* trial.c: our copy of the content on trial is lost. Ends the attempt; the source delivers the content again, and the
 * set has to pass then. */
void trial_lose_content(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* trial.c: runs the health checks of entry->attempt, then looks if the set is in place still, and ends the attempt. */
void trial_check(struct entry *entry);
/* trial.c: ends entry->attempt with its verdict. The caller has found the set in place. */
void trial_conclude(struct entry *entry);
/* trial.c: the set of entry->attempt is not healthy, which says nothing about it if somebody has changed its files. */
void trial_fail(struct entry *entry, enum hf_manifest_reason reason, const char *message);

/* drift.c */
/* Starts a look for drift or a repair, if one is due and allowed. Returns true if it has started one. */
bool drift_consider(struct entry *entry);
/* Records and reports a repair; the text `what` lists what was repaired. The caller saves the record. */
void drift_repaired(struct entry *entry, const char *what);
/* Starts a job that compares the files in place with the content of a Secret that has just been delivered, and repairs
 * differences. Returns true if the job has started. */
bool drift_verify(struct entry *entry);
/* Makes the next look come after a growing pause. Attempts do not wait for it. The caller wakes the engine. */
void drift_look_again(struct entry *entry);
void drift_watch(struct entry *entry); /* watches the folders of the files in place, if watch_stale is true */
void drift_unwatch(struct entry *entry);

/* repair.c; the first two are functions of jobs */
/* Looks at the files in place, and sets job->diff. */
int repair_run_look(struct job *job);
/* Puts back the files of the set of entry->attempt that somebody has changed, and sets job->diff. If job->text is not
 * empty, writes it as the record before that, and sets job->saved. */
int repair_run(struct job *job);
/* Logs a repair and, at most once a minute, reports it. */
void repair_tell(struct entry *entry, const char *text);
/* Counts and reports a repair during Probation. Leaves the record as it is. */
void repair_put_back(struct entry *entry, const char *what);

/* secret.c */
bool secret_is(const json_t *entry); /* Returns true if the content of this entry comes from a Secret. */
/* Returns true if the content of the set is in memory. */
bool secret_has(const struct entry *entry, const struct hf_manifest_set *set);
/* Copies the content of the set. -ENODATA: the content is not in memory. Called on a worker. */
int secret_bundle(const struct entry *entry, const struct hf_manifest_set *set, struct hf_bundle **ret_bundle,
                  struct hf_err *err);
/* Overwrites and frees all secret contents. Call this function when the entry has no step that needs them. */
void secret_wipe(struct entry *entry);
/* Prepares a rollback, if the set or the good set has the content of a Secret: copies into memory the entry's files
 * that are in place, and the files that the set takes over. Writes the paths of the files that the set takes over to
 * the state folder. If a swap was cut short, copies no files, because the files in place are then of two sets. Called
 * on a worker. */
int secret_keep(struct entry *entry, const struct hf_files_place *place, struct hf_manifest_outcome *outcome);
/* Returns true if the kernel may swap memory to a disk (compressed swap in memory does not count). Called on a
 * worker. */
bool secret_may_be_swapped(const struct hf_fs_ops *fs);

/* vault.c */
/* Finds out at the start of the agent if a sealed copy exists. Removes the copy if agent.yaml names a PCR to which the
 * copy is not bound. Blocks. */
void vault_load(struct entry *entry);
/* Returns true if a sealed copy of the good set's content should be on disk, and a usable one is not there. */
bool vault_wants(const struct entry *entry);
/* Starts to seal the content of the good set, and returns true; calls then(entry) at the end, also after a failure.
 * Returns false if the content is not in memory, or if no copy is wanted or possible. */
bool vault_seal(struct entry *entry, void (*then)(struct entry *entry));
/* Starts to open the sealed copy of this set's content, and returns true. At the end, entry->secret has the content, or
 * vault.why says why the copy could not be opened. Returns false if there is no copy of this content, or if no attempt
 * may start now. */
bool vault_open(struct entry *entry, const struct hf_manifest_set *set);
/* Call this function after vault_open() has returned false. Returns true if there is a sealed copy of this set's
 * content that a later attempt may open, and sets *ret_due_ns to the monotonic time of that attempt. */
bool vault_may_open_later(const struct entry *entry, const struct hf_manifest_set *set, uint64_t *ret_due_ns);
/* Makes the sealed copy of this set's content count as lost in this process. */
void vault_give_up(struct entry *entry, const struct hf_manifest_set *set);
/* Returns the digest of the sealed copy that may stay on disk; "" if none may stay. */
const char *vault_keeps(const struct entry *entry);
/* Returns true if the sealed copy on disk must be deleted. */
bool vault_must_go(const struct entry *entry);
enum { VAULT_EXPLANATION = 146 };
/* Writes into `text` why the content of this set does not come from a sealed copy. The caller appends the text to a
 * sentence. If vault.why is not "", the text quotes it, whatever the set. Otherwise the text says why there is no copy;
 * it is "" if there is a copy, if none is wanted, or if the set is not the good set (only the good set has a copy). */
void vault_explain(const struct entry *entry, const struct hf_manifest_set *set, char text[VAULT_EXPLANATION]);
/* Call this function once per interval. Returns true if the caller must ask the source for the content again: an
 * attempt to seal the content has failed, and its cause may have passed. */
bool vault_retries(struct entry *entry);
/* Overwrites and frees the key of the copy. */
void vault_wipe(struct entry *entry);

/* secret_fetch.c */
/* Moves a delivered content of a Secret to entry->secret. Returns true if the content is new; the function has then
 * started to save the record. Sets *ret_verify to true if this is the content of the good set and the files in place
 * must be compared with it. */
bool secret_fetch_take(struct entry *entry, bool *ret_verify);
/* If the newest set has a secret content that is not in memory, starts to open the sealed copy or asks the source for
 * the content, and returns true. */
bool secret_fetch_waits(struct entry *entry);
/* If a refused set cannot be tried again because its secret content is not in memory, asks the source for the content,
 * and returns true. */
bool secret_fetch_again(struct entry *entry);
/* Handles an entry whose swap or rollback was cut short by a crash and whose secret content is lost. If the source has
 * delivered a newer content, the swap continues with this content, after `validate`. Returns true if the entry must
 * wait for a content, or has begun another phase. */
bool secret_fetch_stalls(struct entry *entry);
/* Starts the source again, because a running source delivers each version of a Secret only once. */
void secret_fetch_ask(struct entry *entry);
/* Call this function if files of a secret good set have drifted, and only the API server has their content. Asks the
 * source for the content, and reports the drift. */
void secret_fetch_drifted(struct entry *entry, struct hf_diff *diff);

/* removal.c */
/* If entry->revoked is true and a removal is allowed now, starts to remove the files of the deleted Secret. Returns
 * true if it has started a job. */
bool removal_revoke(struct entry *entry);
/* Starts to remove an entry that is not in the policy, if hf_manifest_desired.proven is true and a removal is allowed
 * now. */
void removal_consider(struct entry *entry);

/* content.c */
/* Starts the source of the wanted entry, unless it runs already or may not start. */
void content_follow(struct entry *entry);
void content_stop(struct entry *entry);
/* Stops the source while a hold (entry->hold) is in force, unless the content of a Secret was asked for again. Starts
 * the source when the hold has ended. */
void content_hold(struct entry *entry);
/* Asks the limiter of the entry (rules/content_pace.h) if it may start one more new set, and takes a token. If the set
 * has to wait, writes why into `text` and returns false. */
bool content_pace_takes(struct entry *entry, char text[HF_RECORD_MESSAGE]);
/* Call this function if the content of this set is lost on the disk. If this content is the newest that the source has
 * delivered, asks the source for the whole content again. (A source cannot deliver older contents again.) */
void content_lost(struct entry *entry, const struct hf_manifest_set *set);
/* Call this function after a job has tried to read the content of the newest set. If job->unreadable has been true more
 * than MANIFEST_MAX_UNREADABLE times in a row, the content counts as lost: sets the reason SourceUnreachable. */
void content_count_unreadable(struct entry *entry, struct job *job);
/* The same after a job that has tried to repair drift of the good set. If the content is lost, calls content_lost(). */
void content_repair_ended(struct entry *entry, struct job *job);
/* If a new content was delivered, starts to write it to disk. If the same content was delivered with another revision
 * or from another source, starts to save only the record. Returns true if it has started one of the two. */
bool content_consider(struct entry *entry);

/* permit.c */
/* Checks if the node permits the wanted entry. Does not look at the paths of the entry. Returns the reason for a
 * refusal, or HF_MANIFEST_REASON_NONE. */
enum hf_manifest_reason permit_ask(struct entry *entry, struct hf_err *err);
/* Makes the set that consists of the wanted entry and the newest content. -ENOENT: the source of this entry has not
 * delivered a content. */
int permit_candidate(struct entry *entry, struct hf_manifest_set *ret_set, struct hf_err *err);
enum hf_config_scope permit_scope(bool is_signed);

/* make.c */
/* Decodes the JSON of an entry. Free it with make_entry_free(). */
int make_entry(const json_t *json, struct hf_manifest **ret_entry, struct hf_err *err);
void make_entry_free(struct hf_manifest *entry);
/* Makes an attempt for a set. Call this function on the loop thread. Returns NULL if memory runs out or the set is
 * malformed. */
struct attempt *make_attempt(struct entry *entry, const struct hf_manifest_set *set);
void make_attempt_free(struct attempt *attempt);
/* For hf_files_place.allows_placed, whose `arg` is an attempt: returns true if the node lets an entry with the rights
 * of this set write this file, whatever the entry's target. Called on a worker. */
bool make_allows_placed(void *arg, const struct hf_inventory_item *item);
/* Loads the content of the attempt's set, and replaces the variables in it if the entry has `substitute`. Called on a
 * worker. */
int make_bundle(const struct entry *entry, const struct attempt *attempt, struct hf_bundle **ret_bundle,
                struct hf_manifest_outcome *outcome);
/* Returns true if an attempt has failed with the -errno `r` because the disk cannot read the content of its set. (The
 * same error of the target may pass, however long it takes.) Called on a worker. */
bool make_is_unreadable(const struct entry *entry, const struct attempt *attempt, int r);
/* Calls make_bundle(), then makes the list of files that the set asks for (attempt->want). Called on a worker. */
int make_want(struct entry *entry, struct attempt *attempt, struct hf_manifest_outcome *outcome);
/* Makes a lost inventory again from the good set and its content on disk, so that the entry's own files do not count as
 * foreign files. In the phases Applying, Probation and RollingBack, also adds those files of the newest set that are in
 * place with exactly the content that this set wants. In the phase Applying, also sets r.unproven, because nobody knows
 * if a swap had begun. The new inventory lacks the folders that the entry made. Does nothing without a good set.
 * Blocks. */
int make_inventory(struct entry *entry, struct hf_err *err);

/* ---- advance.c ------------------------------------------------------------------------------------------------ */

/* Raises an event. `reason` and `message` replace those of the record, unless `reason` is NONE and the phase stays the
 * same. */
void advance_event(struct entry *entry, enum hf_manifest_event event, enum hf_manifest_reason reason,
                   const char *message);
/* Makes the move of the event Go for an attempt that already runs: changes the record in memory, and starts no action.
 * In the phase Applying, leaves the record as it is. The caller must write the record before the first change of the
 * target. */
void advance_begin(struct entry *entry);
/* Starts the action in entry->then. Before that, writes the record if its text is not the same as on disk. Call this
 * function directly if the record has changed but the phase has not. */
void advance_save(struct entry *entry);
/* Takes job->text over as the text of the record on disk. */
void advance_keep_text(struct entry *entry, struct job *job);
/* The same for a repair, which has written its text only if job->saved says so. */
void advance_take_saved(struct entry *entry, struct job *job);
/* Returns true if job->text is the text of the record on disk. */
bool advance_has_text(const struct entry *entry, const struct job *job);
/* Sets the note that the status shows (struct entry_note), with the topic ENTRY_NOTE_STEP. Removes any note if `reason`
 * is NONE. */
void advance_note(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* Sets a note with another topic. If `reason` is NONE, removes the note only if it has this topic. */
void advance_note_about(struct entry *entry, enum entry_note_topic topic, enum hf_manifest_reason reason,
                        const char *message);
/* Returns the monotonic time at which a pause ends that starts now. Each pause is longer than the one before. */
uint64_t advance_pause(struct entry *entry);
/* Sets due_ns, so that the next attempt starts after such a pause. */
void advance_back_off(struct entry *entry);
/* The same after a failure with this reason. If a person has to mend something first (hf_manifest_gate_retry()), no
 * attempt starts before the next interval of the policy. */
void advance_wait(struct entry *entry, enum hf_manifest_reason reason);
/* Returns the message of a failed attempt, for the status. If a removal waits for a person (PruneLimit), it is written
 * to `text` with what allows it; `set` is the set that the attempt places or, for the removal of all, the set in
 * place. */
const char *advance_text(const struct entry *entry, const struct hf_manifest_set *set, enum hf_manifest_reason reason,
                         const char *message, char text[HF_RECORD_MESSAGE]);
/* Notes why a removal did not take place, and when it is tried again. */
void advance_not_removed(struct entry *entry, const struct hf_manifest_outcome *outcome);
/* Call this function when the entry has put files back. For static pods, it sets the mark in memory that the kubelet
 * may not have read the files yet. */
void advance_doubt_pods(struct entry *entry);

/* ---- unit_call.c ------------------------------------------------------------------------------------------------- */

/* Starts to restart or reload the unit that a set names; a unit to reload that is not active is started. Returns 0 if
 * the call has started: the entry is then busy, and done(entry, ...) is called later, with -ETIMEDOUT if the restart or
 * reload takes too long and goes on. Returns 1 if the set names no unit, -EACCES if the node's configuration does not
 * permit the unit, and another -errno if the call cannot start. */
int unit_call_start(struct entry *entry, const struct hf_manifest_set *set,
                    void (*done)(void *arg, int r, const struct hf_err *err), struct hf_err *err);

/* Returns the name of the unit that a set restarts or reloads, or "". The string belongs to the set. */
const char *unit_call_unit(const struct hf_manifest_set *set);

/* ---- task.c ------------------------------------------------------------------------------------------------------ */

struct job {
    struct hf_job job;
    struct entry *entry;
    int (*run)(struct job *job); /* called on a worker */
    /* called on the loop thread, when the entry is no longer busy; not called if the engine is closing */
    void (*then)(struct entry *entry, struct job *job);
    int r;
    struct hf_err err;
    struct hf_manifest_outcome outcome;
    struct hf_buf text;                /* a record to write, or the sealed key that the job has read */
    struct hf_bundle *bundle;          /* a content to write, or a content that the job has loaded; owned */
    json_t *names;                     /* value of r.known_names for this content; owned */
    char from[HF_SHA256_HEX];          /* hf_manifest_source_key() of the source that delivered `bundle` */
    char revision[HF_RECORD_REVISION]; /* of `bundle`; the source may deliver a newer one meanwhile */
    struct hf_diff diff;
    bool full;                     /* for a look: hf_files_look.full */
    char keep[3][HF_SHA256_HEX];   /* for a cleanup: digests of the contents that stay on disk */
    char keep_copy[HF_SHA256_HEX]; /* for a cleanup: digest of the sealed copy that stays on disk */
    /* for a rollback: the disk cannot read the backups, or the content of the good set; for an attempt or a repair: it
     * cannot read the content of the set */
    bool unreadable;
    /* for a repair: 0 if `text` is on disk, 1 if the repair has not written it, -errno if that failed */
    int saved;
    bool doubtful;    /* for a rollback: it is unknown which files in place belong to somebody else */
    bool keep_before; /* for a cleanup: the backups of files/before.h stay on disk */
    /* for a cleanup, if the newest set has no root: its path, its target (Cluster: there is nothing to clean), and the
     * node's configuration */
    char path[HF_RECORD_ROOT];
    enum hf_manifest_target unrooted;
    const struct hf_config *config;
    char roots[2][HF_RECORD_ROOT]; /* for a cleanup: target folders from which staging folders are removed */
};

/* Makes a job. Returns NULL if memory runs out. */
struct job *task_new(struct entry *entry, int (*run)(struct job *job),
                     void (*then)(struct entry *entry, struct job *job));
/* Passes the job to a worker. The entry is busy until `then` is called. */
void task_submit(struct job *job);
void task_discard(struct job *job);
/* Returns true if the entry may start a job now. */
bool task_is_free(const struct entry *entry);
/* Ends everything in progress except a job. */
void task_drop(struct entry *entry);
