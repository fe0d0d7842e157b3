/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to pkg/update: one release, with its parts and actions.
 *
 * A release has at most one step in progress. Its end can raise an event of rules/machine.h: transition.c writes the
 * next state to the journal, then starts the move's action. After a change of the desired releases, release_consider()
 * reacts between two steps, and stops one that may be interrupted.
 *
 * Threads: `run` of a step_job is on a worker: it accesses only the job and what does not change meanwhile. */
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

/* Wanted at one time; all on this node, with those that only have a history. */
enum { HF_UPDATE_MAX_RELEASES = 64, HF_UPDATE_MAX_HISTORIES = 256 };

struct release;

enum release_stage {
    RELEASE_LOADED, /* before HF_EV_STARTED */
    /* the journal cannot be read; only tries again until it counts as damaged */
    RELEASE_UNREAD,
    RELEASE_RUNNING,
    /* the folder was deleted if possible; freed unless wanted again */
    RELEASE_REMOVED,
};

/* The journal on disk. Only transition.c writes it, and release.c as it reads the journal. */
struct release_record {
    /* in the status; newer than on disk after attempts without progress, which are not written */
    struct hf_journal shown;
    /* of the journal on disk */
    struct {
        uint64_t time_unix_ns;
        enum hf_phase phase;
        enum hf_reason reason;
        unsigned attempts;
        char message[HF_UPDATE_MAX_MESSAGE];
    } written;
    uint64_t unread_ns; /* RELEASE_UNREAD: first failed read; else 0 */
};

/* What is wanted, and what the journal has. Written by wanted.c; but transition.c frees `kept` after an update, and
 * release_recheck_repair() replaces `object` during its call. */
struct release_wanted {
    /* to install: in a repair the committed one, else the caller's; NULL: none */
    struct hf_edgeupdate *object;
    /* in a repair, or if `ordered`, the caller's; else NULL */
    struct hf_edgeupdate *asked;
    bool ordered; /* `object` is the version before, by the site's order */
    enum hf_desired_gate gate;
    bool held;           /* by the site */
    bool turn_missing;   /* the swap needs a turn, which the node lacks */
    bool writes_used_up; /* by the policy's write budget */
    enum hf_link link;   /* does the policy allow bulk transfers? */
    /* the journal's; NULL: lost or not needed */
    struct hf_edgeupdate *accepted;
    json_t *kept; /* its part in the journal */
};

/* May this node install the wanted release? Written by review.c; but others clear `current`, and finish.c sets `floor`
 * after a commit. */
struct release_review {
    bool current; /* the next four are */
    enum hf_reason distrust, misfit;
    /* ExecNotAllowed, UnitNotAllowed, OwnProgram or HF_R_None */
    enum hf_reason bad_exec;
    char message[HF_UPDATE_MAX_MESSAGE];
    bool floor_known;
    /* on disk; the journal may have one later commit */
    struct hf_sequence_history floor;
    char history_message[HF_UPDATE_MAX_MESSAGE];
    /* range of times that the present can be; for ClockUnsure */
    char clock_message[HF_UPDATE_MAX_MESSAGE];
    /* valid if the latest reason was DiskSpaceLow */
    char disk_message[HF_UPDATE_MAX_MESSAGE];
};

/* A delta to avoid: the agent died in it. */
struct delta_death {
    unsigned times;
    bool oom; /* a kill by the OOM killer in the agent's cgroup or the one above */
    char delta[HF_SHA256_HEX];
    char from[HF_SHA256_HEX]; /* hash of its base, by method_choose() */
};

/* The attempt in progress, written by the actions. received_bytes begins with the attempt; delta_failures,
 * restart_tries and `recheck` with the update. */
