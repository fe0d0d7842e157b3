/* SPDX-License-Identifier: Apache-2.0 */
/*             Wanted             Began                Drifted
 *    Clean ----------> Due ----------------> Looking ----------> Repairing
 *      ^                ^                    |     |                 |   |
 *      |                | Began, Wanted      |     | Paced           |   | Paced
 *      |              Paced <----------------|-----'-----------------|---'
 *      |                                     |                       |
 *      '-------------------------------------'-----------------------'
 *                                       Ended */
#include "manifests/rules/drift_machine.h"

#include <assert.h>

#include "base/clock.h"

enum { HF_DRIFT_MAX_UNREADABLE = 5 }; /* looks in a row that find only files that the disk does not read */

#define ON(event_, next_) [HF_DRIFT_EV_##event_] = 1 + HF_DRIFT_##next_

/* 1 + the next state; 0 is an unexpected event. */
static const unsigned char table[HF_DRIFT_STATE_COUNT][HF_DRIFT_EV_COUNT] = {
    [HF_DRIFT_CLEAN] = {ON(WANTED, DUE), ON(DRIFTED, REPAIRING), ON(PACED, PACED)},
    [HF_DRIFT_DUE] = {ON(WANTED, DUE), ON(BEGAN, LOOKING), ON(DRIFTED, REPAIRING_AGAIN), ON(PACED, PACED)},
    [HF_DRIFT_PACED] = {ON(WANTED, PACED), ON(BEGAN, LOOKING), ON(DRIFTED, REPAIRING_AGAIN), ON(PACED, PACED)},
    [HF_DRIFT_LOOKING] = {ON(WANTED, LOOKING_AGAIN), ON(DRIFTED, REPAIRING), ON(ENDED, CLEAN), ON(PACED, PACED)},
    [HF_DRIFT_LOOKING_AGAIN] = {ON(WANTED, LOOKING_AGAIN), ON(DRIFTED, REPAIRING_AGAIN), ON(ENDED, DUE),
                                ON(PACED, PACED)},
    [HF_DRIFT_REPAIRING] = {ON(WANTED, REPAIRING_AGAIN), ON(ENDED, CLEAN), ON(PACED, PACED)},
    [HF_DRIFT_REPAIRING_AGAIN] = {ON(WANTED, REPAIRING_AGAIN), ON(ENDED, DUE), ON(PACED, PACED)},
};

enum hf_drift_state hf_drift_machine_move(enum hf_drift_state state, enum hf_drift_event event, bool *ret_known)
{
    assert(state < HF_DRIFT_STATE_COUNT);
    unsigned next = event < HF_DRIFT_EV_COUNT ? table[state][event] : 0;

    *ret_known = next > 0;
    return next > 0 ? (enum hf_drift_state)(next - 1) : state;
}

bool hf_drift_machine_wants(enum hf_drift_state state)
{
    return state != HF_DRIFT_CLEAN && state != HF_DRIFT_LOOKING && state != HF_DRIFT_REPAIRING;
}

/* Without a watch no change is told, and the interval of the policy may be long. */
uint64_t hf_drift_machine_wait_ns(enum hf_drift_state state, uint64_t due_ns, bool unwatched, uint64_t looked_ns,
                                  uint64_t now_ns)
{
    uint64_t from_ns = state == HF_DRIFT_CLEAN ? looked_ns + HF_DRIFT_UNWATCHED_NS : due_ns;

    if (state > HF_DRIFT_PACED || (state == HF_DRIFT_CLEAN && !unwatched))
        return HF_NEVER;
    return from_ns > now_ns ? from_ns - now_ns : 0;
}

enum hf_drift_verdict hf_drift_machine_judge(const struct hf_drift_finding *finding)
{
    if (finding->failed)
        return HF_DRIFT_FAILED;
    if (finding->unreadable > HF_DRIFT_MAX_UNREADABLE)
        return HF_DRIFT_WORN;
    if (!finding->drifted && !finding->restart_due)
        return HF_DRIFT_AS_WANTED;
    if (finding->wait_ns > 0)
        return HF_DRIFT_PACE;
    if (!finding->drifted)
        return HF_DRIFT_RESTART;
    return finding->absent ? HF_DRIFT_FETCH : HF_DRIFT_REPAIR;
}
