/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of an entry of `spec.manifests`.
 *
 * It follows the newest set. A phase is saved before its action starts, and every action may run again after a crash.
 * machine.c says what is true in each phase. */
#pragma once

#include <stdbool.h>

#include "api/manifest_reason.h"
#include "steer/table.h"

enum hf_manifest_event {
    HF_MANIFEST_EV_STARTED,
    HF_MANIFEST_EV_NEWS, /* such as: the entry, its content, or a fact of the node has changed */
    HF_MANIFEST_EV_LACKS,
    /* In Waiting and Refused: the target is changed next. In Applying, Probation and RollingBack: the action is
     * repeated. */
    HF_MANIFEST_EV_GO,
    /* refused; this attempt changed no file */
    HF_MANIFEST_EV_REFUSED,
    /* The attempt may succeed later. Usually no file changed. */
    HF_MANIFEST_EV_POSTPONED,
    HF_MANIFEST_EV_FAILED, /* the action failed or has no result: it is repeated */
    /* items changed, perhaps in an earlier attempt */
    HF_MANIFEST_EV_PLACED,
    /* nothing changed, or there is nothing to check */
    HF_MANIFEST_EV_SAME,
    HF_MANIFEST_EV_HEALTHY,
    /* A restart or check, for one, failed or was late. In Applying: the set can never be put in place. */
    HF_MANIFEST_EV_UNHEALTHY,
    /* the good set is in place, or cannot be restored */
    HF_MANIFEST_EV_RESTORED,
    HF_MANIFEST_EV_COUNT,
};

enum hf_manifest_action {
    HF_MANIFEST_ACT_NONE,
    HF_MANIFEST_ACT_PLACE,
    /* restarts or reloads the unit, or waits for objects or pods; then runs the health checks */
    HF_MANIFEST_ACT_PROBE,
    HF_MANIFEST_ACT_COMMIT,   /* deletes what a rollback needs */
    HF_MANIFEST_ACT_ROLLBACK, /* restores the good set; then restarts or reloads the unit */
    HF_MANIFEST_ACT_CLEAN,    /* deletes unfinished files and unneeded contents */
    HF_MANIFEST_ACT_COUNT,
};

extern const struct hf_steer_table hf_manifest_table;

/* Whether a set may start and drift be repaired: not in Applying, Probation or RollingBack. */
bool hf_manifest_machine_rests(enum hf_manifest_phase phase);
