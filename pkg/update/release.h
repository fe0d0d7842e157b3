/* update/release.h - inside of the engine: one release, and how its moves are made. Nobody outside pkg/update includes this.
 *
 *   engine.c    what is known and wanted, whose turn it is, when to look again
 *   release.c   one move: journal first, then the action
 *   again.c     when to try again
 *   steps.c     steps in general; forward.c, verdict.c: the actions, and what their ends mean
 * At any time a release has at most one step under way. A step's end leads to an event, an event to a move, a move to a journal
 * write, and its end to the next step. What is wanted may change at any time: it is looked at (release_consider) between steps,
 * and steps that may be interrupted are. */
#pragma once

#include <limits.h>
#include <stdatomic.h>

#include "base/backoff.h"
#include "base/strmap.h"
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

/* In memory at once; and names whose history this node keeps (what was committed, what must not come back). */
enum { HF_UPDATE_MAX_RELEASES = 64, HF_UPDATE_MAX_HISTORIES = 256 };

struct release;

/* Handles; all NULL when nobody listens. */
struct counts {
    struct hf_metric_family *outcomes, *failures;
    struct hf_metric *fetched, *saved, *repairs, *rollbacks;
};

struct hf_update_engine {
    struct hf_update_params p; /* strings are ours */
    struct counts counts;
    char *strings[6];
    char **roots;
    char folder[PATH_MAX]; /* <state>/updates */
    struct hf_strmap releases;
    struct release *active; /* whose turn it is */
    struct hf_timer *timer;
    uint64_t turns;
    int lock_fd;
    unsigned refs; /* one for the owner, one for each job and fetch under way */
    bool closing, resting, told, poked;
    struct hf_strmap parked; /* by name: releases whose history is on disk alone (engine.c) */
    bool was_set;            /* what is wanted is known */
    size_t n_histories;      /* folders of ours */
};

enum step_kind {
    STEP_NONE,
    STEP_SAVE,    /* the journal is being written */
    STEP_INSPECT, /* what is installed, how much space */
    STEP_UNIT,    /* is the unit known */
    STEP_FETCH,
    STEP_PATCH,
    STEP_SWAP,
    STEP_RESTART,
    STEP_CHECKS,
    STEP_UNDO,
    STEP_COMMIT,
    STEP_CLEAN,
    STEP_LOOK, /* is what was committed still there */
};

/* A delta that the agent died of. */
struct death {
    unsigned times;            /* 0: none */
    bool oom;                  /* the kernel's OOM killer struck then */
    char delta[HF_SHA256_HEX]; /* its own hash */
    char from[HF_SHA256_HEX];  /* of what it begins with; filled in by release_choose_way() */
};

/* A step on a worker. It borrows from the release, which lives as long as the engine, which lives as long as its jobs. */
struct step_job {
    struct hf_job job;
    struct release *release;
    enum step_kind kind;
    int (*run)(struct step_job *step);                            /* on the worker */
    void (*then)(struct release *release, struct step_job *step); /* on the loop */
    atomic_bool cancel;
    int r;
    struct hf_failure failure;
    struct hf_swap_params swap;
    struct hf_patch_params patch;
    struct hf_swap_inspection inspection;
    struct hf_room room;
    struct death death;
    struct hf_swap_identity look;
    struct hf_buf text; /* of the journal */
    uint64_t sequence;  /* to raise the floor to */
};

struct release {
    struct hf_update_engine *engine;
    char folder[PATH_MAX];
    struct hf_journal j;     /* as it is, or is being written */
    struct hf_journal shown; /* as it is on disk, or as good as that */
    struct {                 /* what was last written to disk: `shown` may be ahead by attempts that came to nothing */
        uint64_t time_unix_ns;
        enum hf_phase phase;
        enum hf_reason reason;
        unsigned attempts;
        char message[HF_UPDATE_MAX_MESSAGE];
    } written;
    struct hf_buf saved;        /* its text */
    bool unsaved;               /* the last write failed: again when due */
    enum hf_update_action then; /* the action that waits for the write */

    struct hf_edgeupdate *update; /* what j.digest names; NULL when it is not needed any more or was lost */
    json_t *kept;                 /* the part of it that the journal keeps */
    struct hf_edgeupdate *wanted; /* NULL: nothing */
    enum hf_desired_gate gate;

    enum step_kind step;
    struct step_job *job;
    struct hf_fetch *fetch;
    struct hf_restart *restart;
    struct hf_checks *checks;
    struct hf_unit_call *unit_call;
    bool stopping;

    /* What is known of the wanted one; asked again with every hf_update_engine_set(). */
    bool asked;
    enum hf_reason distrust, misfit;
    char ask_message[HF_UPDATE_MAX_MESSAGE];
    uint64_t floor;
    bool floor_known;

