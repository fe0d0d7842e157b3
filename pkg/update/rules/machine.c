/* SPDX-License-Identifier: Apache-2.0 */
/*           Desired        Go          Fetched       Patched         Go          Swapped        Healthy
 *      Idle ---> Waiting ---> Fetching ---> Patching ---> Verified ---> Swapping ---> Probation ---> Committed
 *                 ^  \                                                      | Failed      | Unhealthy
 *                 |   `--> Incompatible (Misfit), Rejected (Refused)        v             v
 *     Failed, Held                                        Waiting <--- RollingBack <------'
 *                                                              Undone       | Restored
 *                                                                           v
 *                                                                      RolledBack
 *
 * In every state the installed path names a complete version or, before a first installation, nothing:
 *
 *  up to Verified         the old version is in place, unchanged
 *  Verified               the new file is complete, verified and durable, beside the old file
 *  Swapping               the old or the new version is in place; the old file gets a second, durable name first
 *  Probation              the new version is in place; the old file still has its second name
 *  RollingBack            as in Swapping
 *  Committed, RolledBack  the new or the old version is in place; then the second name and unfinished files go
 *
 * Drifted leads from Committed to Waiting. */
#include "update/rules/machine.h"

static const char *const event_names[HF_EV_COUNT] = {
    [HF_EV_STARTED] = "Started", [HF_EV_DESIRED] = "Desired",
    [HF_EV_DROPPED] = "Dropped", [HF_EV_GO] = "Go",
    [HF_EV_HELD] = "Held",       [HF_EV_REFUSED] = "Refused",
    [HF_EV_MISFIT] = "Misfit",   [HF_EV_INSTALLED] = "Installed",
    [HF_EV_FETCHED] = "Fetched", [HF_EV_PATCHED] = "Patched",
    [HF_EV_STEPPED] = "Stepped", [HF_EV_FALL_BACK] = "FallBack",
    [HF_EV_SWAPPED] = "Swapped", [HF_EV_RESTARTED] = "Restarted",
    [HF_EV_HEALTHY] = "Healthy", [HF_EV_UNHEALTHY] = "Unhealthy",
    [HF_EV_FAILED] = "Failed",   [HF_EV_RESTORED] = "Restored",
    [HF_EV_UNDONE] = "Undone",   [HF_EV_DRIFTED] = "Drifted",
    [HF_EV_MENDED] = "Mended",   [HF_EV_HOOKED] = "Hooked",
    [HF_EV_BOOTED] = "Booted",   [HF_EV_DELAYED] = "Delayed",
};

static const char *const action_names[HF_ACT_COUNT] = {
    [HF_ACT_NONE] = "-",      [HF_ACT_FETCH] = "fetch",   [HF_ACT_PATCH] = "patch",        [HF_ACT_SWAP] = "swap",
    [HF_ACT_PROBE] = "probe", [HF_ACT_COMMIT] = "commit", [HF_ACT_ROLLBACK] = "roll back", [HF_ACT_CLEAN] = "clean",
};

#define TO(next_, action_)                                                                                             \
    {                                                                                                                  \
        .known = true, .next = HF_PHASE_##next_, .action = HF_ACT_##action_                                            \
    }

/* An empty cell is an unexpected event: it is logged and nothing changes. From Swapping on the update runs to its end,
 * so those states ignore changes of the wanted object; Waiting looks at it again. */
