/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of a release: which event leads to which next state and action.
 *
 * Healthy is raised only after a comparison of what is installed. A state except Fetching is durable in the journal
 * before its action starts; every action may run again after a crash. */
#pragma once

#include "api/update/phase.h"
#include "steer/table.h"

enum hf_update_event {
    HF_EV_STARTED,
    /* another release is wanted, or a refused one may start */
    HF_EV_DESIRED,
    /* the journal's release is no longer wanted */
    HF_EV_DROPPED,
    HF_EV_GO,        /* the release has the turn, and before the swap the gate is open */
    HF_EV_HELD,      /* the gate closed during Fetching or Patching */
    HF_EV_REFUSED,   /* the gate refuses the release, or the version before is not kept */
    HF_EV_MISFIT,    /* the release does not fit this node */
    HF_EV_INSTALLED, /* the new version is already in place */
    HF_EV_FETCHED,
    HF_EV_PATCHED,
    HF_EV_STEPPED,   /* an intermediate file is complete: next delta */
    HF_EV_FALL_BACK, /* delta, kept content or neighbour is unusable: fetch in another way */
    HF_EV_SWAPPED,
    HF_EV_HOOKED,  /* afterSwap has run */
    HF_EV_DELAYED, /* the node's reboot is pending */
    HF_EV_BOOTED,  /* the node has booted the new version */
    HF_EV_RESTARTED,
    HF_EV_HEALTHY,
    /* e.g. check, hook or restart failed, the deadline passed, the target changed, or the agent started
     * HF_UPDATE_MAX_STARTS times */
    HF_EV_UNHEALTHY,
    HF_EV_FAILED, /* the step may succeed later */
    /* the old version is in place (checked if possible), or cannot be restored */
    HF_EV_RESTORED,
    HF_EV_DRIFTED,
    HF_EV_MENDED, /* a wrong mode or owner was corrected */
    /* the old version is in place without a verdict: the release never ran, or somebody changed the target */
    HF_EV_UNDONE,
    HF_EV_COUNT,
};

enum hf_update_action {
    HF_ACT_NONE,
    HF_ACT_FETCH,
    HF_ACT_PATCH,
    HF_ACT_SWAP,
    HF_ACT_PROBE, /* restart the service (once), then run the health checks */
    HF_ACT_COMMIT,
    HF_ACT_ROLLBACK, /* restore the old version; restart and check the service if the new one may have run */
    HF_ACT_CLEAN,
    HF_ACT_COUNT,
};

extern const struct hf_steer_table hf_update_table;