    bool started;                /* EV_STARTED was dispatched in this life */
    enum hf_update_action again; /* COMMIT or CLEAN that has not succeeded yet */
    unsigned again_tries;
    bool recheck; /* the new file was made in an earlier life */
    bool moved;   /* bytes came in this attempt */
    unsigned delta_failures;
    unsigned restart_tries;
    struct hf_swap_inspection seen;
    uint64_t paid_bytes; /* fetched before the object was changed: waste that is forgiven */
    uint64_t disk_room;  /* what a way by deltas may take beside the new version */
    struct hf_room room; /* of memory; looked at once for each attempt: the choice must not change half-way */
    enum hf_reason go_reason;
    uint64_t step_bytes;
    struct hf_backoff backoff;
    uint64_t due_ns; /* monotonic: not before; 0 now */
    uint64_t last_turn;
    struct hf_swap_identity look;    /* what was committed, as last seen */
    uint64_t look_due_ns;            /* not before, after a repair; 0: when asked */
    unsigned drifts;                 /* in this life */
    enum hf_reason wait_reason;      /* over the journal's, while Waiting or Verified */
    bool look_wanted;                /* hf_update_engine_check_drift() since the last look */
    bool forgotten;                  /* its folder is gone */
    char step_sha256[HF_SHA256_HEX]; /* the file between that the next delta begins with; "": what is installed */
};

/* ---- engine.c --------------------------------------------------------------------------------------------------------- */

void engine_ref(struct hf_update_engine *engine);
void engine_unref(struct hf_update_engine *engine);
void engine_poke(struct hf_update_engine *engine); /* look at every release, in the loop's next turn */
void engine_changed(struct hf_update_engine *engine);
/* The turn is over (or was not this one's). */
void engine_leave(struct release *release);
bool engine_path_taken(const struct release *release, const char *path);

/* ---- release.c -------------------------------------------------------------------------------------------------------- */

struct release *release_new(struct hf_update_engine *engine, const char *name);
void release_free(struct release *release);
int release_load(struct release *release); /* its journal and floor; -errno: cannot be read at all */
int release_want(struct release *release, const struct hf_desired *desired); /* NULL: nothing; -ENOMEM */
/* Make the move that the table has for this event: journal, then action. Reason None: reason and message stay. Message NULL:
 * the reason's own meaning. */
void release_event(struct release *release, enum hf_update_event event, enum hf_reason reason, const char *message);
void release_failure(struct release *release, enum hf_update_event event, const struct hf_failure *failure);
/* Look at what is wanted and what time it is. True: it wants its turn. */
bool release_consider(struct release *release);
void release_take_turn(struct release *release);
void release_drifted(struct release *release);
/* May what is wanted go on now? *ret_message: NULL, or more than the reason says. */
enum hf_gate_verdict release_ask(struct release *release, enum hf_reason *ret_reason, const char **ret_message);
void release_wait(struct release *release, enum hf_reason reason); /* what is shown while nothing moves */
bool release_wants(const struct release *release);                 /* something, and it is what the journal speaks of */

/* ---- again.c ---------------------------------------------------------------------------------------------------------- */

/* Not again before the backoff of this kind of failure. */
void release_back_off(struct release *release, enum hf_reason reason, uint64_t at_least_ns);
/* When it must be looked at again, monotonic; HF_NEVER. */
uint64_t release_wake_ns(const struct release *release);
void release_hold_back(struct release *release);                                   /* at a start */
void release_changed(struct release *release, const struct hf_edgeupdate *wanted); /* is wanted from now on */

/* ---- steps.c ---------------------------------------------------------------------------------------------------------- */

void step_run(struct release *release, enum hf_update_action action);
void step_stop(struct release *release); /* if it may be */
void step_drop(struct release *release); /* at the engine's end: nothing comes back but jobs */

/* A step on a worker: made, filled in, submitted (its `then` is called in any case, at once when no worker is to be had), or
 * discarded. NULL on OOM. */
struct step_job *step_new(struct release *release, enum step_kind kind, int (*run)(struct step_job *step),
                          void (*then)(struct release *release, struct step_job *step));
void step_submit(struct step_job *step);
void step_discard(struct step_job *step);
struct hf_target step_target(const struct release *release);
struct hf_swap_params step_swap(const struct release *release, const struct step_job *step);
void step_no_memory(struct release *release, enum hf_update_event event);

/* ---- choose.c --------------------------------------------------------------------------------------------------------- */

const struct hf_artifact *release_artifact(const struct release *release); /* NULL: none for this node */
const struct hf_delta_ref *
release_delta(const struct release *release); /* the next one on the way; NULL: the whole file */
/* After an inspection: sets the method. The reason to go on with: Downloading, or why the way is not the shortest, with j.detour. */
enum hf_reason release_choose_way(struct release *release, struct death *death);
/* The delta under way will not do; sets the method anew. */
void release_delta_unfit(struct release *release, const struct hf_err *err); /* another delta, or the whole file */
void release_delta_bad(struct release *release);                             /* the whole file */

/* ---- counts.c --------------------------------------------------------------------------------------------------------- */

void counts_init(struct hf_update_engine *engine);
void counts_move(const struct hf_update_engine *engine, const struct hf_journal *before, const struct hf_journal *now);
void counts_failure(const struct hf_update_engine *engine, enum hf_reason reason);

/* ---- forward.c -------------------------------------------------------------------------------------------------------- */

void step_inspect(struct release *release);
void step_fetch(struct release *release);
void step_patch(struct release *release);
void step_swap_in(struct release *release);

/* ---- verdict.c -------------------------------------------------------------------------------------------------------- */

void step_probe(struct release *release);
void step_roll_back(struct release *release);
void step_end(struct release *release, enum hf_update_action action); /* COMMIT or CLEAN */
void step_look(struct release *release);
