/* update/release.h - internal header of pkg/update, for all .c files of this folder: one release, its parts and its
 * actions.
 *
 * A release has at most one step in progress. The end of a step raises an event; an event makes a move of the table
 * (rules/machine.h); a move is first written to the journal, then its action starts the next step. The caller may
 * change what it wants at any time: release_consider() looks at it between steps and stops a step that may be
 * interrupted.
 *
 * The files in layers; each calls only files below it (actions are registered in a table of release.c, so that
 * transition.c does not call upwards):
 *   engine.c                        the public functions; considers every release, gives one of them the turn
 *   release.c                       one release: load, consider, start again after a restart
 *   prepare.c replace.c             actions: inspect the target; fetch, patch, swap
 *   probation.c rollback.c          actions: restart and check the new version; restore the old one
 *   finish.c drift.c                actions: commit, clean up; look for drift
 *   service.c                       restart and health checks, for probation.c and rollback.c
 *   wanted.c method.c review.c      the object that is wanted; delta or whole file; may it start
 *   transition.c                    event, move, journal, action
 *   step.c retry.c counts.c         work on a worker; when to try again; metrics
 *   engine_core.c                   references, wake-ups, the turn
 *
 * Threads: loop thread, except for the `run` function of a step_job, which owns that job only. Memory: the engine owns
 * its releases; a release owns its parts. */
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

/* Releases in memory at once; releases with a history on this node (committed once, or rolled back). */
enum { HF_UPDATE_MAX_RELEASES = 64, HF_UPDATE_MAX_HISTORIES = 256 };

struct release;

/* ---- engine ------------------------------------------------------------------------------------------------------ */

/* Metrics; all NULL without a registry. Only counts.c writes these fields. */
struct counts {
    struct hf_metric_family *outcomes, *failures;
    struct hf_metric *fetched, *saved, *repairs, *rollbacks;
};

enum engine_state {
    ENGINE_RUNNING,
    ENGINE_QUIESCING, /* starts nothing new; downloads stop */
    ENGINE_CLOSING,   /* the owner has freed the engine, which waits for its last job */
};

struct hf_update_engine {
    struct hf_update_params p; /* strings are copies, in `strings` and `roots` */
    char *strings[6];
    char **roots;
    char *folder; /* <state>/updates */
    int lock_fd;
    enum engine_state state;
    unsigned refs; /* references: one for the owner, one for each job and download in progress */
    struct hf_timer *timer;
    bool wake_pending;         /* the timer is armed for the next turn of the loop */
    bool notify_pending;       /* call `changed` in that turn */
    struct hf_strmap releases; /* name to struct release */
    struct hf_strmap parked;   /* name to struct parked_release (engine.c) */
    struct release *active;    /* the release that has the turn; NULL: none */
    uint64_t turns;            /* given so far */
    struct counts counts;
};

/* engine_core.c */

void update_engine_ref(struct hf_update_engine *engine);
void update_engine_unref(struct hf_update_engine *engine); /* frees the engine with the last reference */
/* Consider every release in the loop's next turn. */
void update_engine_wake(struct hf_update_engine *engine);
/* Call params.changed in the loop's next turn. */
void update_engine_notify(struct hf_update_engine *engine);
/* Ends the release's turn; does nothing if another one has it. */
void update_engine_leave_turn(struct release *release);

/* ---- one release ------------------------------------------------------------------------------------------------- */

enum release_stage {
    RELEASE_LOADED,  /* read from disk; EV_STARTED is not dispatched yet */
    RELEASE_RUNNING, /* the table of moves decides */
    RELEASE_REMOVED, /* its folder is gone; the engine frees it unless it is wanted again */
};

/* The journal on disk. Only transition.c writes these fields. */
struct release_record {
    struct hf_journal shown; /* as on disk, or equivalent to that: the status shows this one */
    struct {                 /* last written; `shown` may be ahead by attempts that gained nothing */
        uint64_t time_unix_ns;
        enum hf_phase phase;
        enum hf_reason reason;
        unsigned attempts;
        char message[HF_UPDATE_MAX_MESSAGE];
    } written;
    struct hf_buf text;         /* text of the file */
    enum hf_update_action then; /* starts when the write is durable */
};

/* The object that is wanted, and the one that the journal names. Only wanted.c writes these fields. */
struct release_wanted {
    struct hf_edgeupdate *object; /* NULL: the caller wants no release of this name */
    enum hf_desired_gate gate;
    struct hf_edgeupdate *accepted; /* the object whose digest is j.digest; NULL: lost, or no longer needed */
    json_t *kept;                   /* the part of `accepted` that the journal keeps */
};