struct release_attempt {
    struct hf_swap_inspection seen;
    /* measured once an attempt */
    struct hf_room room;
    uint64_t disk_room;       /* bytes for deltas besides the new version */
    enum hf_kept_source kept; /* where the content is on the disk */
    bool kept_failed;         /* the content could not be taken there: fetch it */
    /* first in the status: Downloading, or why not the shortest chain */
    enum hf_reason go_reason;
    /* intermediate file as base of the next delta; "": installed file */
    char step_sha256[HF_SHA256_HEX];
    uint64_t step_bytes;
    uint64_t received_bytes;
    unsigned delta_failures;
    unsigned restart_tries;
    unsigned reboots; /* install.reboot commands of this process since the last change at the path */
    /* the agent's own release was rolled back, but this process still runs; not in the journal */
    bool owes_restart;
    bool recheck;       /* an earlier process, or a hook, had the verified file: verify it again at the swap */
    bool rollback_told; /* beforeRollback has run */
};

/* What is repeated at retry.due_ns; for COMMIT and CLEAN also while in progress. */
enum release_redo { REDO_NOTHING, REDO_COMMIT, REDO_CLEAN };

/* Back-off by retry.c; others set short fixed delays. */
struct release_retry {
    uint64_t due_ns; /* no action before; 0: now */
    /* j.bytes_fetched when a person last changed the object: not wasted */
    uint64_t paid_bytes;
    enum release_redo redo;
    /* failures of the cleanup, or of the commit since it saved the floor */
    unsigned tries;
    /* next try of a cleanup that holds up nothing any more after many failures */
    uint64_t clean_due_ns;
};

/* Written by drift.c and repairs.c; but release.c, engine.c and watches.c set look_wanted, and transition.c resets
 * `look` at a commit. */
struct release_drift {
    struct hf_swap_look look; /* zero before the first check, and after drift */
    /* by a start, a watch or the interval */
    bool look_wanted;
    bool keep_wanted;      /* retain_want() */
    bool fired;            /* a watch, since the last check */
    bool at_interval;      /* hf_update_engine_check_drift() since the last check */
    uint64_t look_due_ns;  /* no check before; 0: now */
    uint64_t newer_due_ns; /* no attempt of the newer release before, while a repair has its place; 0: now */
    uint64_t boot_due_ns;  /* judge the committed release after a boot (probation.c) */
    uint64_t order_due_ns; /* look for the version before again (order.c) */
    /* plus one for each drift, minus one for each look at an interval without: sets the delay */
    unsigned repairs;
    char kept[HF_SHA256_HEX]; /* digest in update/state/committed.h's file */
};

/* inotify watches of the folders of what is installed. Only watches.c writes it. */
struct release_watches {
    struct hf_watch **watches;
    size_t n;
    struct hf_buf folders; /* paths, zero-terminated */
};

enum step_kind {
    STEP_NONE,
    STEP_READ,    /* the journal, again */
    STEP_INSPECT, /* target, space, and an attempt in which the agent died */
    STEP_UNIT,    /* does it exist? */
    STEP_ASK,     /* neighbours */
    STEP_FETCH,
    STEP_PATCH,
    STEP_SWAP,
    STEP_HOOK,
    STEP_RESTART,
    STEP_CHECKS,
    STEP_CONFIRM, /* the target is what the health checks judged */
    STEP_UNDO,
    STEP_COMMIT,
    STEP_CLEAN,
    STEP_LOOK,
    STEP_ORDER, /* the site's: begins or ends */
};

/* Only the pointer of `kind` is set, by the file that starts the step; step.c writes the rest. */
struct release_step {
    enum step_kind kind;
    /* an error is then no failure */
    bool stopping;
    struct hf_fetch *fetch;
    struct hf_restart *restart;
    struct hf_checks *checks;
    struct hf_command *hook;
    struct hf_unit_call *unit_call;
    void (*hook_done)(struct release *release, int r, const struct hf_failure *failure);
};

/* Only replace.c writes it. */
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
    /* `wait` replaces the journal's reason in the status; `text` is on disk */
    struct hf_steer_machine machine;
    /* newer than on disk during a write, and after one failed or was left out */
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
    struct boot_judging *judging; /* committed release after a boot (probation.c) */
};

#include "update/parts.h"
