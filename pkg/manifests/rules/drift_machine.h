/* SPDX-License-Identifier: Apache-2.0 */
/* When to look for drift, and what to do with the result: a table and two decisions.
 *
 * A repair may begin without a look, when a Secret's content has come. Pauses are not in the table: Due and Paced begin
 * from the owner's `due_ns` on. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

enum hf_drift_state {
    HF_DRIFT_CLEAN,
    HF_DRIFT_DUE,   /* wanted */
    HF_DRIFT_PACED, /* wanted after a pause: after a failure or many repairs */
    HF_DRIFT_LOOKING,
    HF_DRIFT_LOOKING_AGAIN, /* another is wanted */
    HF_DRIFT_REPAIRING,
    HF_DRIFT_REPAIRING_AGAIN, /* a look is wanted */
    HF_DRIFT_STATE_COUNT,
};

enum hf_drift_event {
    HF_DRIFT_EV_WANTED,  /* by a possible change, or an interval of the policy */
    HF_DRIFT_EV_BEGAN,   /* a look */
    HF_DRIFT_EV_DRIFTED, /* a repair begins */
    HF_DRIFT_EV_ENDED,   /* look or repair; nothing to do */
    HF_DRIFT_EV_PACED,   /* another look after a pause */
    HF_DRIFT_EV_COUNT,
};

/* An event that the table lacks changes nothing; *ret_known is false. */
enum hf_drift_state hf_drift_machine_move(enum hf_drift_state state, enum hf_drift_event event, bool *ret_known);
/* Is a look wanted that has not begun? */
bool hf_drift_machine_wants(enum hf_drift_state state);

/* Time until a look. HF_NEVER: none is wanted, or look or repair is in progress. `unwatched`: due HF_DRIFT_UNWATCHED_NS
 * after looked_ns. */
#define HF_DRIFT_UNWATCHED_NS (30 * HF_NS_PER_S)
uint64_t hf_drift_machine_wait_ns(enum hf_drift_state state, uint64_t due_ns, bool unwatched, uint64_t looked_ns,
                                  uint64_t now_ns);

/* What a look at files has found. */
struct hf_drift_finding {
    bool failed; /* the look itself */
    unsigned unreadable;
    bool drifted;     /* not as wanted, or a swap was cut short */
    bool restart_due; /* no restart of the unit since a repair */
    bool absent;      /* content not on this node */
    uint64_t wait_ns; /* until a repair may begin */
};

enum hf_drift_verdict {
    HF_DRIFT_AS_WANTED,
    HF_DRIFT_FAILED,  /* look again after a pause */
    HF_DRIFT_WORN,    /* the disk does not read files that were written again: stop writing them */
    HF_DRIFT_RESTART, /* the unit */
    HF_DRIFT_FETCH,   /* the content, then repair */
    HF_DRIFT_REPAIR,
    HF_DRIFT_PACE, /* look again when a repair may begin */
};

enum hf_drift_verdict hf_drift_machine_judge(const struct hf_drift_finding *finding);
