/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of an entry, as one table: for each phase and event the next phase and an action. Pure.
 *
 * It follows the newest set of an entry: one version of the entry's fields together with one content. There may also be
 * a good set, which last reached Applied. In each phase this is true:
 *   Waiting, Fetching, Refused   the good set (or nothing, without one) is in place, untouched; with `unproven` of the
 *                                record perhaps also items of an attempt that a crash, a lost content or, for the
 *                                target Cluster, a failure cut short
 *   Applying, RollingBack        each file is complete, and belongs to the good set or to the newest set
 *   Probation                    the newest set is in place; the content of the good set is still in the state folder
 *   Applied                      the newest set is in place, and is the good set
 *   RolledBack                   the good set (or nothing) is in place again; with `unproven` perhaps also items of the
 *                                newest set
 *
 * An attempt is prepared in Waiting, or in Refused to repeat it: compared, written to the staging folder, validated. Go
 * comes only just before the first change of the target. A preparation that fails for the same reason as the one before
 * changes neither record nor status.
 *
 * A phase is in the record on disk before its action starts. Every action may run again after a crash. */
#pragma once

#include <stdbool.h>

#include "api/manifest_reason.h"
#include "steer/table.h"

enum hf_manifest_event {
    /* for the first time in this process, or new in the policy */
    HF_MANIFEST_EV_STARTED,
    HF_MANIFEST_EV_NEWS,  /* of the entry, its content, or a fact of the node that it uses */
    HF_MANIFEST_EV_LACKS, /* no content yet */
    /* Waiting, Refused: prepared, the first change comes next; Applying, Probation, RollingBack: repeat the action */
    HF_MANIFEST_EV_GO,
    /* no file has changed; objects of Cluster may have */
    HF_MANIFEST_EV_REFUSED,
    /* Failed, and may succeed later: no file has changed (objects of Cluster may have), or the set's content is
     * lost. */
    HF_MANIFEST_EV_POSTPONED,
    HF_MANIFEST_EV_FAILED, /* or no result yet: repeat the action */
    /* all in place, some changed by this attempt or an earlier one: Probation */
    HF_MANIFEST_EV_PLACED,
    /* all in place without Probation: nothing has changed, or there is nothing to check */
    HF_MANIFEST_EV_SAME,
    HF_MANIFEST_EV_HEALTHY,
    /* restart or check failed, deadline, or too many starts of the agent in Probation; in Applying: cannot be put in
     * place, and waiting does not help */
    HF_MANIFEST_EV_UNHEALTHY,
    /* the good set is in place, or cannot be restored (the message says so) */
    HF_MANIFEST_EV_RESTORED,
    HF_MANIFEST_EV_COUNT,
};

enum hf_manifest_action {
    HF_MANIFEST_ACT_NONE,
    HF_MANIFEST_ACT_PLACE, /* newest set: writes its items, removes others */
    /* restarts or reloads the unit, or waits for objects or pods; then the health checks */
    HF_MANIFEST_ACT_PROBE,
    HF_MANIFEST_ACT_COMMIT,   /* deletes what only a rollback needs */
    HF_MANIFEST_ACT_ROLLBACK, /* of the good set; then restarts or reloads the unit */
    HF_MANIFEST_ACT_CLEAN,    /* deletes unfinished files, and contents of no set */
    HF_MANIFEST_ACT_COUNT,
};

extern const struct hf_steer_table hf_manifest_table;

struct hf_steer_move hf_manifest_machine_move(enum hf_manifest_phase phase, enum hf_manifest_event event);
const char *hf_manifest_machine_event_name(enum hf_manifest_event event);

/* A new set may start, and drift may be repaired; not in Applying, Probation and RollingBack. */
bool hf_manifest_machine_rests(enum hf_manifest_phase phase);
