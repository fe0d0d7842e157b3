/* SPDX-License-Identifier: Apache-2.0 */
/* When to look for drift in what is in place, and what to do with the result, as a table and two decisions. Pure.
 *
 * LookingAgain and RepairingAgain are the same with one more look wanted. A repair may also begin without a look: the
 * content of a Secret has come with which to compare the files. The table knows nothing of pauses: `due_ns` of the
 * owner says from when Due and Paced may begin. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

enum hf_drift_state {
    HF_DRIFT_CLEAN,
    HF_DRIFT_DUE,             /* wanted */
    HF_DRIFT_PACED,           /* wanted after a pause: the last look or repair failed, or must wait */
    HF_DRIFT_LOOKING,         /* in progress */
    HF_DRIFT_LOOKING_AGAIN,   /* and another is wanted */
    HF_DRIFT_REPAIRING,       /* in progress */
    HF_DRIFT_REPAIRING_AGAIN, /* and a look is wanted */
    HF_DRIFT_STATE_COUNT,
};

enum hf_drift_event {
    HF_DRIFT_EV_WANTED,  /* there may be a change, or an interval of the policy has passed */
    HF_DRIFT_EV_BEGAN,   /* a look */
    HF_DRIFT_EV_DRIFTED, /* a repair begins */
    HF_DRIFT_EV_ENDED,   /* look or repair; nothing is left to do */
    HF_DRIFT_EV_PACED,   /* another look after a pause */
    HF_DRIFT_EV_COUNT,
};

/* The next state. An event that the table lacks changes nothing; *ret_known is false. */
enum hf_drift_state hf_drift_machine_move(enum hf_drift_state state, enum hf_drift_event event, bool *ret_known);
/* For tests/golden/manifest_drift.txt. */
HF_MUST_USE int hf_drift_machine_print(struct hf_buf *out);

/* Is a look wanted that has not begun? */
bool hf_drift_machine_wants(enum hf_drift_state state);

/* 0: a look may begin now; else the time to wait. HF_NEVER: none is wanted, or a look or repair is in progress.
 * `unwatched`: due HF_DRIFT_UNWATCHED_NS after the one at looked_ns. */
#define HF_DRIFT_UNWATCHED_NS (30 * HF_NS_PER_S)
uint64_t hf_drift_machine_wait_ns(enum hf_drift_state state, uint64_t due_ns, bool unwatched, uint64_t looked_ns,
                                  uint64_t now_ns);

/* What a look at files has found. */
struct hf_drift_finding {
    bool failed;         /* the look itself */
    unsigned unreadable; /* looks in a row, with this one, that found only files that the disk does not read */
    bool drifted;        /* not as wanted, or a swap was cut short */
    bool restart_due;    /* no restart of the unit since a repair */
    bool absent;         /* content not on this node */
    uint64_t wait_ns;    /* until a repair may begin (rules/repair_pace.h) */
};

enum hf_drift_verdict {
    HF_DRIFT_AS_WANTED,
    HF_DRIFT_FAILED,  /* look again after a pause */
    HF_DRIFT_WORN,    /* the disk loses some files however often they are written: stop writing them */
    HF_DRIFT_RESTART, /* the unit */
    HF_DRIFT_FETCH,   /* the content, then repair */
    HF_DRIFT_REPAIR,
    HF_DRIFT_PACE, /* look again when a repair may begin */
};

enum hf_drift_verdict hf_drift_machine_judge(const struct hf_drift_finding *finding);
