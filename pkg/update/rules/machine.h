/* SPDX-License-Identifier: Apache-2.0 */
/* update/rules/machine.h - the state machine of a release, as one table. For each state and event the table has the
 * next state and an action. Pure.
 *
 *          Desired        Go          Fetched       Patched         Go          Swapped        Healthy
 *      Idle ---> Waiting ---> Fetching ---> Patching ---> Verified ---> Swapping ---> Probation ---> Committed
 *                 ^  \                                                      | Failed      | Unhealthy
 *                 |   `--> Incompatible (Misfit), Rejected (Refused)        v             v
 *     Failed, Held                                        Waiting <--- RollingBack <------'
 *                                                              Undone       | Restored
 *                                                                           v
 *                                                                      RolledBack
 *
 * Healthy and Restored count only after a comparison of what is installed.
 *
 * In every state the installed path names a complete version or, before a first installation, nothing. In addition:
 *   up to Verified         the old version is in place, unchanged
 *   Verified               the new file is complete, verified and durable, beside the old file
 *   Swapping               the old or the new version is in place; the old file gets a second, durable name first
 *   Probation              the new version is in place; the old file still has its second name
 *   RollingBack            as in Swapping
 *   Committed, RolledBack  in Committed the new version is in place, in RolledBack the old version; then the agent
 *                          removes the second name and unfinished files
 *
 * The event Drifted leads from Committed to Waiting, and the engine then installs the committed release again from the
 * start. The journal records a state durably before the state's action starts, and every action may run again after a
 * crash. */
#pragma once

#include "api/update/phase.h"
#include "steer/table.h"

enum hf_update_event {
    HF_EV_STARTED, /* the agent has just started */
    /* the caller wants a release that is not the release in the journal, or the node may now start a release that it
     * refused earlier */
    HF_EV_DESIRED,
    /* the caller no longer wants the release in the journal, or the caller's object now has another release */
    HF_EV_DROPPED,
    HF_EV_GO,        /* the release has the engine's turn, and the gate lets the update start or continue */
    HF_EV_HELD,      /* the gate closed before the swap */
    HF_EV_REFUSED,   /* the node refuses the release, for example because of its signature, sequence, expiry or path */
    HF_EV_MISFIT,    /* the release does not fit this node */
    HF_EV_INSTALLED, /* the installed file or tree already is that of the release */
    HF_EV_FETCHED,
    HF_EV_PATCHED,
    HF_EV_STEPPED,   /* an intermediate file of a chain of deltas is complete; the next delta can be fetched */
    HF_EV_FALL_BACK, /* the delta is unusable; the update must use another delta or the whole file */
    HF_EV_SWAPPED,
    HF_EV_RESTARTED, /* the service runs the new version */
    HF_EV_HEALTHY,
    /* a health check or the restart failed, the deadline passed, or the agent started HF_UPDATE_MAX_STARTS times during
     * probation */
    HF_EV_UNHEALTHY,
    HF_EV_FAILED, /* the step failed, and a later attempt may succeed */
    /* the rollback has ended: the old version is in place again (checked if possible), or nothing can restore it */
    HF_EV_RESTORED,
    HF_EV_DRIFTED, /* somebody changed or removed the installed file of the committed release */
    HF_EV_MENDED,  /* mode or owner of the committed version was wrong, and the agent has corrected it */
    /* the old version is in place, and the release was not judged: the new version never ran, or somebody changed the
     * target during its probation */
    HF_EV_UNDONE,
    HF_EV_COUNT,
};

enum hf_update_action {
    HF_ACT_NONE,
    HF_ACT_FETCH,
    HF_ACT_PATCH,
    HF_ACT_SWAP,
    HF_ACT_PROBE,    /* restart the service unless the journal records that restart, then check the service's health */
    HF_ACT_COMMIT,   /* raise the floor, then remove the old version */
    HF_ACT_ROLLBACK, /* restore the old version; if the new version may have run, then restart and check the service */
    HF_ACT_CLEAN,    /* remove downloads and unfinished files */
    HF_ACT_COUNT,
};

extern const struct hf_steer_table hf_update_table;

struct hf_steer_move hf_update_move(enum hf_phase phase, enum hf_update_event event);
const char *hf_update_event_name(enum hf_update_event event);
