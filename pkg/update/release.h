/* SPDX-License-Identifier: Apache-2.0 */
/* update/release.h - internal header for the .c files of pkg/update: one release, with its parts and actions.
 *
 * A release has at most one step in progress. The end of a step can raise an event. For each expected event, the table
 * in rules/machine.h has a move: the next state and an action. transition.c first writes the next state to the journal,
 * then starts the action, and the action starts the next step. The caller may change the desired releases at any time.
 * release_consider() reacts to such a change between two steps. If a step that may be interrupted is in progress,
 * release_consider() stops this step.
 *
 * The files form layers. Each file calls only files in its own row and in lower rows, except that transition.c calls
 * the actions through a table that release.c fills in.
 *   engine.c                        the public functions; considers every release, and gives one release the turn
 *   release.c                       one release: load its journal, consider, resume after a restart of the agent
 *   prepare.c replace.c             actions: inspect the target; fetch, patch, swap
 *   probation.c rollback.c          actions: restart and check the new version; restore the old one
 *   finish.c drift.c                actions: commit, clean up; look for drift
 *   service.c                       restart and health checks, for probation.c and rollback.c
 *   wanted.c method.c review.c      the wanted object; choice of delta or whole file; whether the release may start
 *   transition.c                    event, move, journal, action
 *   step.c retry.c counts.c         jobs on workers; time of the next attempt; metrics
 *   engine_core.c                   references, wake-ups, the turn
 *
 * Threads: loop thread only. The one exception is the `run` function of a step_job, which runs on a worker and accesses
 * only that job, and fields of the release and of the engine that do not change while the job runs. Memory: the engine
 * owns its releases; a release owns its parts. */
#pragma once

#include "base/strmap.h"
#include "loop/unit.h"
#include "os/room.h"
#include "steer/job.h"
#include "steps/checks.h"
#include "steps/fetch.h"
#include "steps/restart.h"
#include "update/engine.h"
#include "update/install/patch.h"
#include "update/install/swap.h"
#include "update/rules/gate.h"
#include "update/rules/machine.h"
#include "update/rules/sequence.h"
#include "update/state/attempt.h"
#include "update/state/journal.h"

/* Maximum number of releases that are wanted at one time, and maximum number of releases on this node. The second
 * number also counts releases that are no longer wanted and only have a history. */
enum { HF_UPDATE_MAX_RELEASES = 64, HF_UPDATE_MAX_HISTORIES = 256 };

struct release;

/* ---- engine ------------------------------------------------------------------------------------------------------ */

/* The engine's metrics. All fields are NULL if the caller passed no `metrics`. Only counts.c writes these fields. */
struct counts {
    struct hf_metric_family *outcomes, *failures;
    struct hf_metric *fetched, *saved, *repairs, *rollbacks;
};

struct hf_update_engine {
    /* the caller's parameters; the strings in them are copies, which `strings` and `roots` own */
    struct hf_update_params p;
    char *strings[6];
    char **roots;
    char *folder; /* <state>/updates */
    int lock_fd;
    bool quiescing; /* the engine starts nothing new and stops its downloads */
    /* `active` is the release that has the turn: the right to work */
    struct hf_steer_core core;
    struct hf_strmap releases; /* maps a name to a struct release */
    struct hf_strmap parked;   /* maps a name to a struct parked_release (engine.c) */
    uint64_t turns;            /* number of turns that the engine has given to releases since it started */
    struct counts counts;
    struct hf_buf trust_problem; /* latest result of hf_trust_folder_inspect(); empty if there is no problem */
};

/* engine_core.c */

/* Makes the engine consider every release in the event loop's next iteration. */
void update_engine_wake(struct hf_update_engine *engine);
/* Makes the engine call the caller's `changed` in the event loop's next iteration. */
void update_engine_notify(struct hf_update_engine *engine);
bool release_has_turn(const struct release *release);
/* Ends the turn of `release`. Does nothing if `release` does not have the turn. */
void update_engine_leave_turn(struct release *release);

/* ---- one release ------------------------------------------------------------------------------------------------- */

