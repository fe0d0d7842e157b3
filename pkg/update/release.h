/* SPDX-License-Identifier: Apache-2.0 */
/* Internal header for the .c files of pkg/update: one release, with its parts and actions.
 *
 * A release has at most one step in progress, whose end can raise an event of rules/machine.h: transition.c writes the
 * next state to the journal, then starts the move's action. When the desired releases change, release_consider() reacts
 * between two steps, and stops one that may be interrupted.
 *
 * A file calls only files in its own and later rows, but transition.c the actions, through a table of release.c:
 *  engine.c; release.c
 *  the actions: prepare.c replace.c; probation.c rollback.c; finish.c drift.c order.c
 *  service.c hooks.c retain.c; boots.c self.c self_trial.c; wanted.c method.c review.c
 *  transition.c; step.c retry.c counts.c; engine_core.c
 *
 * Threads: `run` of a step_job runs on a worker, and accesses only the job and what does not change while it runs.
 * Memory: the engine owns its releases; a release owns its parts. */
#pragma once

#include "base/strmap.h"
#include "loop/unit.h"
#include "os/room.h"
#include "steer/job.h"
#include "steps/checks.h"
#include "steps/command.h"
#include "steps/fetch.h"
#include "steps/restart.h"
#include "update/engine_impl.h"
#include "update/install/patch.h"
#include "update/install/swap.h"
#include "update/kept/kept.h"
#include "update/rules/gate.h"
#include "update/rules/machine.h"
#include "update/rules/sequence.h"
#include "update/state/attempt.h"
#include "update/state/journal.h"

/* Releases wanted at one time, and all releases on this node: also those that only have a history. */
enum { HF_UPDATE_MAX_RELEASES = 64, HF_UPDATE_MAX_HISTORIES = 256 };

struct release;

/* ---- one release ------------------------------------------------------------------------------------------------- */

enum release_stage {
    RELEASE_LOADED, /* has not received HF_EV_STARTED yet */
    /* the journal cannot be read, and is only read again until it is treated as damaged */
    RELEASE_UNREAD,
    RELEASE_RUNNING,
    /* the engine has tried to delete the folder, and frees the release unless it is wanted again */
    RELEASE_REMOVED,
};

/* The journal on disk. Only transition.c writes it, and release.c when it reads the journal. */
struct release_record {
    /* in the status; newer than on disk after attempts without progress, which are not written */
    struct hf_journal shown;
    /* some values of the journal on disk */
    struct {
        uint64_t time_unix_ns;
        enum hf_phase phase;
        enum hf_reason reason;
        unsigned attempts;
        char message[HF_UPDATE_MAX_MESSAGE];
    } written;
    uint64_t unread_ns; /* RELEASE_UNREAD: time of the first read that failed; otherwise 0 */
};

/* What is wanted, and what the journal records. Only wanted.c writes it, but transition.c frees `kept` at the end of an
 * update, and release_recheck_repair() replaces `object` during its call. */
struct release_wanted {
    /* to install: during a repair the committed one, else the one that the caller wants; NULL: none */
    struct hf_edgeupdate *object;
    /* during a repair, or while `ordered`, what the caller wants; otherwise NULL */
    struct hf_edgeupdate *asked;
    bool ordered; /* `object` is the version before, by the site's order (order.c) */
    enum hf_desired_gate gate;
    bool held;           /* by the site's own order */
    bool turn_missing;   /* the swap needs a turn, and this node has none */
    bool writes_used_up; /* the policy's write budget is used up */
    enum hf_link link;   /* whether the policy allows bulk transfers */
    /* its release is in the journal; NULL: lost or no longer needed */
    struct hf_edgeupdate *accepted;
    json_t *kept; /* the part of `accepted` in the journal */
};

/* May this node install the wanted release? Only review.c writes it, but others clear `current`, and finish.c sets
 * `floor` after a commit. */
struct release_review {
    bool current; /* `distrust`, `misfit`, `bad_exec` and `message` are up to date */
    enum hf_reason distrust, misfit;
    /* ExecNotAllowed, UnitNotAllowed, OwnProgram (the release is the agent itself) or HF_R_None */
    enum hf_reason bad_exec;
    char message[HF_UPDATE_MAX_MESSAGE];
    bool floor_known;
    /* on disk; the journal may record one later commit */
    struct hf_sequence_history floor;
    char history_message[HF_UPDATE_MAX_MESSAGE];
    /* the range of times that the present can be; valid if the latest reason was ClockUnsure */
    char clock_message[HF_UPDATE_MAX_MESSAGE];
    /* valid if the latest reason was DiskSpaceLow */
    char disk_message[HF_UPDATE_MAX_MESSAGE];
};

/* A delta that the update must avoid, because the agent died while applying it. */
struct delta_death {
    unsigned times; /* 0: there is none */
    bool oom;       /* the OOM killer killed a process in the agent's cgroup or in the one above */
    char delta[HF_SHA256_HEX];
    char from[HF_SHA256_HEX]; /* hash of its base, from method_choose() */
};

/* The attempt in progress, which the files of the actions write. received_bytes begins with the attempt,
 * delta_failures, restart_tries and `recheck` with the update. */
