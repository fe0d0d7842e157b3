/* SPDX-License-Identifier: Apache-2.0 */
/*                Go               Placed               Healthy
 *     Waiting --------> Applying -----------> Probation ---------> Applied
 *       |  ^             |  |  \                  |
 * Lacks |  |  Postponed  |  |   \ Refused         | Unhealthy
 *       v  '-------------'  |    `-> Refused      v            Restored
 *    Fetching               '----------------> RollingBack ------------> RolledBack
 *                               Unhealthy
 *
 * The picture lacks these moves to another phase:
 *   News        from Fetching, Applied, RolledBack and Refused to Waiting
 *   Same        from Applying to Applied
 *   Refused     from Waiting and Fetching to Refused
 *   Postponed   from Probation and Refused to Waiting
 *   Go          from Refused to Applying
 *
 * In each phase this is true; without a good set, nothing is in its place:
 *   Waiting, Fetching, Refused   the good set is in place, untouched; with `unproven` of the record perhaps also items
 *                                of an attempt that a crash, a lost content or, for the target Cluster, a failure cut
 *                                short
 *   Applying, RollingBack        each file is complete, and belongs to the good set or to the newest set
 *   Probation                    the newest set is in place; the good set's content is still in the state folder
 *   Applied                      the newest set is in place, and is the good set
 *   RolledBack                   the good set is in place again; with `unproven` perhaps also items of the newest set
 *
 * An attempt is prepared in Waiting, or in Refused to repeat it: compared, written to the staging folder, validated. Go
 * comes only just before the first change of the target. A preparation that fails for the same reason as the one before
 * changes neither record nor status. */
#include "manifests/rules/machine.h"

static const char *const event_names[HF_MANIFEST_EV_COUNT] = {
    [HF_MANIFEST_EV_STARTED] = "Started",     [HF_MANIFEST_EV_NEWS] = "News",
    [HF_MANIFEST_EV_LACKS] = "Lacks",         [HF_MANIFEST_EV_GO] = "Go",
    [HF_MANIFEST_EV_REFUSED] = "Refused",     [HF_MANIFEST_EV_POSTPONED] = "Postponed",
    [HF_MANIFEST_EV_FAILED] = "Failed",       [HF_MANIFEST_EV_PLACED] = "Placed",
    [HF_MANIFEST_EV_SAME] = "Same",           [HF_MANIFEST_EV_HEALTHY] = "Healthy",
    [HF_MANIFEST_EV_UNHEALTHY] = "Unhealthy", [HF_MANIFEST_EV_RESTORED] = "Restored",
};

static const char *const action_names[HF_MANIFEST_ACT_COUNT] = {
    [HF_MANIFEST_ACT_NONE] = "-",        [HF_MANIFEST_ACT_PLACE] = "place",        [HF_MANIFEST_ACT_PROBE] = "probe",
    [HF_MANIFEST_ACT_COMMIT] = "commit", [HF_MANIFEST_ACT_ROLLBACK] = "roll back", [HF_MANIFEST_ACT_CLEAN] = "clean",
};

#define TO(next_, action_)                                                                                             \
    {                                                                                                                  \
        .known = true, .next = HF_MANIFEST_##next_, .action = HF_MANIFEST_ACT_##action_                                \
    }
#define ON(event) [HF_MANIFEST_EV_##event]

/* An empty cell is an unexpected event: it is logged and nothing changes. From Applying to RollingBack no news count:
 * the entry first comes to its end. */
static const struct hf_steer_move moves[HF_MANIFEST_PHASE_COUNT][HF_MANIFEST_EV_COUNT] =
    {
        [HF_MANIFEST_WAITING] =
            {
                ON(STARTED) = TO(WAITING, CLEAN),
                ON(NEWS) = TO(WAITING, NONE),
                ON(LACKS) = TO(FETCHING, NONE),
                ON(GO) = TO(APPLYING, PLACE),
                ON(REFUSED) = TO(REFUSED, CLEAN),
                ON(POSTPONED) = TO(WAITING, CLEAN),
            },
        [HF_MANIFEST_FETCHING] =
            {
                ON(STARTED) = TO(FETCHING, CLEAN),
                ON(NEWS) = TO(WAITING, NONE),
                ON(REFUSED) = TO(REFUSED, CLEAN),
            },
        [HF_MANIFEST_APPLYING] =
            {
                ON(STARTED) = TO(APPLYING, PLACE),
                ON(GO) = TO(APPLYING, PLACE),
                ON(REFUSED) = TO(REFUSED, CLEAN),
                ON(POSTPONED) = TO(WAITING, CLEAN),
                ON(FAILED) = TO(APPLYING, NONE),
                ON(PLACED) = TO(PROBATION, PROBE),
                ON(SAME) = TO(APPLIED, COMMIT),
                ON(UNHEALTHY) = TO(ROLLING_BACK, ROLLBACK),
            },
        [HF_MANIFEST_PROBATION] =
            {
                ON(STARTED) = TO(PROBATION, PROBE),
                ON(GO) = TO(PROBATION, PROBE),
                ON(POSTPONED) = TO(WAITING, CLEAN),
                ON(FAILED) = TO(PROBATION, NONE),
                ON(HEALTHY) = TO(APPLIED, COMMIT),
                ON(UNHEALTHY) = TO(ROLLING_BACK, ROLLBACK),
            },
        [HF_MANIFEST_APPLIED] =
            {
                ON(STARTED) = TO(APPLIED, CLEAN),
                ON(NEWS) = TO(WAITING, NONE),
            },
        [HF_MANIFEST_ROLLING_BACK] =
            {
                ON(STARTED) = TO(ROLLING_BACK, ROLLBACK),
                ON(GO) = TO(ROLLING_BACK, ROLLBACK),
                ON(FAILED) = TO(ROLLING_BACK, NONE),
                ON(RESTORED) = TO(ROLLED_BACK, CLEAN),
            },
        [HF_MANIFEST_ROLLED_BACK] =
            {
                ON(STARTED) = TO(ROLLED_BACK, CLEAN),
                ON(NEWS) = TO(WAITING, NONE),
            },
        [HF_MANIFEST_REFUSED] =
            {
                ON(STARTED) = TO(REFUSED, CLEAN),
                ON(NEWS) = TO(WAITING, NONE),
                ON(GO) = TO(APPLYING, PLACE),
                ON(REFUSED) = TO(REFUSED, CLEAN),
                ON(POSTPONED) = TO(WAITING, CLEAN),
            },
};

static const char *state_name(unsigned state)
{
    return hf_manifest_phase_name((enum hf_manifest_phase)state);
}

const struct hf_steer_table hf_manifest_table = {.moves = &moves[0][0],
                                                 .n_states = HF_MANIFEST_PHASE_COUNT,
                                                 .n_events = HF_MANIFEST_EV_COUNT,
                                                 .n_actions = HF_MANIFEST_ACT_COUNT,
                                                 .state_name = state_name,
                                                 .event_names = event_names,
                                                 .action_names = action_names};

bool hf_manifest_machine_rests(enum hf_manifest_phase phase)
{
    return phase != HF_MANIFEST_APPLYING && phase != HF_MANIFEST_PROBATION && phase != HF_MANIFEST_ROLLING_BACK;
}