enum release_stage {
    RELEASE_LOADED, /* the release is loaded from disk, and has not received the event HF_EV_STARTED yet */
    /* the journal cannot be read, so that nobody knows the state of the release; the release does nothing but read it
     * again, until the journal counts as damaged */
    RELEASE_UNREAD,
    RELEASE_RUNNING, /* the release handles events by the table in rules/machine.h */
    /* the engine has tried to delete the release's folder, and frees the release unless the caller wants it again */
    RELEASE_REMOVED,
};

/* The journal on disk. Only transition.c writes these fields; release.c writes them when it reads the journal. */
struct release_record {
    /* the journal that the status shows; it can be newer than the journal on disk, because transition.c does not write
     * attempts that made no progress */
    struct hf_journal shown;
    /* some values of the journal on disk */
    struct {
        uint64_t time_unix_ns;
        enum hf_phase phase;
        enum hf_reason reason;
        unsigned attempts;
        char message[HF_UPDATE_MAX_MESSAGE];
    } written;
    uint64_t unread_ns; /* in RELEASE_UNREAD, the monotonic time of the first read that failed; otherwise 0 */
};

/* The EdgeUpdate that the caller wants, and the EdgeUpdate whose release the journal records. wanted.c writes these
 * fields; in addition, transition.c frees `kept` at the end of an update, and release_recheck_repair() replaces
 * `object` during its call. */
struct release_wanted {
    /* the EdgeUpdate to install: during a repair the committed one, otherwise the one that the caller wants; NULL if
     * the caller wants no release of this name */
    struct hf_edgeupdate *object;
    /* during a repair of the committed release, the EdgeUpdate that the caller wants; otherwise NULL */
    struct hf_edgeupdate *asked;
    enum hf_desired_gate gate;
    bool held;           /* the site's own order not to update is in force */
    bool turn_missing;   /* the swap needs a turn, and this node has none */
    bool writes_used_up; /* the policy's budget of writes is used up */
    enum hf_link link;   /* whether the policy allows bulk transfers */
    /* the EdgeUpdate whose release the journal records; NULL if it is lost or no longer needed */
    struct hf_edgeupdate *accepted;
    json_t *kept; /* the part of `accepted` that the journal keeps */
};

/* Facts that decide whether this node may install the wanted release. Each call of hf_update_engine_set() sets
 * `current` to false. review.c writes these fields; in addition, wanted.c and release.c set `current` to false, and
 * finish.c sets `floor` after a commit. */
struct release_review {
    bool current; /* true while `distrust`, `misfit`, `bad_exec` and `message` are up to date */
    enum hf_reason distrust, misfit;
    /* ExecNotAllowed or UnitNotAllowed if the node does not allow a command or the unit of the release, OwnProgram if
     * the release is the agent itself; otherwise HF_R_None */
    enum hf_reason bad_exec;
    char message[HF_UPDATE_MAX_MESSAGE];
    bool floor_known;
    /* floor on disk; the journal may record one later commit that is not in the floor yet */
    struct hf_sequence_history floor;
    char history_message[HF_UPDATE_MAX_MESSAGE];
    /* text that gives the range of times that the present can be according to the evidence; valid if the latest reason
     * was ClockUnsure */
    char clock_message[HF_UPDATE_MAX_MESSAGE];
    /* text that explains why the disk is too full; valid if the latest reason was DiskSpaceLow */
    char disk_message[HF_UPDATE_MAX_MESSAGE];
};

/* A delta that the agent was applying when it died, and that the update must avoid for this reason. */
struct delta_death {
    unsigned times; /* number of times that the agent died with the delta; 0 if there is no such delta */
    bool oom;       /* true if the kernel's OOM killer killed a process in the agent's cgroup or in its parent cgroup */
    char delta[HF_SHA256_HEX]; /* hash of the delta */
    char from[HF_SHA256_HEX];  /* hash of the delta's base; method_choose() sets this field */
};

