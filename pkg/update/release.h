/* SPDX-License-Identifier: Apache-2.0 */
/* One release, with its parts and actions.
 *
 * A release has at most one step in progress. The step's end can raise an event of rules/machine.h: transition.c
 * usually writes the next state to the journal, then starts its action. To a change of the desired releases,
 * release_consider() reacts between two steps, and stops a step that may be interrupted.
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

/* most releases wanted at one time; most releases on this node, parked ones included */
enum { HF_UPDATE_MAX_RELEASES = 64, HF_UPDATE_MAX_HISTORIES = 256 };

struct release;

enum release_stage {
    RELEASE_LOADED,
    /* the journal cannot be read, and is read again until it counts as damaged */
    RELEASE_UNREAD,
    RELEASE_RUNNING,
    /* the folder was deleted if possible; the release is freed unless wanted again */
    RELEASE_REMOVED,
};

/* What is known of the journal on disk. */
struct release_record {
    /* what the status shows; newer than on disk after attempts without progress, which are not written */
    struct hf_journal shown;
    struct {
        uint64_t time_unix_ns;
        enum hf_phase phase;
        enum hf_reason reason;
        unsigned attempts;
        char message[HF_UPDATE_MAX_MESSAGE];
    } written;
    uint64_t unread_ns; /* RELEASE_UNREAD: time of the first failed read; else 0 */
};

/* What is wanted, and what the journal has. Functions that ask review_ask() about another release replace `object`
 * meanwhile. */
struct release_wanted {
    /* the release to install (in a repair the committed one); NULL: none */
    struct hf_edgeupdate *object;
    /* the caller's release, while another one takes its place in `object`; else NULL */
    struct hf_edgeupdate *asked;
    bool ordered; /* `object` is the version before, by the site's order */
    enum hf_desired_gate gate;
    bool held;
    bool turn_missing;
    bool writes_used_up;
    enum hf_link link;
    /* the journal's release; NULL: lost or not needed */
    struct hf_edgeupdate *accepted;
    json_t *kept; /* the part of `accepted` that the journal keeps, or NULL */
};

/* Whether this node may install the wanted release. */
struct release_review {
    bool current; /* the next four members are up to date */
    enum hf_reason distrust, misfit;
    enum hf_reason bad_exec;
    char message[HF_UPDATE_MAX_MESSAGE];
    bool floor_known;
    /* the floor on disk; the journal may have one later commit */
    struct hf_sequence_history floor;
    char history_message[HF_UPDATE_MAX_MESSAGE];
    char clock_message[HF_UPDATE_MAX_MESSAGE];
    char disk_message[HF_UPDATE_MAX_MESSAGE];
};

/* A delta to avoid, since the agent died while it applied it. */
struct delta_death {
    unsigned times;
    bool oom; /* the OOM killer struck (hf_attempt_oom()) */
    char delta[HF_SHA256_HEX];
    char from[HF_SHA256_HEX]; /* SHA-256 of its base */
};

/* The attempt in progress. Each attempt resets received_bytes; each update resets kept_failed, delta_failures,
 * restart_tries and `recheck`. */
struct release_attempt {
    struct hf_swap_inspection seen;
    /* memory, measured once an attempt */
    struct hf_room room;
    uint64_t disk_room; /* bytes for deltas besides the new version */
    enum hf_kept_source kept;
    bool kept_failed; /* the kept content could not be taken: fetch it */
    /* what the status shows first: Downloading, Patching, or why not the shortest chain */
    enum hf_reason go_reason;
    /* intermediate file that is the base of the next delta; "": the installed file */
    char step_sha256[HF_SHA256_HEX];
    uint64_t step_bytes;
    uint64_t received_bytes;
    unsigned delta_failures;
    unsigned restart_tries;
    unsigned reboots; /* 1: this process has run install.reboot, and waits for the reboot; else 0 */
    /* the agent's release was rolled back, but this process still runs it; not in the journal */
    bool owes_restart;
    bool recheck; /* verify the file again at the swap: an earlier process verified it, or a hook ran since */
    bool rollback_told;
};

/* What to repeat at retry.due_ns. COMMIT and CLEAN are set also while they are in progress. */
enum release_redo { REDO_NOTHING, REDO_COMMIT, REDO_CLEAN };

struct release_retry {
    uint64_t due_ns; /* no action before this time; 0: now */
    /* j.bytes_fetched when a person last changed the object; does not count as wasted */
    uint64_t paid_bytes;
    enum release_redo redo;
    /* failures of cleanup, or of the commit since the floor was saved */
    unsigned tries;
    /* next try of a cleanup that failed often; 0: none */
    uint64_t clean_due_ns;
};

struct release_drift {
    struct hf_swap_look look;
    /* a start, a watch, the interval or something else asks for a look */
    bool look_wanted;
    bool keep_wanted;
    bool fired; /* a watch has fired since the last look */
    bool at_interval;
    uint64_t look_due_ns; /* no look before this time; 0: now */
    /* no attempt of the newer release before this time, while a repair runs in its place; 0: now */
    uint64_t newer_due_ns;
    uint64_t boot_due_ns;  /* when to judge the committed release after a boot */
    uint64_t order_due_ns; /* when to look for the version before again */
    /* drifts, minus looks at an interval without drift: sets the pause between looks */
    unsigned repairs;
    char kept[HF_SHA256_HEX];
};

/* inotify watches of the installed folders */
struct release_watches {
    struct hf_watch **watches;
    size_t n;
    struct hf_buf folders; /* paths, zero-terminated */
};

enum step_kind {
    STEP_NONE,
    STEP_READ,
    STEP_INSPECT, /* look at target, space, and an attempt in which the agent died */
    STEP_UNIT,    /* ask whether the unit exists */
    STEP_ASK,     /* ask neighbours for the artifact */
    STEP_FETCH,
    STEP_PATCH,
    STEP_SWAP,
    STEP_HOOK,
    STEP_RESTART,
    STEP_CHECKS,
    STEP_CONFIRM, /* compare the target after the health checks */
    STEP_UNDO,
    STEP_COMMIT,
    STEP_CLEAN,
    STEP_LOOK,
    STEP_ORDER,
};

/* Of the five pointers to calls at most one is set, by the file that starts the call. */
struct release_step {
    enum step_kind kind;
    /* the step was stopped, so its error is no failure */
    bool stopping;
    struct hf_fetch *fetch;
    struct hf_restart *restart;
    struct hf_checks *checks;
    struct hf_command *hook;
    struct hf_unit_call *unit_call;
    void (*hook_done)(struct release *release, int r, const struct hf_failure *failure);
};

struct release_neighbour {
    char url[160], key[2 * HF_SHA256_HEX];
};

/* The functions that start the actions of rules/machine.h; NULL: nothing to start. */
struct release_actions {
    void (*start[HF_ACT_COUNT])(struct release *release);
};

struct release {
    struct hf_update_engine *engine;
    const struct release_actions *actions;
    char *folder;
    enum release_stage stage;
    uint64_t last_turn;
    /* its `wait` replaces the journal's reason in the status; its `text` is the journal on disk */
    struct hf_steer_machine machine;
    /* newer than on disk during a write, and after a write failed or was left out */
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
    struct boot_judging *judging;
};

#include "update/parts.h"
