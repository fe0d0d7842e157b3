/* update/rules/machine.h - what a release does on each event: DESIGN 4 as one table. Pure.
 *
 *          Desired          Go             Fetched          Patched          Go              Swapped            Healthy
 *     Idle -----> Waiting -----> Fetching -----> Patching -----> Verified -----> Swapping -----> Probation -----> Committed
 *                  ^   \  \                                                         | Failed        | Unhealthy
 *                  |    \  `-> Incompatible                                         v               v
 *        Failed, Held    `---> Rejected                              Undone <-- RollingBack <-------'
 *                                                                  (Waiting)        | Restored
 *                                                                                   v
 *                                                                               RolledBack
 * What holds in each state (the installed path is a whole file always):
 *   up to Verified         the old version is in place, nothing of it was touched
 *   Verified               the new file is whole, checked and durable, beside the old one
 *   Swapping               either; the old one's second name is durable before the new one takes its place
 *   Probation              the new version is in place, the old one has its second name
 *   Committed, RolledBack  one version, no second name, nothing else left
 * Drifted leads from Committed to Waiting: the whole way again, with the same release.
 * A state is durable before its action begins; every action may run again. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "update/rules/phase.h"

enum hf_update_event {
    HF_EV_STARTED,   /* the agent has just started */
    HF_EV_DESIRED,   /* something new is wanted */
    HF_EV_DROPPED,   /* it is not wanted any more, or something else is */
    HF_EV_GO,        /* its turn, and every gate is open */
    HF_EV_HELD,      /* a gate closed in the middle */
    HF_EV_REFUSED,   /* signature, sequence, expiry, path */
    HF_EV_MISFIT,    /* nothing for this node */
    HF_EV_INSTALLED, /* the installed file is it already */
    HF_EV_FETCHED,
    HF_EV_PATCHED,
    HF_EV_STEPPED,   /* a file between is made, the next delta is wanted */
    HF_EV_FALL_BACK, /* the delta is no good, the whole file is wanted */
    HF_EV_SWAPPED,
    HF_EV_RESTARTED, /* the service runs the new version */
    HF_EV_HEALTHY,
    HF_EV_UNHEALTHY, /* a check, the deadline, the restart, or too many starts */
    HF_EV_FAILED,    /* this step, for now */
    HF_EV_RESTORED,  /* the old version is in place, restarted, looked at */
    HF_EV_DRIFTED,   /* what was committed is not there any more */
    HF_EV_UNDONE,    /* the old version is in place, and the new one never ran */
    HF_EV_COUNT,
};

enum hf_update_action {
    HF_ACT_NONE,
    HF_ACT_FETCH,
    HF_ACT_PATCH,
    HF_ACT_SWAP,
    HF_ACT_PROBE,    /* restart, unless that was done, then health checks */
    HF_ACT_COMMIT,   /* raise the floor, remove the old version */
    HF_ACT_ROLLBACK, /* put the old version back; restart and look when the new one ran */
    HF_ACT_CLEAN,    /* remove what is unfinished */
    HF_ACT_COUNT,
};

struct hf_update_move {
    bool known; /* false: this event is not expected in this state; nothing changes */
    enum hf_phase next;
    enum hf_update_action action;
};

struct hf_update_move hf_update_move(enum hf_phase phase, enum hf_update_event event);
const char *hf_update_event_name(enum hf_update_event event);
const char *hf_update_action_name(enum hf_update_action action);

/* The whole table as text, for tests/golden/update_machine.txt. */
HF_MUST_USE int hf_update_machine_print(struct hf_buf *out);