/* Facts about the attempt in progress. prepare.c writes `seen`, `room`, `disk_room` and `go_reason`; method.c and
 * replace.c write `step_sha256` and `step_bytes`; replace.c counts `received_bytes` and `delta_failures`; probation.c
 * and rollback.c count `restart_tries`; rollback.c sets `owes_restart`; release.c sets `recheck`. At the start of each
 * attempt, `received_bytes` is 0. At the start of each update, `delta_failures` and `restart_tries` are 0, and
 * `recheck` is false. */
struct release_attempt {
    struct hf_swap_inspection seen;
    /* memory that the agent may use; measured once per attempt, so that the method does not change during the
     * attempt */
    struct hf_room room;
    uint64_t disk_room; /* bytes of disk that deltas may use in addition to the new version */
    /* reason that the status shows first in this attempt: Downloading, or the reason why the update does not use the
     * shortest chain of deltas */
    enum hf_reason go_reason;
    /* hash of the intermediate file that is the base of the next delta; "" if the base is the installed file */
    char step_sha256[HF_SHA256_HEX];
    uint64_t step_bytes;
    uint64_t received_bytes;
    unsigned delta_failures;
    unsigned restart_tries;
    /* true if the agent's own release was rolled back and this process, which may be of the bad version, still runs;
     * the next process is of the old version, however this one ends, so that the journal need not know */
    bool owes_restart;
    bool recheck; /* true if an earlier process verified the new file, so that the swap must verify the file again */
};

/* The action that the release repeats at the time retry.due_ns if the action has failed. REDO_COMMIT and REDO_CLEAN: the commit or the cleanup is in progress or has failed. */
enum release_redo { REDO_NOTHING, REDO_COMMIT, REDO_CLEAN };

/* The time of the next attempt. retry.c computes the back-off after a failed attempt; other files set short fixed
 * delays. */
struct release_retry {
    uint64_t due_ns; /* monotonic time before which no action starts; 0 if an action may start now */
    /* value of j.bytes_fetched when a person last changed the object; these bytes do not count as wasted */
    uint64_t paid_bytes;
    enum release_redo redo;
    /* number of failures of the current cleanup or commit; a failure of a commit counts only if the commit had saved
     * the floor */
    unsigned tries;
    /* monotonic time of the next try of a cleanup that failed so often that it no longer holds up other work; 0 if
     * there is no such cleanup */
    uint64_t clean_due_ns;
};

/* The search for drift in a committed release. Only drift.c and repairs.c write these fields, except that engine.c sets
 * look_wanted to true, and transition.c resets `look` when another version is committed. */
struct release_drift {
    /* findings of earlier checks about the committed version; all zero before its first check and after a check that
     * found drift */
    struct hf_swap_look look;
    /* true if hf_update_engine_check_drift() was called since the last check for drift */
    bool look_wanted;
    /* monotonic time before which no check for drift starts; 0 if a check may start now */
    uint64_t look_due_ns;
    /* a check that finds drift adds 1, and a check that finds none subtracts 1 (never below 0); this number sets the
     * delay until the next check */
    unsigned repairs;
    char kept[HF_SHA256_HEX]; /* digest of the release in the file of update/state/committed.h; "" if unknown */
};

enum step_kind {
    STEP_NONE,
    STEP_READ,    /* reads the journal again */
    STEP_INSPECT, /* inspects the target, the free space, and the record of an attempt during which the agent died */
    STEP_UNIT,    /* asks systemd if the unit exists */
    STEP_FETCH,
    STEP_PATCH,
    STEP_SWAP,
    STEP_RESTART,
    STEP_CHECKS,
    STEP_CONFIRM, /* compares the target with the release that the health checks judged */
    STEP_UNDO,
    STEP_COMMIT,
    STEP_CLEAN,
    STEP_LOOK, /* checks the committed version for drift */
};

/* The step in progress. Only the pointer that belongs to `kind` is set. The .c file that starts a step sets this
 * pointer, and step.c writes the other fields. */
struct release_step {
    enum step_kind kind;
    /* true if step_stop() was called; an error at the end of this step then does not count as a failure */
    bool stopping;
    struct hf_fetch *fetch;
    struct hf_restart *restart;
    struct hf_checks *checks;
    struct hf_unit_call *unit_call;
};

/* For each action of the table in rules/machine.h, the function that starts the action; NULL if the action needs no
 * function. */