/* Decision if this node may install the wanted release. Each hf_update_engine_set() makes it out of date. Only review.c
 * writes these fields. */
struct release_review {
    bool current; /* distrust, misfit and message are up to date */
    enum hf_reason distrust, misfit;
    char message[HF_UPDATE_MAX_MESSAGE];
    bool floor_known;
    uint64_t floor;
};

/* A delta that killed the agent. */
struct delta_death {
    unsigned times;            /* 0: none */
    bool oom;                  /* the kernel's OOM killer ended the agent */
    char delta[HF_SHA256_HEX]; /* hash of the delta */
    char from[HF_SHA256_HEX];  /* hash of its base; method_choose() fills it in */
};

/* This attempt: findings and progress. Written by prepare.c (seen, room, disk_room, go_reason), method.c
 * (step_*), replace.c (received_bytes, delta_failures). */
struct release_attempt {
    struct hf_swap_inspection seen;
    /* memory that the process may take; read once for each attempt, so that the choice of method stays */
    struct hf_room room;
    uint64_t disk_room;              /* bytes that deltas may take beside the new version */
    enum hf_reason go_reason;        /* reason to begin with: Downloading, or the reason against the shortest chain */
    char step_sha256[HF_SHA256_HEX]; /* intermediate file that the next delta starts from; "": the installed file */
    uint64_t step_bytes;
    uint64_t received_bytes;
    unsigned delta_failures;
    unsigned restart_tries;
    bool recheck; /* another process made the new file: verify it again before the swap */
};

/* The call that failed and runs again at retry.due_ns. */
enum release_redo { REDO_NOTHING, REDO_SAVE, REDO_COMMIT, REDO_CLEAN };

/* Only retry.c writes these fields. */
struct release_retry {
    struct hf_backoff backoff;
    uint64_t due_ns;     /* monotonic: nothing starts before; 0: now */
    uint64_t paid_bytes; /* bytes received before somebody changed the object: not counted as waste */
    enum release_redo redo;
    unsigned tries; /* failed tries of a commit or clean-up */
};

/* Only drift.c writes these fields. */
struct release_drift {
    struct hf_swap_identity identity; /* committed file, as last seen */
    bool look_wanted;                 /* hf_update_engine_check_drift() was called since the last look */
    uint64_t look_due_ns;             /* time before which no look starts; 0: look when asked */
    /* repairs in this process; each look that found nothing wrong reduces the number */
    unsigned repairs;
};

