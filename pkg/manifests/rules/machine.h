/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of an entry: next phase and action.
 *
 * It follows the newest set. A phase is on disk before its action starts; every action may run again after a crash.
 * What holds in each phase: machine.c. */
#pragma once

#include <stdbool.h>

#include "api/manifest_reason.h"
#include "steer/table.h"

enum hf_manifest_event {
    /* first event of the entry in this process */
    HF_MANIFEST_EV_STARTED,
    HF_MANIFEST_EV_NEWS,  /* of the entry, its content, or a fact of the node */
    HF_MANIFEST_EV_LACKS, /* no content yet */
    /* Waiting, Refused: the first change comes next; Applying, Probation, RollingBack: repeat the action */
    HF_MANIFEST_EV_GO,
    /* no file changed; objects of Cluster may have */
    HF_MANIFEST_EV_REFUSED,
    /* may succeed later; no file changed (objects of Cluster may have), or the content is lost */
    HF_MANIFEST_EV_POSTPONED,
    HF_MANIFEST_EV_FAILED, /* or without result: repeat the action */
    /* something has changed, perhaps in an earlier attempt: Probation */
    HF_MANIFEST_EV_PLACED,
    /* no Probation: nothing changed, or nothing to check */
    HF_MANIFEST_EV_SAME,
    HF_MANIFEST_EV_HEALTHY,
    /* restart or check failed, deadline, or too many starts of the agent; in Applying: can never be put in place */
    HF_MANIFEST_EV_UNHEALTHY,
    /* the good set is in place, or cannot be restored */
    HF_MANIFEST_EV_RESTORED,
    HF_MANIFEST_EV_COUNT,
};

enum hf_manifest_action {
    HF_MANIFEST_ACT_NONE,
    HF_MANIFEST_ACT_PLACE, /* writes the newest set's items, removes others */
    /* restarts or reloads the unit, or waits for objects or pods; then health checks */
    HF_MANIFEST_ACT_PROBE,
    HF_MANIFEST_ACT_COMMIT,   /* deletes what a rollback needs */
    HF_MANIFEST_ACT_ROLLBACK, /* to the good set; then restarts or reloads the unit */
    HF_MANIFEST_ACT_CLEAN,    /* deletes unfinished files, and contents of no set */
    HF_MANIFEST_ACT_COUNT,
};

extern const struct hf_steer_table hf_manifest_table;

/* In all phases except Applying, Probation and RollingBack: a set may start, and drift be repaired. */
bool hf_manifest_machine_rests(enum hf_manifest_phase phase);
