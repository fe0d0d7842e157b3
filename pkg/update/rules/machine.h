/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of a release, as one table: next state and action. Pure.
 *
 * The events Healthy and Restored follow only a comparison of what is installed. In every state the installed path
 * names a complete version or, before a first installation, nothing:
 *
 *  up to Verified         the old version is in place, unchanged
 *  Verified               the new file is complete, verified and durable, beside the old file
 *  Swapping               the old or the new version is in place; the old file gets a second, durable name first
 *  Probation              the new version is in place; the old file still has its second name
 *  RollingBack            as in Swapping
 *  Committed, RolledBack  the new or the old version is in place; then the second name and unfinished files go
 *
 * Drifted leads from Committed to Waiting. A state is durable in the journal before its action starts, and every action
 * may run again after a crash. */
#pragma once

#include "api/update/phase.h"
#include "steer/table.h"

enum hf_update_event {
    HF_EV_STARTED, /* the agent */
    /* a release other than that in the journal is wanted, or one that was refused may start now */
    HF_EV_DESIRED,
    /* the release in the journal is no longer wanted */
    HF_EV_DROPPED,
    HF_EV_GO,        /* the release has the turn, and the gate is open */
    HF_EV_HELD,      /* the gate closed before the swap */
    HF_EV_REFUSED,   /* for example for its signature, sequence, expiry or path */
    HF_EV_MISFIT,    /* the release does not fit this node */
    HF_EV_INSTALLED, /* the release already is */
    HF_EV_FETCHED,
    HF_EV_PATCHED,
    HF_EV_STEPPED,   /* an intermediate file is complete: the next delta */
    HF_EV_FALL_BACK, /* the delta is unusable: another one, or the whole file */
    HF_EV_SWAPPED,
    HF_EV_HOOKED,    /* afterSwap has run */
    HF_EV_DELAYED,   /* the node's reboot */
    HF_EV_BOOTED,    /* the node, with the new version */
    HF_EV_RESTARTED, /* the service runs the new version */
    HF_EV_HEALTHY,
    /* a check or the restart failed, the deadline passed, or HF_UPDATE_MAX_STARTS starts of the agent */
    HF_EV_UNHEALTHY,
    HF_EV_FAILED, /* a later attempt may succeed */
    /* the rollback has ended: the old version is in place (checked if possible), or nothing can restore it */
    HF_EV_RESTORED,
    HF_EV_DRIFTED, /* somebody changed or removed what is installed */
    HF_EV_MENDED,  /* mode or owner was wrong, and is corrected */
    /* the old version is in place, and the release was not judged: it never ran, or somebody changed the target */
    HF_EV_UNDONE,
    HF_EV_COUNT,
};

enum hf_update_action {
    HF_ACT_NONE,
    HF_ACT_FETCH,
    HF_ACT_PATCH,
    HF_ACT_SWAP,
    HF_ACT_PROBE,    /* restart the service unless the journal records that, then check its health */
    HF_ACT_COMMIT,   /* raise the floor, then remove the old version */
    HF_ACT_ROLLBACK, /* restore the old version; restart and check the service if the new one may have run */
    HF_ACT_CLEAN,    /* remove downloads and unfinished files */
    HF_ACT_COUNT,
};

extern const struct hf_steer_table hf_update_table;

struct hf_steer_move hf_update_move(enum hf_phase phase, enum hf_update_event event);
const char *hf_update_event_name(enum hf_update_event event);
