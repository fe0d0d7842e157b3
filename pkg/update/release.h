/* update/release.h - internal header for the .c files of pkg/update: one release, with its parts and actions.
 *
 * A release has at most one step in progress. The end of a step raises an event. The table in rules/machine.h has a
 * move for the event: the next state and an action. transition.c first writes the next state to the journal; then the
 * action starts the next step. The caller may change the desired releases at any time. release_consider() notices such
 * a change, between steps and during a step that may be interrupted, which it then stops.
 *
 * The files form layers; each file calls only files in lower rows. (transition.c calls the actions through a table that
 * release.c fills in.)
 *   engine.c                        the public functions; considers every release, gives one of them the turn
 *   release.c                       one release: load its journal, consider, resume after a restart of the agent
 *   prepare.c replace.c             actions: inspect the target; fetch, patch, swap
 *   probation.c rollback.c          actions: restart and check the new version; restore the old one
 *   finish.c drift.c                actions: commit, clean up; look for drift
 *   service.c                       restart and health checks, for probation.c and rollback.c
 *   wanted.c method.c review.c      the wanted object; delta or whole file; if the release may start
 *   transition.c                    event, move, journal, action
 *   step.c retry.c counts.c         jobs on workers; time of the next attempt; metrics
 *   engine_core.c                   references, wake-ups, the turn
 *
 * Threads: loop thread only, except that the `run` function of a step_job runs on a worker and owns only that job.
 * Memory: the engine owns its releases; a release owns its parts. */
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
#include "update/state/attempt.h"
#include "update/state/journal.h"

/* Limits: releases that are wanted at once; releases on this node, with those that only have a history (committed once,
 * or rolled back). */
enum { HF_UPDATE_MAX_RELEASES = 64, HF_UPDATE_MAX_HISTORIES = 256 };

struct release;

/* ---- engine ------------------------------------------------------------------------------------------------------ */

/* Metrics; all fields are NULL if params.metrics is NULL. Only counts.c writes these fields. */
struct counts {
    struct hf_metric_family *outcomes, *failures;
    struct hf_metric *fetched, *saved, *repairs, *rollbacks;
};

enum engine_state {
    ENGINE_RUNNING,
    ENGINE_QUIESCING, /* starts nothing new; downloads stop */
    ENGINE_CLOSING,   /* the owner has called hf_update_engine_free(); the engine frees itself after its last job */
};

struct hf_update_engine {
    struct hf_update_params p; /* its strings are copies that `strings` and `roots` own */
    char *strings[6];
    char **roots;
    char *folder; /* <state>/updates */
    int lock_fd;
    enum engine_state state;
    unsigned refs; /* references: one for the owner, one for each job and download in progress */
    struct hf_timer *timer;
    bool wake_pending;         /* the timer is armed for the next turn of the loop */
    bool notify_pending;       /* the next timer callback calls params.changed */
    struct hf_strmap releases; /* maps a name to a struct release */
    struct hf_strmap parked;   /* maps a name to a struct parked_release (engine.c) */
    struct release *active;    /* the release that has the turn; NULL if none */
    uint64_t turns;            /* number of turns given so far */
    struct counts counts;
};

/* engine_core.c */

void update_engine_ref(struct hf_update_engine *engine);
void update_engine_unref(struct hf_update_engine *engine); /* frees the engine if this was the last reference */
/* Makes the engine consider every release in the loop's next turn. */
void update_engine_wake(struct hf_update_engine *engine);
/* Makes the engine call params.changed in the loop's next turn. */
void update_engine_notify(struct hf_update_engine *engine);
/* Ends the turn of `release`. Does nothing if `release` does not have the turn. */
void update_engine_leave_turn(struct release *release);

/* ---- one release ------------------------------------------------------------------------------------------------- */

enum release_stage {
    RELEASE_LOADED,  /* read from disk; EV_STARTED is not dispatched yet */
    RELEASE_RUNNING, /* the table of moves decides */
    RELEASE_REMOVED, /* its folder is gone; the engine frees the release unless an object wants the release again */
};

