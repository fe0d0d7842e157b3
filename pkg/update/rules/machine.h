/* update/rules/machine.h - the states of a release, and for each event the next state and the action, as one table.
 * Pure.
 *
 *          Desired          Go             Fetched          Patched          Go              Swapped            Healthy
 *     Idle -----> Waiting -----> Fetching -----> Patching -----> Verified -----> Swapping -----> Probation ----->
 *     Committed
 *                  ^   \  \                                                         | Failed        | Unhealthy
 *                  |    \  `-> Incompatible                                         v               v
 *        Failed, Held    `---> Rejected                              Undone <-- RollingBack <-------'
 *                                                                  (Waiting)        | Restored
 *                                                                                   v
 *                                                                               RolledBack
 * In every state the installed path names a complete file. In addition:
 *   up to Verified         the old version is in place and untouched
 *   Verified               the new file is whole, checked and durable, beside the old one
 *   Swapping               the old or the new version is in place; the old file has a durable second name
 *   Probation              the new version is in place, and the old file has its second name
 *   Committed, RolledBack  one version is in place; second name and unfinished files are gone
 *
 * The event Drifted leads from Committed to Waiting: the engine installs the committed release again from the start. A
 * state is durable in the journal before its action starts, and every action may run again after a crash. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "update/rules/phase.h"

enum hf_update_event {
    HF_EV_STARTED,   /* the agent has just started */
    HF_EV_DESIRED,   /* another release is wanted */
    HF_EV_DROPPED,   /* the release is no longer wanted, or the object now has another release */
    HF_EV_GO,        /* the release has the turn, and the gate is open */
    HF_EV_HELD,      /* the gate closed before the swap */
    HF_EV_REFUSED,   /* signature, sequence, expiry or path forbid the release */
    HF_EV_MISFIT,    /* the release has nothing for this node */
    HF_EV_INSTALLED, /* the installed file is already that of the release */
    HF_EV_FETCHED,
    HF_EV_PATCHED,
    HF_EV_STEPPED,   /* an intermediate file is complete; fetch the next delta */
    HF_EV_FALL_BACK, /* the delta is unusable; fetch another delta or the whole file */
    HF_EV_SWAPPED,
    HF_EV_RESTARTED, /* the service runs the new version */
    HF_EV_HEALTHY,
    HF_EV_UNHEALTHY, /* a check or the restart failed, the deadline passed, or the agent started too often */
    HF_EV_FAILED,    /* the step failed; try again later */
    HF_EV_RESTORED,  /* the old version is in place, restarted and checked */
    HF_EV_DRIFTED,   /* the committed version is gone or changed */
    HF_EV_MENDED,    /* mode or owner of the committed version were wrong, and are right again */
    HF_EV_UNDONE,    /* the old version is in place, and the new one never ran */
    HF_EV_COUNT,
};

enum hf_update_action {
    HF_ACT_NONE,
    HF_ACT_FETCH,
    HF_ACT_PATCH,
    HF_ACT_SWAP,
    HF_ACT_PROBE,    /* restart the service unless that is done, then check the service's health */
    HF_ACT_COMMIT,   /* raise the floor, then remove the old version */
    HF_ACT_ROLLBACK, /* put the old version back; restart and check it if the new one ran */
    HF_ACT_CLEAN,    /* remove unfinished files */
    HF_ACT_COUNT,
};

struct hf_update_move {
    bool known; /* false if the event is unexpected in this state; then nothing changes */
    enum hf_phase next;
    enum hf_update_action action;
};

struct hf_update_move hf_update_move(enum hf_phase phase, enum hf_update_event event);
const char *hf_update_event_name(enum hf_update_event event);
const char *hf_update_action_name(enum hf_update_action action);

/* Appends the whole table as text, for tests/golden/update_machine.txt. */
HF_MUST_USE int hf_update_machine_print(struct hf_buf *out);
