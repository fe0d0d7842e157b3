/* update/release.h - internal header for the .c files of pkg/update: one release, with its parts and actions.
 *
 * A release has at most one step in progress. The end of a step raises an event. The table in rules/machine.h has a
 * move for each event, which consists of the next state and an action. transition.c first writes the next state to the
 * journal, then starts the action, and the action starts the next step. The caller may change the desired releases at
 * any time. release_consider() notices such a change between two steps. It also notices the change during a step that
 * may be interrupted, and then stops that step.
 *
 * The files form layers. Each file calls only files in lower rows, except that transition.c calls the actions through a
 * table that release.c fills in.
 *   engine.c                        the public functions; considers every release, gives one of them the turn
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
 * only that job. Memory: the engine owns its releases; a release owns its parts. */
#pragma once

#include <stdatomic.h>

#include "base/backoff.h"
#include "base/strmap.h"
#include "loop/unit.h"
#include "os/room.h"
#include "update/engine.h"
#include "update/install/checks.h"
#include "update/install/fetch.h"
#include "update/install/patch.h"
#include "update/install/restart.h"
#include "update/install/swap.h"
#include "update/rules/gate.h"
#include "update/rules/machine.h"
#include "update/rules/sequence.h"
#include "update/state/attempt.h"
#include "update/state/journal.h"

/* Maximum number of releases that are wanted at one time, and maximum number of releases on this node. The second
 * number includes releases that are no longer wanted and have only a history. */
enum { HF_UPDATE_MAX_RELEASES = 64, HF_UPDATE_MAX_HISTORIES = 256 };

struct release;

/* ---- engine ------------------------------------------------------------------------------------------------------ */

/* The engine's metrics. All fields are NULL if the caller passed no `metrics`. Only counts.c writes these fields. */
struct counts {
    struct hf_metric_family *outcomes, *failures;
    struct hf_metric *fetched, *saved, *repairs, *rollbacks;
};

enum engine_state {
    ENGINE_RUNNING,
    ENGINE_QUIESCING, /* the engine starts nothing new and stops its downloads */
    ENGINE_CLOSING,   /* the owner has called hf_update_engine_free(); the engine frees itself after its last job */
};

struct hf_update_engine {
    /* the caller's parameters, with copies of their strings that `strings` and `roots` own */
    struct hf_update_params p;
    char *strings[6];
    char **roots;
    char *folder; /* <state>/updates */
    int lock_fd;
    enum engine_state state;
    unsigned refs; /* number of references: one for the owner, and one for each job and download in progress */
    struct hf_timer *timer;
    bool wake_pending;         /* the timer is armed for the event loop's next iteration */
    bool notify_pending;       /* the next timer callback calls the caller's `changed` */
    struct hf_strmap releases; /* maps a name to a struct release */
    struct hf_strmap parked;   /* maps a name to a struct parked_release (engine.c) */
    struct release *active;    /* the release that has the turn (the right to work); NULL if none has it */
    uint64_t turns;            /* number of turns that the engine has given to releases since it started */
    struct counts counts;
    struct hf_buf trust_problem; /* last result of hf_trust_folder_inspect(); empty if there is no problem */
};

/* engine_core.c */

void update_engine_ref(struct hf_update_engine *engine);
void update_engine_unref(struct hf_update_engine *engine); /* frees the engine if this was the last reference */
/* Makes the engine consider every release in the event loop's next iteration. */
void update_engine_wake(struct hf_update_engine *engine);
/* Makes the engine call the caller's `changed` in the event loop's next iteration. */
void update_engine_notify(struct hf_update_engine *engine);
/* Ends the turn of `release`. Does nothing if `release` does not have the turn. */
void update_engine_leave_turn(struct release *release);

/* ---- one release ------------------------------------------------------------------------------------------------- */

enum release_stage {
    RELEASE_LOADED,  /* the release is loaded from disk, and has not received the event HF_EV_STARTED yet */
    RELEASE_RUNNING, /* the release handles events by the table in rules/machine.h */
    /* the release's folder is deleted; the engine frees the release unless the caller wants it again */
    RELEASE_REMOVED,
};

