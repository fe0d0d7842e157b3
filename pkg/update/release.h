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
#include "update/engine_impl.h"
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

#include "update/parts.h"