struct release_actions {
    void (*start[HF_ACT_COUNT])(struct release *release);
};

struct release {
    struct hf_update_engine *engine;
    const struct release_actions *actions;
    char *folder; /* <state>/updates/<name> */
    enum release_stage stage;
    uint64_t last_turn;
    /* `wait` has the reason that the status shows instead of the journal's; `text` is that of the journal on disk */
    struct hf_steer_machine machine;
    /* the current journal; the journal on disk is older while a write is in progress, and after a write failed or was
     * left out */
    struct hf_journal j;
    struct release_record record;
    struct release_wanted wanted;
    struct release_review review;
    struct release_attempt attempt;
    struct release_retry retry;
    struct release_drift drift;
    struct release_step step;
};

/* release.c */

struct release *release_new(struct hf_update_engine *engine, const char *name);
void release_free(struct release *release);
/* Reads the journal and the floor, and makes the name of the journal durable. If the journal is damaged, renames it. If
 * the journal cannot be read, the release gets the stage RELEASE_UNREAD. */
void release_load(struct release *release);
/* Returns true if the release's journal in memory is that of the disk. */
bool release_is_known(const struct release *release);
/* Starts the action that the wanted object and the present time require, if any. Returns true if the release wants the
 * turn (the right to work). */
bool release_consider(struct release *release);
void release_take_turn(struct release *release);
/* Call this function after the caller has set the desired releases. A repair of the committed release may be running in
 * place of the release that the caller wants. If the wanted release may start now, the function ends this repair. */
void release_recheck_repair(struct release *release);

/* Actions. release.c puts them into its table of actions, or starts them itself. */

/* Inspects the target, chooses the method, then raises HF_EV_GO, HF_EV_INSTALLED or HF_EV_FAILED. */
void prepare_start(struct release *release);
void replace_fetch(struct release *release);
void replace_patch(struct release *release);
void replace_swap(struct release *release);
void probation_start(struct release *release);
void rollback_start(struct release *release);
/* Call this function when RolledBack is durable and attempt.owes_restart is true. Restarts the agent's own unit, which
 * ends this process. */
void rollback_restart_agent(struct release *release);
void finish_commit(struct release *release);
void finish_clean(struct release *release);
/* Starts a cleanup that was put off, if its time has come. Call this function only in a phase that rests. Returns true
 * if it has started one. */
bool finish_overdue(struct release *release);
void drift_look(struct release *release);
/* Looks for drift in the committed release while the journal records a different release. */
void drift_look_behind(struct release *release);
/* ---- repairs.c --------------------------------------------------------------------------------------------------- */

/* Counts a look, and begins the pause before the next one. The first repair comes with the next look. Each further one
 * doubles the pause after it; each look that finds nothing wrong halves it. */
void repairs_count(struct release *release, bool drifted);
/* Returns the pause before a repair that somebody has disturbed is tried again. Each one is twice as long as the one
 * before, as between two repairs. */
uint64_t repairs_pause_ns(struct release *release);
/* The committed version is in place again: counts that, calls params.repaired, and begins the pause before the next
 * look. `what` says what was wrong, or how the repair ended. */
void repairs_put_back(struct release *release, const char *what);

/* ---- service.c --------------------------------------------------------------------------------------------------- */

/* Returns true if the service of the release is this agent, so that its restart ends this process. */
bool service_is_agent(const struct release *release);
bool service_has_restart(const struct release *release);
/* service_restart() and service_check() each start a step. They call `done` once, with the release as `arg`: at the end
 * of the step, or at once if the step cannot start. `done` must call step_end(). */
void service_restart(struct release *release, void (*done)(void *arg, int r, const struct hf_failure *failure));
void service_check(struct release *release, void (*done)(void *arg, const struct hf_health *health));

/* ---- wanted.c ---------------------------------------------------------------------------------------------------- */

/* Sets the object that the caller wants from now on; `desired` is NULL if the caller wants no release of this name. The
 * only error is -ENOMEM. */
