/* SPDX-License-Identifier: Apache-2.0 */
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
static const struct hf_manifest_move table[HF_MANIFEST_PHASE_COUNT][HF_MANIFEST_EV_COUNT] =
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

struct hf_manifest_move hf_manifest_machine_move(enum hf_manifest_phase phase, enum hf_manifest_event event)
{
    if (phase >= HF_MANIFEST_PHASE_COUNT || event >= HF_MANIFEST_EV_COUNT)
        return (struct hf_manifest_move){.known = false};
    return table[phase][event];
}

const char *hf_manifest_machine_event_name(enum hf_manifest_event event)
{
    return event < HF_MANIFEST_EV_COUNT ? event_names[event] : "";
}

bool hf_manifest_machine_rests(enum hf_manifest_phase phase)
{
    return phase != HF_MANIFEST_APPLYING && phase != HF_MANIFEST_PROBATION && phase != HF_MANIFEST_ROLLING_BACK;
}

int hf_manifest_machine_print(struct hf_buf *out)
{
    for (unsigned phase = 0; phase < HF_MANIFEST_PHASE_COUNT; phase++) {
        int r = hf_buf_addf(out, "%s\n", hf_manifest_phase_name((enum hf_manifest_phase)phase));
        for (unsigned event = 0; r == 0 && event < HF_MANIFEST_EV_COUNT; event++) {
            const struct hf_manifest_move *move = &table[phase][event];
            if (move->known)
                r = hf_buf_addf(out, "  %-10s %-13s %s\n", event_names[event], hf_manifest_phase_name(move->next),
                                action_names[move->action]);
            else
                r = hf_buf_addf(out, "  %-10s .\n", event_names[event]);
        }
        if (r < 0)
            return r;
    }
    return 0;
}