enum step_kind {
    STEP_NONE,
    STEP_SAVE,    /* write the journal */
    STEP_INSPECT, /* the target, free space, an attempt that ended in a crash */
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

/* The step in progress; the pointer of its kind is set. Only step.c writes these fields. */
struct release_step {
    enum step_kind kind;
    bool stopping; /* step_stop() was called: the step's end does not count as a failure */
    struct step_job *job;
    struct hf_fetch *fetch;
    struct hf_restart *restart;
    struct hf_checks *checks;
    struct hf_unit_call *unit_call;
};

/* The action that each row of the table of moves starts; NULL: none. */
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
    struct hf_journal j;        /* current: the journal on disk, or the one being written */
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
/* Reads journal and floor. A damaged journal is set aside; -errno: the journal cannot be read. */
int release_load(struct release *release);
/* Looks at the wanted object and the clock, and starts what is due. Returns true if the release wants the turn. */
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
/* Each calls `done` once, with the release as `arg`; the step is over then. */
void service_restart(struct release *release, void (*done)(void *arg, int r, const struct hf_failure *failure));
void service_check(struct release *release, void (*done)(void *arg, const struct hf_health *health));

/* ---- wanted.c ---------------------------------------------------------------------------------------------------- */

/* Sets the object that the caller wants from now on; NULL: none. -ENOMEM. */
int wanted_set(struct release *release, const struct hf_desired *desired);
/* Reads the release that the journal keeps. */
void wanted_restore(struct release *release, json_t *kept);
void wanted_done(struct release *release); /* frees */
/* True if a release is wanted and it is the one in the journal. */
bool wanted_matches(const struct release *release);
/* True if no release of this name is wanted and the last one is at rest. */
bool wanted_no_more(const struct release *release);
/* Starts an update to the wanted object: the journal forgets the attempt before, but not the history. */
void wanted_accept(struct release *release, enum hf_update_event event, enum hf_reason reason);

/* ---- review.c ---------------------------------------------------------------------------------------------------- */

/* Decides if the wanted object may continue now. *ret_message: text that explains the reason; may be NULL. */
enum hf_gate_verdict review_ask(struct release *release, enum hf_reason *ret_reason, const char **ret_message);
void review_load_floor(struct release *release);

/* ---- method.c ---------------------------------------------------------------------------------------------------- */

/* NULL: the release has no artifact for this node */
const struct hf_artifact *method_artifact(const struct release *release);
const struct hf_delta_ref *method_delta(const struct release *release); /* the next delta; NULL: the whole file */
/* Sets j.method after an inspection, and j.detour where the chain is not the shortest. Returns the reason with which
 * the update continues. */
enum hf_reason method_choose(struct release *release, struct delta_death *death);
/* Drops the delta in use; another delta or the whole file takes its place. */
void method_drop_delta(struct release *release, const struct hf_err *err);
void method_use_whole_file(struct release *release);

/* ---- transition.c ------------------------------------------------------------------------------------------------ */

/* Makes the move that the table has for this event: journal first, then the action. Reason None keeps reason and
 * message. Message NULL: the reason's own meaning. */
void transition_event(struct release *release, enum hf_update_event event, enum hf_reason reason, const char *message);
void transition_failure(struct release *release, enum hf_update_event event, const struct hf_failure *failure);
/* Does the same as transition_failure() for -ENOMEM, with a back-off. */
void transition_no_memory(struct release *release, enum hf_update_event event);
void transition_save_again(struct release *release);
/* Shows this reason in the status while the state stays; None: shows the journal's reason. */
void transition_wait(struct release *release, enum hf_reason reason);
/* Call when the journal in memory is on disk. */
void transition_note_written(struct release *release);

/* ---- retry.c ----------------------------------------------------------------------------------------------------- */

/* Allows no new attempt before the back-off of this kind of failure has passed. */
void retry_back_off(struct release *release, enum hf_reason reason, uint64_t at_least_ns);
/* Returns the monotonic time at which to consider the release again; HF_NEVER. */
uint64_t retry_wake_ns(const struct release *release);
/* Call at a start: keeps downloads rare even if the agent restarts often. */
void retry_hold_back(struct release *release);
/* Call when `wanted` replaces the wanted object: if a person changed it, the next try comes soon. */
void retry_object_changed(struct release *release, const struct hf_edgeupdate *wanted);

/* ---- step.c ------------------------------------------------------------------------------------------------------ */

/* Work on a worker. It borrows from the release, which lives as long as the engine, which lives as long as its jobs. */
struct step_job {
    struct hf_job job;
    struct release *release;
    enum step_kind kind;
    int (*run)(struct step_job *step); /* on the worker */
    /* runs on the loop; not called once the engine closes */
    void (*then)(struct release *release, struct step_job *step);
    atomic_bool cancel;
    int r;
    struct hf_failure failure;
    /* Parameters and results; each `run` uses its own. */
    struct hf_swap_params swap;
    struct hf_patch_params patch;
    struct hf_swap_inspection inspection;
    struct hf_room room;
    struct delta_death death;
    struct hf_swap_identity identity;
    struct hf_buf text; /* text of the journal */
    uint64_t sequence;  /* value to which the job raises the floor; once done, 0 */
};

/* Makes a job, which the caller fills in and then submits or discards. NULL: out of memory. */
struct step_job *step_new(struct release *release, enum step_kind kind, int (*run)(struct step_job *step),
                          void (*then)(struct release *release, struct step_job *step));
void step_submit(struct step_job *step); /* if no worker takes the job, calls `then` at once, with r < 0 */
void step_discard(struct step_job *step);
/* Call when a step begins that is not a job. */
void step_begin(struct release *release, enum step_kind kind);
void step_end(struct release *release);
void step_stop(struct release *release); /* stops the step if its kind may be interrupted */
void step_drop(struct release *release); /* call when the engine is freed: only jobs still come back */
struct hf_target step_target(const struct release *release);
struct hf_swap_params step_swap_params(const struct release *release, const struct step_job *step);

/* ---- counts.c ---------------------------------------------------------------------------------------------------- */

void counts_init(struct hf_update_engine *engine);
void counts_move(const struct hf_update_engine *engine, const struct hf_journal *before, const struct hf_journal *now);
void counts_failure(const struct hf_update_engine *engine, enum hf_reason reason);
