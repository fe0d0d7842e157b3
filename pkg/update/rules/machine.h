/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of a release: next state and action.
 *
 * The events Healthy and Restored follow only a comparison of what is installed. A state is durable in the journal
 * before its action starts; every action may run again after a crash. */
#pragma once

#include "api/update/phase.h"
#include "steer/table.h"

enum hf_update_event {
    HF_EV_STARTED, /* the agent */
    /* another release than the journal's is wanted, or a refused one may start */
    HF_EV_DESIRED,
    /* the journal's is no longer wanted */
    HF_EV_DROPPED,
    HF_EV_GO,        /* it has the turn, the gate is open */
    HF_EV_HELD,      /* by the gate, before the swap */
    HF_EV_REFUSED,   /* for signature, sequence, expiry or path */
    HF_EV_MISFIT,    /* for this node */
    HF_EV_INSTALLED, /* already */
    HF_EV_FETCHED,
    HF_EV_PATCHED,
    HF_EV_STEPPED,   /* intermediate file complete: next delta */
    HF_EV_FALL_BACK, /* delta unusable: another, or the whole file */
    HF_EV_SWAPPED,
    HF_EV_HOOKED,    /* afterSwap has run */
    HF_EV_DELAYED,   /* the node's reboot */
    HF_EV_BOOTED,    /* the node, with the new version */
    HF_EV_RESTARTED, /* the service runs the new version */
    HF_EV_HEALTHY,
    /* check or restart failed, deadline, or HF_UPDATE_MAX_STARTS starts of the agent */
    HF_EV_UNHEALTHY,
    HF_EV_FAILED, /* may succeed later */
    /* the old version is in place (checked if possible), or cannot be restored */
    HF_EV_RESTORED,
    HF_EV_DRIFTED, /* what is installed was changed or removed */
    HF_EV_MENDED,  /* mode or owner was wrong, now right */
    /* the old version is in place, without a verdict: the release never ran, or somebody changed the target */
    HF_EV_UNDONE,
    HF_EV_COUNT,
};

enum hf_update_action {
    HF_ACT_NONE,
    HF_ACT_FETCH,
    HF_ACT_PATCH,
    HF_ACT_SWAP,
    HF_ACT_PROBE,    /* restart the service unless that is in the journal; then health checks */
    HF_ACT_COMMIT,   /* raise the floor, remove the old version */
    HF_ACT_ROLLBACK, /* restore the old version; restart and check the service if the new one may have run */
    HF_ACT_CLEAN,    /* downloads, unfinished files */
    HF_ACT_COUNT,
};

extern const struct hf_steer_table hf_update_table;
