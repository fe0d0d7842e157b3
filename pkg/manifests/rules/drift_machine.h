/* SPDX-License-Identifier: Apache-2.0 */
/* Decides when to look for drift, and what to do with the result.
 *
 * A repair may begin without a look, when a Secret's content has come. The table knows no times: in Due and Paced, the
 * look begins at the owner's `due_ns`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

enum hf_drift_state {
    HF_DRIFT_CLEAN,
    HF_DRIFT_DUE,
    HF_DRIFT_PACED, /* a look is wanted after a pause, because of a failure or many repairs */
    HF_DRIFT_LOOKING,
    HF_DRIFT_LOOKING_AGAIN, /* another look is wanted */
    HF_DRIFT_REPAIRING,
    HF_DRIFT_REPAIRING_AGAIN, /* a look is wanted after the repair */
    HF_DRIFT_STATE_COUNT,
};

enum hf_drift_event {
    HF_DRIFT_EV_WANTED, /* such as: files may have changed, or an interval of the policy has passed */
    HF_DRIFT_EV_BEGAN,
    HF_DRIFT_EV_DRIFTED,
    HF_DRIFT_EV_ENDED, /* the look or repair has ended */
    HF_DRIFT_EV_PACED,
    HF_DRIFT_EV_COUNT,
};

/* An event that the table lacks changes nothing, and sets *ret_known to false. */
enum hf_drift_state hf_drift_machine_move(enum hf_drift_state state, enum hf_drift_event event, bool *ret_known);
bool hf_drift_machine_wants(enum hf_drift_state state);

/* Returns the time until a look; HF_NEVER: none is wanted, or a look or repair runs. `unwatched`: a folder has no
 * watch, so in Clean a look is due HF_DRIFT_UNWATCHED_NS after looked_ns. */
#define HF_DRIFT_UNWATCHED_NS (30 * HF_NS_PER_S)
uint64_t hf_drift_machine_wait_ns(enum hf_drift_state state, uint64_t due_ns, bool unwatched, uint64_t looked_ns,
                                  uint64_t now_ns);

struct hf_drift_finding {
    bool failed;
    unsigned unreadable;
    bool drifted;     /* files are not, or may not be, as wanted */
    bool restart_due; /* the unit was not restarted since a repair */
    bool absent;
    uint64_t wait_ns;
};

enum hf_drift_verdict {
    HF_DRIFT_AS_WANTED,
    HF_DRIFT_FAILED,
    HF_DRIFT_WORN, /* the disk cannot read files that were written again: stop writing them */
    HF_DRIFT_RESTART,
    HF_DRIFT_FETCH,
    HF_DRIFT_REPAIR,
    HF_DRIFT_PACE,
};

enum hf_drift_verdict hf_drift_machine_judge(const struct hf_drift_finding *finding);