int wanted_set(struct release *release, const struct hf_desired *desired);
/* Sets wanted.kept and wanted.accepted from `kept`, the JSON in the journal. Takes ownership of `kept`. */
void wanted_restore(struct release *release, json_t *kept);
/* Makes the committed release the wanted one, until wanted_repair_end(). Takes ownership of `committed`. */
void wanted_repair(struct release *release, struct hf_edgeupdate *committed);
void wanted_repair_end(struct release *release); /* Has no effect without a repair. */
/* Returns a copy of the part of the committed EdgeUpdate that the node keeps. Returns NULL if the EdgeUpdate is not in
 * memory, or if memory runs out. The caller frees the copy. */
json_t *wanted_committed(const struct release *release);
/* Returns true if the site has ordered a hold: the node then neither updates nor repairs. */
bool wanted_held(const struct release *release);
void wanted_done(struct release *release); /* Frees the parts of release->wanted. */
/* Returns true if an object is wanted and the journal records the release of that object. */
bool wanted_matches(const struct release *release);
/* Returns true if no release of this name is wanted, and the phase is Idle, Committed or RolledBack. */
bool wanted_no_more(const struct release *release);
/* Starts an update to the wanted object. The journal then drops the data of the previous update, but keeps the
 * history. */
void wanted_accept(struct release *release, enum hf_update_event event, enum hf_reason reason);

/* ---- review.c ---------------------------------------------------------------------------------------------------- */

/* Decides whether the update to the wanted object may start or continue now. If it may not, *ret_reason receives the
 * reason. *ret_message receives a text that explains this reason, or NULL if there is no such text. */
enum hf_gate_verdict review_ask(struct release *release, enum hf_reason *ret_reason, const char **ret_message);
void review_load_floor(struct release *release);

/* ---- method.c ---------------------------------------------------------------------------------------------------- */

/* Takes the release that the journal records, and returns its artifact for this node's architecture. Returns NULL if
 * the release has no such artifact, or if its EdgeUpdate is lost. */
const struct hf_artifact *method_artifact(const struct release *release);
/* Returns the delta to fetch next, or NULL if the update fetches the whole file. */
const struct hf_delta_ref *method_delta(const struct release *release);
/* Call this function after an inspection of the target. Chooses deltas or the whole file, and writes the choice to
 * j.method. Writes an explanation to j.detour in two cases: lack of memory or disk rules out the shortest chain of
 * deltas, or *death names a delta of this release that the update must avoid from now on. Returns the reason that the
 * status shows first in this attempt (attempt.go_reason). */
enum hf_reason method_choose(struct release *release, struct delta_death *death);
/* Adds the current delta to the deltas to avoid, and chooses another chain of deltas or the whole file. *err is the
 * error that made the delta unusable. */
void method_drop_delta(struct release *release, const struct hf_err *err);
void method_use_whole_file(struct release *release);

/* ---- transition.c ------------------------------------------------------------------------------------------------ */

void transition_init(struct release *release);
/* Makes the move that the table in rules/machine.h has for this event. First writes the journal, then starts the
 * action. If `reason` is HF_R_None, the journal keeps its reason and message. Otherwise the journal gets `reason` and
 * `message`; if `message` is NULL or "", it gets hf_reason_meaning(reason). If there is space, the function appends the
 * reason's remedy to the message, but not the remedies "nothing", "wait" and "see the message...". */
void transition_event(struct release *release, enum hf_update_event event, enum hf_reason reason, const char *message);
void transition_failure(struct release *release, enum hf_update_event event, const struct hf_failure *failure);
/* Sets a back-off, and then calls transition_failure() with the error -ENOMEM. */
void transition_no_memory(struct release *release, enum hf_update_event event);
/* Call this function after a change of j.message in a phase that rests. Makes the new message durable, and shows it. */
void transition_message(struct release *release);
/* Makes the status show `reason` without a change of state. If `reason` is HF_R_None, the status shows the journal's
 * reason again. */
void transition_wait(struct release *release, enum hf_reason reason);
/* Makes the status show an error of the state folder, until transition_no_trouble(). */
void transition_trouble(struct release *release, int r, const struct hf_err *err);
void transition_no_trouble(struct release *release);
/* Call this function when the journal in memory has become durable on disk. */
void transition_note_written(struct release *release);