/* The journal on disk. Only transition.c writes these fields. */
struct release_record {
    struct hf_journal shown; /* journal that the status shows: durable, except for attempts that made no progress */
    struct {                 /* values last written to disk; `shown` may count later attempts that made no progress */
        uint64_t time_unix_ns;
        enum hf_phase phase;
        enum hf_reason reason;
        unsigned attempts;
        char message[HF_UPDATE_MAX_MESSAGE];
    } written;
    struct hf_buf text;         /* content of the journal file */
    enum hf_update_action then; /* action that starts when the write is durable */
};

/* The wanted object, and the object whose release the journal records. Only wanted.c writes these fields. */
struct release_wanted {
    struct hf_edgeupdate *object; /* the wanted object; NULL if the caller wants no release of this name */
    enum hf_desired_gate gate;
    struct hf_edgeupdate *accepted; /* the object whose digest is j.digest; NULL if lost or no longer needed */
    json_t *kept;                   /* the part of `accepted` that the journal keeps */
};

/* Facts for the decision if this node may install the wanted release. Each hf_update_engine_set() makes these facts out
 * of date. Only review.c writes these fields. */
struct release_review {
    bool current; /* distrust, misfit and message are up to date */
    enum hf_reason distrust, misfit;
    char message[HF_UPDATE_MAX_MESSAGE];
    bool floor_known;
    uint64_t floor;
};

/* A delta that killed the agent. */
struct delta_death {
    unsigned times;            /* number of times; 0 if the delta never did */
    bool oom;                  /* the kernel's OOM killer ended the agent */
    char delta[HF_SHA256_HEX]; /* hash of the delta */
    char from[HF_SHA256_HEX];  /* hash of its base; method_choose() fills it in */
};

/* Facts about this attempt, and its progress. prepare.c writes seen, room, disk_room and go_reason; method.c writes
 * step_*; replace.c writes received_bytes and delta_failures. */
struct release_attempt {
    struct hf_swap_inspection seen;
    /* memory that the process may use; read once per attempt, so that the choice of method does not change during the
     * attempt */
    struct hf_room room;
    uint64_t disk_room; /* bytes of disk that deltas may use in addition to the new version */
    /* reason that the status shows first: Downloading, or why the update does not use the shortest chain */
    enum hf_reason go_reason;
    /* hash of the intermediate file that is the next delta's base; "" if the base is the installed file */
    char step_sha256[HF_SHA256_HEX];
    uint64_t step_bytes;
    uint64_t received_bytes;
    unsigned delta_failures;
    unsigned restart_tries;
    bool recheck; /* an earlier process made the new file, so verify the file again before the swap */
};

/* The call that failed and runs again at retry.due_ns. */
enum release_redo { REDO_NOTHING, REDO_SAVE, REDO_COMMIT, REDO_CLEAN };

/* Only retry.c writes these fields. */
struct release_retry {
    struct hf_backoff backoff;
    uint64_t due_ns;     /* monotonic time before which nothing starts; 0 if something may start now */
    uint64_t paid_bytes; /* bytes received before a person changed the object; these do not count as wasted */
    enum release_redo redo;
    unsigned tries; /* number of failed tries of a commit or cleanup */
};

/* Only drift.c writes these fields. */
struct release_drift {
    struct hf_swap_look look; /* of the committed version; zero after an update */
    bool look_wanted;         /* hf_update_engine_check_drift() was called since the last look */
    uint64_t look_due_ns;     /* monotonic time before which no look starts; 0 if there is no such time */
    /* repairs in this process, minus one for each look that found no drift; at least 0 */
    unsigned repairs;
};

enum step_kind {
    STEP_NONE,
    STEP_SAVE,    /* writes the journal */
    STEP_INSPECT, /* inspects the target, free space, and the record of an attempt that killed the agent */
    STEP_UNIT,    /* asks if systemd knows the unit */
    STEP_FETCH,
    STEP_PATCH,
    STEP_SWAP,
    STEP_RESTART,
    STEP_CHECKS,
    STEP_UNDO,
    STEP_COMMIT,
    STEP_CLEAN,
    STEP_LOOK, /* for drift */
};