/* The journal on disk. Only transition.c writes these fields. */
struct release_record {
    /* the journal that the status shows: the journal on disk, updated by later attempts that made no progress and that
     * transition.c therefore did not write to disk */
    struct hf_journal shown;
    /* values of the journal on disk; `shown` may also count later attempts that made no progress */
    struct {
        uint64_t time_unix_ns;
        enum hf_phase phase;
        enum hf_reason reason;
        unsigned attempts;
        char message[HF_UPDATE_MAX_MESSAGE];
    } written;
    struct hf_buf text;         /* text of the journal file that was written last or is being written */
    enum hf_update_action then; /* action that starts when the journal is durable on disk */
};

/* The EdgeUpdate that the caller wants, and the EdgeUpdate whose release the journal records. Only wanted.c writes
 * these fields. */
struct release_wanted {
    /* the EdgeUpdate that the caller wants, or during a repair the committed one; NULL if the caller wants no release
     * of this name */
    struct hf_edgeupdate *object;
    /* during a repair of the committed release, the EdgeUpdate that the caller wants; otherwise NULL */
    struct hf_edgeupdate *asked;
    enum hf_desired_gate gate;
    bool held;         /* the site's own order not to update is in force */
    bool turn_missing; /* the swap needs a turn, and this node has none */
    /* the EdgeUpdate whose release the journal records; NULL if it is lost or no longer needed */
    struct hf_edgeupdate *accepted;
    json_t *kept; /* the part of `accepted` that the journal keeps */
};

/* Facts that decide if this node may install the wanted release. Each call of hf_update_engine_set() makes the facts
 * out of date. Only review.c writes these fields. */
struct release_review {
    bool current; /* true while distrust, misfit and message are up to date */
    enum hf_reason distrust, misfit;
    /* ExecNotAllowed or UnitNotAllowed if the node does not allow a command or the unit of the release; otherwise
     * HF_R_None */
    enum hf_reason bad_exec;
    char message[HF_UPDATE_MAX_MESSAGE];
    bool floor_known;
    struct hf_sequence_history floor; /* floor on disk; the journal may record one more commit, which is later */
    char history_message[HF_UPDATE_MAX_MESSAGE];
};

/* A delta that killed the agent. */
struct delta_death {
    unsigned times;            /* number of times that the delta killed the agent; 0 if it never did */
    bool oom;                  /* true if the kernel's OOM killer killed the agent */
    char delta[HF_SHA256_HEX]; /* hash of the delta */
    char from[HF_SHA256_HEX];  /* hash of the delta's base; method_choose() sets this field */
};

/* Facts about this attempt, and its progress. prepare.c writes seen, room, disk_room and go_reason; method.c writes
 * step_*; replace.c writes received_bytes and delta_failures. */
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
    bool recheck; /* true if an earlier process verified the new file; the swap then verifies the file again */
};

/* The action that failed and that the release repeats at the time retry.due_ns. */
enum release_redo { REDO_NOTHING, REDO_SAVE, REDO_COMMIT, REDO_CLEAN };

/* The time of the next attempt. Only retry.c writes these fields. */
struct release_retry {
    struct hf_backoff backoff;
    uint64_t due_ns; /* monotonic time before which no action starts; 0 if an action may start now */
    /* bytes that this node had received when a person last changed the object; these bytes do not count as wasted */
    uint64_t paid_bytes;
    enum release_redo redo;
    unsigned tries; /* number of times that the current commit or cleanup has failed */
};

/* The search for drift in a committed release. Only drift.c writes these fields. */
struct release_drift {
    /* what earlier checks found out about the committed version; all zero after an update */
    struct hf_swap_look look;
    /* true if hf_update_engine_check_drift() was called since the last check for drift */
    bool look_wanted;
    /* monotonic time before which no check for drift starts; 0 if a check may start now */
    uint64_t look_due_ns;
    /* a check that finds drift raises this number by 1, a check that finds none lowers it by 1 (never below 0); the
     * number sets the delay until the next check */
    unsigned repairs;
    char kept[HF_SHA256_HEX]; /* digest of the release in the file of update/state/committed.h; "" if unknown */
};