/* ---- retry.c ----------------------------------------------------------------------------------------------------- */

/* Sets the time of the next attempt. The length of the back-off depends on `reason`, and is at least at_least_ns. */
void retry_back_off(struct release *release, enum hf_reason reason, uint64_t at_least_ns);
/* Returns the monotonic time at which to consider the release again, or HF_NEVER. */
uint64_t retry_wake_ns(const struct release *release);
/* Call this function when the agent starts. If the release is in the phase Waiting, and earlier downloads of it had
 * wrong content, delays the next download, so that an agent that restarts often does not download the wrong content at
 * each start. */
void retry_hold_back(struct release *release);
/* Call this function before `wanted` replaces the wanted object. If the release is in the phase Waiting and a person
 * changed its object, schedules the next attempt at a random time within engine->p.retry_cap_ns from now, so that not
 * all nodes start at once. If the next attempt is due before that time already, its time stays as it is. */
void retry_object_changed(struct release *release, const struct hf_edgeupdate *wanted);

/* ---- step.c ------------------------------------------------------------------------------------------------------ */

/* A job that a worker runs for a release. The job borrows strings of the release. This is safe because the engine and
 * its releases exist until the last job has ended. */
struct step_job {
    struct hf_steer_job job;
    struct release *release;
    enum step_kind kind;
    int (*run)(struct step_job *step); /* called on the worker */
    /* called on the loop thread after `run`, or without `run` if no worker can run the job; not called if the engine is
     * closing */
    void (*then)(struct release *release, struct step_job *step);
    struct hf_failure failure;
    /* Parameters and results of the job. Each `run` function uses some of these fields. */
    struct hf_swap_params swap;
    struct hf_patch_params patch;
    struct hf_swap_inspection inspection;
    struct hf_room room;
    struct delta_death death;
    struct hf_swap_look look;
    struct hf_health health; /* verdict of the health checks, to confirm */
    char ending[200];        /* how a rollback ended, to confirm */
    struct hf_buf text;      /* text of the journal, or of the file of update/state/committed.h */
    /* before the job, the history to merge with the floor on disk; after the job, the floor on disk */
    struct hf_sequence_history floor;
    /* true if `floor` is in the state folder; writing its copy below the root may nevertheless have failed */
    bool floor_done;
    bool give_up;                         /* before the job: a journal that still cannot be read counts as damaged */
    bool lost;                            /* after the job: the journal was renamed for this reason */
    struct hf_edgeupdate *committed;      /* the committed release from disk, which the step owns; NULL if not read */
    char committed_digest[HF_SHA256_HEX]; /* digest of the committed release that the job reads or writes */
};

/* Makes a job. The caller fills in the parameters, and then calls step_submit() or step_discard(). Returns NULL if
 * memory runs out. */
struct step_job *step_new(struct release *release, enum step_kind kind, int (*run)(struct step_job *step),
                          void (*then)(struct release *release, struct step_job *step));
/* Passes the job to a worker. If that fails, calls `then` at once, with a negative job.r. */
void step_submit(struct step_job *step);
void step_discard(struct step_job *step);
/* Returns true if the release has a step in progress, or its journal is being written. */
bool step_is_in_progress(const struct release *release);
/* Marks the start of a step. Call this function only for a step that is not a job; for a job, step_submit() calls
 * it. */
void step_begin(struct release *release, enum step_kind kind);
void step_end(struct release *release);
void step_stop(struct release *release); /* Asks the step to stop. Has no effect on a restart or on health checks. */
/* Cancels the step because the engine closes. Afterwards no callback of the step is called, except at the end of a job
 * or download. */
void step_drop(struct release *release);
struct hf_target step_target(const struct release *release);
struct hf_swap_params step_swap_params(const struct release *release, const struct step_job *step);

/* ---- counts.c ---------------------------------------------------------------------------------------------------- */

void counts_init(struct hf_update_engine *engine);
/* Counts the move from the journal that was last shown to the present one. */
void counts_move(struct release *release);
void counts_failure(const struct hf_update_engine *engine, enum hf_reason reason);