struct release_attempt {
    struct hf_swap_inspection seen;
    /* memory for the agent; measured once an attempt */
    struct hf_room room;
    uint64_t disk_room;       /* disk bytes for deltas besides the new version */
    enum hf_kept_source kept; /* where the inspection found the content on the disk */
    bool kept_failed;         /* it could not be taken from there: fetch it */
    /* first in the status: Downloading, or why not the shortest chain of deltas */
    enum hf_reason go_reason;
    /* intermediate file that is the base of the next delta; "": the base is the installed file */
    char step_sha256[HF_SHA256_HEX];
    uint64_t step_bytes;
    uint64_t received_bytes;
    unsigned delta_failures;
    unsigned restart_tries;
    unsigned reboots; /* commands of install.reboot that this process ran after the last change at the path */
    /* The agent's own release was rolled back, and this process, maybe of the bad version, still runs. Not in the
     * journal: the next process is of the old version however this one ends. */
    bool owes_restart;
    bool recheck; /* an earlier process, or a hook after it, had the verified file: the swap must verify it again */
    bool rollback_told; /* beforeRollback has run for this swap */
};

/* What is repeated at retry.due_ns; for COMMIT and CLEAN also while in progress. */
enum release_redo { REDO_NOTHING, REDO_COMMIT, REDO_CLEAN };

/* retry.c computes the back-off; other files set short fixed delays. */
struct release_retry {
    uint64_t due_ns; /* no action starts before; 0: now */
    /* j.bytes_fetched when a person last changed the object: not wasted */
    uint64_t paid_bytes;
    enum release_redo redo;
    /* failures of the current cleanup, or of the commit since it saved the floor */
    unsigned tries;
    /* next try of a cleanup that failed so often that it no longer holds up other work; 0: none */
    uint64_t clean_due_ns;
};

/* The search for drift. Only drift.c and repairs.c write it, but release.c, engine.c and watches.c set look_wanted, and
 * transition.c resets `look` when another version is committed. */
struct release_drift {
    struct hf_swap_look look; /* zero before the first check, and after one that found drift */
    /* the agent has started, a watch fired, or the interval has passed */
    bool look_wanted;
    bool fired;            /* a watch fired after the last check */
    bool at_interval;      /* hf_update_engine_check_drift() came after the last check */
    uint64_t look_due_ns;  /* no check starts before; 0: now */
    uint64_t newer_due_ns; /* no attempt of the newer release starts before, in whose place a repair runs; 0: now */
    uint64_t boot_due_ns;  /* when the committed release is judged after a boot (probation.c); 0: now */
    uint64_t order_due_ns; /* when the version before is looked for again (order.c); 0: now */
    /* one more for each check that finds drift, one less for each other at an interval: sets the delay */
    unsigned repairs;
    char kept[HF_SHA256_HEX]; /* digest in the file of update/state/committed.h; "": unknown */
};

/* inotify watches of the folders of what is installed. Only watches.c writes it. */
struct release_watches {
    struct hf_watch **watches;
    size_t n;
    struct hf_buf folders; /* paths, each with its terminator */
};

enum step_kind {
    STEP_NONE,
    STEP_READ,    /* the journal again */
    STEP_INSPECT, /* target, free space, and an attempt during which the agent died */
    STEP_UNIT,    /* asks systemd if the unit exists */
    STEP_ASK,     /* the neighbours */
    STEP_FETCH,
    STEP_PATCH,
    STEP_SWAP,
    STEP_HOOK,
    STEP_RESTART,
    STEP_CHECKS,
    STEP_CONFIRM, /* compares the target with what the health checks judged */
    STEP_UNDO,
    STEP_COMMIT,
    STEP_CLEAN,
    STEP_LOOK,  /* for drift */
    STEP_ORDER, /* of the site: the version before, or the end of the order */
};

/* Only the pointer of `kind` is set, by the file that starts the step; step.c writes the rest. */
struct release_step {
    enum step_kind kind;
    /* step_stop() was called: an error is then no failure */
    bool stopping;
    struct hf_fetch *fetch;
    struct hf_restart *restart;
    struct hf_checks *checks;
    struct hf_command *hook;
    struct hf_unit_call *unit_call;
    void (*hook_done)(struct release *release, int r, const struct hf_failure *failure);
};

/* The download from a neighbour. Only replace.c writes it. */
struct release_neighbour {
    char url[160], key[2 * HF_SHA256_HEX];
};

/* The functions that start the actions of rules/machine.h; NULL: needs none. */
struct release_actions {
    void (*start[HF_ACT_COUNT])(struct release *release);
};

struct release {
    struct hf_update_engine *engine;
    const struct release_actions *actions;
    char *folder; /* <state>/updates/<name> */
    enum release_stage stage;
    uint64_t last_turn;
    /* `wait` is shown instead of the journal's reason; `text` is on disk */
    struct hf_steer_machine machine;
    /* newer than on disk while a write is in progress, and after one failed or was left out */
    struct hf_journal j;
    struct release_record record;
    struct release_wanted wanted;
    struct release_review review;
    struct release_attempt attempt;
    struct release_retry retry;
    struct release_drift drift;
    struct release_watches watches;
    struct release_step step;
    struct release_neighbour neighbour;
    struct boot_judging *judging; /* of the committed release after a boot (probation.c); NULL: none */
};

#include "update/parts.h"