static const struct hf_steer_move moves[HF_PHASE_COUNT][HF_EV_COUNT] =
    {
        [HF_PHASE_IDLE] =
            {
                [HF_EV_STARTED] = TO(IDLE, CLEAN),
                [HF_EV_DESIRED] = TO(WAITING, NONE),
            },
        [HF_PHASE_WAITING] =
            {
                [HF_EV_STARTED] = TO(WAITING, NONE),
                [HF_EV_DROPPED] = TO(IDLE, CLEAN),
                [HF_EV_GO] = TO(FETCHING, FETCH),
                [HF_EV_REFUSED] = TO(REJECTED, CLEAN),
                [HF_EV_MISFIT] = TO(INCOMPATIBLE, CLEAN),
                [HF_EV_INSTALLED] = TO(COMMITTED, COMMIT),
                [HF_EV_FAILED] = TO(WAITING, NONE),
            },
        [HF_PHASE_FETCHING] =
            {
                /* The download stays on disk; Go finds it. */
                [HF_EV_STARTED] = TO(WAITING, NONE),
                [HF_EV_DROPPED] = TO(IDLE, CLEAN),
                [HF_EV_HELD] = TO(WAITING, NONE),
                [HF_EV_REFUSED] = TO(REJECTED, CLEAN),
                [HF_EV_MISFIT] = TO(INCOMPATIBLE, CLEAN),
                [HF_EV_FETCHED] = TO(PATCHING, PATCH),
                [HF_EV_FALL_BACK] = TO(FETCHING, FETCH),
                [HF_EV_FAILED] = TO(WAITING, NONE),
            },
        [HF_PHASE_PATCHING] =
            {
                [HF_EV_STARTED] = TO(WAITING, NONE),
                [HF_EV_DROPPED] = TO(IDLE, CLEAN),
                [HF_EV_HELD] = TO(WAITING, NONE),
                [HF_EV_REFUSED] = TO(REJECTED, CLEAN),
                [HF_EV_MISFIT] = TO(INCOMPATIBLE, CLEAN),
                [HF_EV_PATCHED] = TO(VERIFIED, NONE),
                [HF_EV_STEPPED] = TO(FETCHING, FETCH),
                [HF_EV_FALL_BACK] = TO(FETCHING, FETCH),
                [HF_EV_FAILED] = TO(WAITING, NONE),
            },
        [HF_PHASE_VERIFIED] =
            {
                [HF_EV_STARTED] = TO(VERIFIED, NONE),
                [HF_EV_DROPPED] = TO(IDLE, CLEAN),
                [HF_EV_GO] = TO(SWAPPING, SWAP),
                [HF_EV_FAILED] = TO(VERIFIED, NONE), /* beforeSwap */
                [HF_EV_REFUSED] = TO(REJECTED, CLEAN),
                [HF_EV_MISFIT] = TO(INCOMPATIBLE, CLEAN),
            },
        [HF_PHASE_SWAPPING] =
            {
                [HF_EV_STARTED] = TO(SWAPPING, SWAP),
                [HF_EV_SWAPPED] = TO(PROBATION, PROBE),
                [HF_EV_FAILED] = TO(ROLLING_BACK, ROLLBACK),
            },
        [HF_PHASE_PROBATION] =
            {
                [HF_EV_STARTED] = TO(PROBATION, PROBE),
                [HF_EV_DELAYED] = TO(PROBATION, NONE),
                [HF_EV_HOOKED] = TO(PROBATION, PROBE),
                [HF_EV_BOOTED] = TO(PROBATION, PROBE),
                [HF_EV_RESTARTED] = TO(PROBATION, PROBE),
                [HF_EV_HEALTHY] = TO(COMMITTED, COMMIT),
                [HF_EV_UNHEALTHY] = TO(ROLLING_BACK, ROLLBACK),
            },
        [HF_PHASE_COMMITTED] =
            {
                [HF_EV_STARTED] = TO(COMMITTED, COMMIT),
                [HF_EV_DESIRED] = TO(WAITING, NONE),
                [HF_EV_DRIFTED] = TO(WAITING, NONE),
                [HF_EV_MENDED] = TO(COMMITTED, COMMIT),
            },
        [HF_PHASE_ROLLING_BACK] =
            {
                [HF_EV_STARTED] = TO(ROLLING_BACK, ROLLBACK),
                [HF_EV_GO] = TO(ROLLING_BACK, ROLLBACK),
                [HF_EV_FAILED] = TO(ROLLING_BACK, NONE),
                [HF_EV_RESTORED] = TO(ROLLED_BACK, CLEAN),
                [HF_EV_UNDONE] = TO(WAITING, NONE),
            },
        [HF_PHASE_ROLLED_BACK] =
            {
                [HF_EV_STARTED] = TO(ROLLED_BACK, CLEAN),
                [HF_EV_DESIRED] = TO(WAITING, NONE),
            },
        [HF_PHASE_INCOMPATIBLE] =
            {
                [HF_EV_STARTED] = TO(INCOMPATIBLE, CLEAN),
                [HF_EV_DESIRED] = TO(WAITING, NONE),
                [HF_EV_DROPPED] = TO(IDLE, CLEAN),
            },
        [HF_PHASE_REJECTED] =
            {
                [HF_EV_STARTED] = TO(REJECTED, CLEAN),
                [HF_EV_DESIRED] = TO(WAITING, NONE),
                [HF_EV_DROPPED] = TO(IDLE, CLEAN),
            },
};

static const char *state_name(unsigned state)
{
    return hf_phase_name((enum hf_phase)state);
}

const struct hf_steer_table hf_update_table = {.moves = &moves[0][0],
                                               .n_states = HF_PHASE_COUNT,
                                               .n_events = HF_EV_COUNT,
                                               .n_actions = HF_ACT_COUNT,
                                               .state_name = state_name,
                                               .event_names = event_names,
                                               .action_names = action_names};