enum step_kind {
    STEP_NONE,
    STEP_SAVE,    /* writes the journal */
    STEP_INSPECT, /* inspects the target, the free space, and the record of an attempt that killed the agent */
    STEP_UNIT,    /* asks systemd if the unit exists */
    STEP_FETCH,
    STEP_PATCH,
    STEP_SWAP,
    STEP_RESTART,
    STEP_CHECKS,
    STEP_UNDO,
    STEP_COMMIT,
    STEP_CLEAN,
    STEP_LOOK, /* checks the committed file for drift */
};

/* The step in progress. Only the pointer that belongs to `kind` is set. Only step.c writes these fields. */
struct release_step {
    enum step_kind kind;
    bool stopping; /* step_stop() was called; an error at the end of this step then does not count as a failure */
    struct step_job *job;
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
    /* reason that the status shows instead of the journal's reason in the phases Waiting and Verified */
    enum hf_reason wait_reason;
    struct hf_journal j; /* the current journal, which is already on disk or is being written */
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
/* Reads the journal and the floor. Renames a damaged journal and then returns 0. Returns -errno if the journal cannot
 * be read. */
int release_load(struct release *release);
/* Starts the action that the wanted object and the clock now require, if any. Returns true if the release wants the
 * turn (the right to work). */
bool release_consider(struct release *release);
void release_take_turn(struct release *release);
/* Call this function after the caller has set the desired releases. Ends a repair of the committed release if the
 * release that the caller wants instead may start now. */
void release_recheck_repair(struct release *release);

/* Actions that release.c puts into the table of actions or starts itself. */

void prepare_start(struct release *release); /* Inspects the target, chooses the method, then raises HF_EV_GO. */
void replace_fetch(struct release *release);
void replace_patch(struct release *release);
void replace_swap(struct release *release);
void probation_start(struct release *release);
void rollback_start(struct release *release);
void finish_commit(struct release *release);
void finish_clean(struct release *release);
void drift_look(struct release *release);
/* Looks for drift in the committed release while the journal records another release. */
void drift_look_behind(struct release *release);

/* ---- service.c --------------------------------------------------------------------------------------------------- */

bool service_has_restart(const struct release *release);
/* service_restart() and service_check() each start a step. At the end of the step they call `done` once, with the
 * release as `arg`. */
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
/* Returns a new reference to the part of the committed EdgeUpdate that the node keeps; NULL if it is not in memory. */
json_t *wanted_committed(const struct release *release);
/* Returns true if the site's own order not to update is in force. This order forbids repairs, too. */
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

/* Decides if the update to the wanted object may start or continue now. *ret_message receives a text that explains
 * *ret_reason, or NULL. */
enum hf_gate_verdict review_ask(struct release *release, enum hf_reason *ret_reason, const char **ret_message);
void review_load_floor(struct release *release);

/* ---- method.c ---------------------------------------------------------------------------------------------------- */

/* Returns the artifact of the recorded release for this node's architecture, or NULL if the release has none. */
const struct hf_artifact *method_artifact(const struct release *release);
/* Returns the delta to fetch next, or NULL if the update fetches the whole file. */
const struct hf_delta_ref *method_delta(const struct release *release);
/* Call this function after an inspection of the target. Chooses between deltas and the whole file, and writes the
 * choice to j.method; if the chosen chain is not the shortest, explains why in j.detour. Returns the reason that the
 * status shows while the update continues. */
enum hf_reason method_choose(struct release *release, struct delta_death *death);
/* Stops using the current delta because of *err, and chooses another chain of deltas or the whole file. */
void method_drop_delta(struct release *release, const struct hf_err *err);
void method_use_whole_file(struct release *release);

/* ---- transition.c ------------------------------------------------------------------------------------------------ */

/* Makes the move that the table in rules/machine.h has for this event: writes the journal first, then starts the
 * action. If `reason` is HF_R_None, the journal keeps its reason and message. If `message` is NULL, the message is
 * hf_reason_meaning(reason). */
void transition_event(struct release *release, enum hf_update_event event, enum hf_reason reason, const char *message);
void transition_failure(struct release *release, enum hf_update_event event, const struct hf_failure *failure);
/* Like transition_failure() with -ENOMEM, but also sets a back-off. */
void transition_no_memory(struct release *release, enum hf_update_event event);
void transition_save_again(struct release *release);
/* Makes the status show `reason` without a change of state. If `reason` is HF_R_None, the status shows the journal's
 * reason again. */
void transition_wait(struct release *release, enum hf_reason reason);
/* Call this function when the journal in memory has become durable on disk. */
void transition_note_written(struct release *release);

/* ---- retry.c ----------------------------------------------------------------------------------------------------- */

/* Sets the time of the next attempt. `reason` selects the length of the back-off, which is at least at_least_ns. */
void retry_back_off(struct release *release, enum hf_reason reason, uint64_t at_least_ns);
/* Returns the monotonic time at which to consider the release again, or HF_NEVER. */
uint64_t retry_wake_ns(const struct release *release);
/* Call this function when the agent starts. If earlier downloads of this release had wrong content, delays the next
 * download, so that an agent that restarts often does not repeat such a download at each start. */
void retry_hold_back(struct release *release);
/* Call this function when `wanted` replaces the wanted object. If a person changed the object, schedules the next
 * attempt soon. */
void retry_object_changed(struct release *release, const struct hf_edgeupdate *wanted);

/* ---- step.c ------------------------------------------------------------------------------------------------------ */

/* A job that a worker runs for a release. The job borrows strings of the release; this is safe because the engine and
 * its releases live until the last job has ended. */
struct step_job {
    struct hf_job job;
    struct release *release;
    enum step_kind kind;
    int (*run)(struct step_job *step); /* called on the worker */
    /* called on the loop thread after `run`; not called if the engine is closing */
    void (*then)(struct release *release, struct step_job *step);
    atomic_bool cancel;
    int r;
    struct hf_failure failure;
    /* Parameters and results of the job. Each `run` function uses some of these fields. */
    struct hf_swap_params swap;
    struct hf_patch_params patch;
    struct hf_swap_inspection inspection;
    struct hf_room room;
    struct delta_death death;
    struct hf_swap_look look;
    struct hf_buf text; /* text of the journal, or of the file of update/state/committed.h */
    /* before the job, the history to join with the floor on disk; after the job, the floor on disk */
    struct hf_sequence_history floor;
    bool floor_done; /* true once the state folder holds `floor`; the copy below the root may still have failed */
    struct hf_edgeupdate *committed;      /* the committed release from disk, which the step owns; NULL if not read */
    char committed_digest[HF_SHA256_HEX]; /* digest of the committed release that the job reads or writes */
};

/* Makes a job, which the caller fills in and then submits or discards. Returns NULL if memory runs out. */
struct step_job *step_new(struct release *release, enum step_kind kind, int (*run)(struct step_job *step),
                          void (*then)(struct release *release, struct step_job *step));
/* Passes the job to a worker. If that fails, calls `then` at once, with a negative r in the job. */
void step_submit(struct step_job *step);
void step_discard(struct step_job *step);
/* Call this function at the start of a step that is not a job. For a job, step_submit() calls step_begin(). */
void step_begin(struct release *release, enum step_kind kind);
void step_end(struct release *release);
void step_stop(struct release *release); /* Asks the step to stop. Has no effect on a restart or on health checks. */
/* Cancels the step because the engine closes. Afterwards no callback of the step comes, except the end of a job or
 * download. */
void step_drop(struct release *release);
struct hf_target step_target(const struct release *release);
struct hf_swap_params step_swap_params(const struct release *release, const struct step_job *step);

/* ---- counts.c ---------------------------------------------------------------------------------------------------- */

void counts_init(struct hf_update_engine *engine);
void counts_move(const struct hf_update_engine *engine, const struct hf_journal *before, const struct hf_journal *now);
void counts_failure(const struct hf_update_engine *engine, enum hf_reason reason);