/* The step in progress. Only the pointer that belongs to `kind` is set. Only step.c writes these fields. */
struct release_step {
    enum step_kind kind;
    bool stopping; /* step_stop() was called: the end of this step does not count as a failure */
    struct step_job *job;
    struct hf_fetch *fetch;
    struct hf_restart *restart;
    struct hf_checks *checks;
    struct hf_unit_call *unit_call;
};

/* The function that starts each action of the table of moves; NULL if the action needs no function. */
struct release_actions {
    void (*start[HF_ACT_COUNT])(struct release *release);
};

struct release {
    struct hf_update_engine *engine;
    const struct release_actions *actions;
    char *folder; /* <state>/updates/<name> */
    enum release_stage stage;
    uint64_t last_turn;
    enum hf_reason wait_reason; /* shown in the status instead of the journal's reason while Waiting or Verified */
    struct hf_journal j;        /* the current journal: on disk already, or on its way to disk */
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
/* Reads the journal and the floor. Sets a damaged journal aside without an error. -errno: the journal cannot be
 * read. */
int release_load(struct release *release);
/* Starts an action that is due according to the wanted object and the clock. Returns true if the release wants the
 * turn. */
bool release_consider(struct release *release);
void release_take_turn(struct release *release);

/* The actions that release.c registers or starts. */

void prepare_start(struct release *release); /* inspects the target, chooses the method, then raises EV_GO */
void replace_fetch(struct release *release);
void replace_patch(struct release *release);
void replace_swap(struct release *release);
void probation_start(struct release *release);
void rollback_start(struct release *release);
void finish_commit(struct release *release);
void finish_clean(struct release *release);
void drift_look(struct release *release);

/* ---- service.c --------------------------------------------------------------------------------------------------- */

bool service_has_restart(const struct release *release);
/* Each function starts a step, and at the end of the step calls `done` once, with the release as `arg`. */
void service_restart(struct release *release, void (*done)(void *arg, int r, const struct hf_failure *failure));
void service_check(struct release *release, void (*done)(void *arg, const struct hf_health *health));

/* ---- wanted.c ---------------------------------------------------------------------------------------------------- */

/* Sets the object that the caller wants from now on; NULL if the caller wants none. The only error is -ENOMEM. */
int wanted_set(struct release *release, const struct hf_desired *desired);
/* Sets kept and accepted from the JSON that the journal keeps. Takes ownership of `kept`. */
void wanted_restore(struct release *release, json_t *kept);
void wanted_done(struct release *release); /* frees */
/* True if an object is wanted and the journal records the release of that object. */
bool wanted_matches(const struct release *release);
/* True if no release of this name is wanted, and the phase is Idle, Committed or RolledBack. */
bool wanted_no_more(const struct release *release);
/* Starts an update to the wanted object. The journal then drops the data of the last update, but keeps the history. */
void wanted_accept(struct release *release, enum hf_update_event event, enum hf_reason reason);

/* ---- review.c ---------------------------------------------------------------------------------------------------- */

/* Decides if the update to the wanted object may continue now. *ret_message receives a text that explains the reason,
 * or NULL. */
enum hf_gate_verdict review_ask(struct release *release, enum hf_reason *ret_reason, const char **ret_message);
void review_load_floor(struct release *release);

/* ---- method.c ---------------------------------------------------------------------------------------------------- */

/* Returns the artifact for this node, or NULL if the release has none. */
const struct hf_artifact *method_artifact(const struct release *release);
/* returns the next delta, or NULL to fetch the whole file */
const struct hf_delta_ref *method_delta(const struct release *release);
/* Call after an inspection. Sets j.method, and sets j.detour if the chain is not the shortest. Returns the reason that
 * the status shows while the update continues. */
enum hf_reason method_choose(struct release *release, struct delta_death *death);
/* Stops using the current delta and chooses another chain, or the whole file. *err is the cause. */
void method_drop_delta(struct release *release, const struct hf_err *err);
void method_use_whole_file(struct release *release);

/* ---- transition.c ------------------------------------------------------------------------------------------------ */

/* Makes the move that the table has for this event: writes the journal first, then starts the action. Reason None keeps
 * the reason and message of the journal. If `message` is NULL, the message is the meaning of the reason. */
void transition_event(struct release *release, enum hf_update_event event, enum hf_reason reason, const char *message);
void transition_failure(struct release *release, enum hf_update_event event, const struct hf_failure *failure);
/* Like transition_failure() with -ENOMEM, but also sets a back-off. */
void transition_no_memory(struct release *release, enum hf_update_event event);
void transition_save_again(struct release *release);
/* Makes the status show this reason, without a move. With None, the status shows the journal's reason again. */
void transition_wait(struct release *release, enum hf_reason reason);
/* Call when the journal in memory has become durable. */
void transition_note_written(struct release *release);

/* ---- retry.c ----------------------------------------------------------------------------------------------------- */

/* Sets the time of the next attempt by a back-off that suits this kind of failure. The back-off is at least
 * at_least_ns. */
void retry_back_off(struct release *release, enum hf_reason reason, uint64_t at_least_ns);
/* Returns the monotonic time at which to consider the release again, or HF_NEVER. */
uint64_t retry_wake_ns(const struct release *release);
/* Call when the agent starts. Delays downloads after wrong artifacts, so that an agent that restarts often does not
 * repeat such a download often. */
void retry_hold_back(struct release *release);
/* Call when `wanted` replaces the wanted object. If a person changed the object, the next attempt comes soon. */
void retry_object_changed(struct release *release, const struct hf_edgeupdate *wanted);

/* ---- step.c ------------------------------------------------------------------------------------------------------ */

/* A job of a release on a worker. The job borrows strings of the release. The engine and its releases live until the
 * last job has ended. */
struct step_job {
    struct hf_job job;
    struct release *release;
    enum step_kind kind;
    int (*run)(struct step_job *step); /* runs on the worker */
    /* runs on the loop after `run`; not called if the engine is closing */
    void (*then)(struct release *release, struct step_job *step);
    atomic_bool cancel;
    int r;
    struct hf_failure failure;
    /* Parameters and results; each `run` function uses some of these. */
    struct hf_swap_params swap;
    struct hf_patch_params patch;
    struct hf_swap_inspection inspection;
    struct hf_room room;
    struct delta_death death;
    struct hf_swap_look look;
    struct hf_buf text; /* text of the journal */
    uint64_t sequence;  /* value to which the job raises the floor; 0 after it has done so */
};

/* Makes a job, which the caller fills in and then submits or discards. NULL: out of memory. */
struct step_job *step_new(struct release *release, enum step_kind kind, int (*run)(struct step_job *step),
                          void (*then)(struct release *release, struct step_job *step));
void step_submit(struct step_job *step); /* if no worker takes the job, calls `then` at once, with r < 0 */
void step_discard(struct step_job *step);
/* Call at the start of a step that is not a job. For a job, step_submit() calls this function. */
void step_begin(struct release *release, enum step_kind kind);
void step_end(struct release *release);
void step_stop(struct release *release); /* asks the step to stop; has no effect on a restart or health checks */
/* call when the engine closes: cancels the step; after that only jobs and downloads still end */
void step_drop(struct release *release);
struct hf_target step_target(const struct release *release);
struct hf_swap_params step_swap_params(const struct release *release, const struct step_job *step);

/* ---- counts.c ---------------------------------------------------------------------------------------------------- */

void counts_init(struct hf_update_engine *engine);
void counts_move(const struct hf_update_engine *engine, const struct hf_journal *before, const struct hf_journal *now);
void counts_failure(const struct hf_update_engine *engine, enum hf_reason reason);
