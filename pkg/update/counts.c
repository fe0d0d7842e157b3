/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of the updater. Label values are names of phases and reasons: few, and fixed. */
#include <string.h>

#include "update/release.h"

void counts_init(struct hf_update_engine *engine)
{
    struct hf_metrics *m = engine->p.world.metrics;
    struct counts *counts = &engine->counts;

    counts->outcomes = hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_update_outcomes_total",
                                        "Finished updates, by outcome and reason.", HF_LABELS("outcome", "reason"));
    counts->failures = hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_update_failed_attempts_total",
                                        "Failed attempts that the agent repeats, by reason.", HF_LABELS("reason"));
    counts->fetched = hf_metric_counter(m, "holdfast_update_fetched_bytes_total",
                                        "Bytes of artifacts and deltas received over the network.");
    counts->saved = hf_metric_counter(m, "holdfast_update_saved_bytes_total",
                                      "Size of the installed files minus the bytes received for them.");
    counts->repairs = hf_metric_counter(m, "holdfast_update_drift_repairs_total",
                                        "Installed versions restored after somebody changed or removed them.");
    counts->rollbacks = hf_metric_counter(m, "holdfast_update_rollbacks_total",
                                          "Updates that ended with a rollback to the old version.");
}

static const char *reason_of(const struct hf_journal *j)
{
    const char *name = hf_reason_name(j->reason);

    return name[0] != '\0' ? name : "None";
}

static void count_commit(struct release *release)
{
    const struct hf_journal *now = &release->j;

    if (now->reason == HF_R_AlreadyInstalled || now->method == HF_METHOD_NONE)
        return;
    if (now->size > now->bytes_fetched)
        hf_metric_add(release->engine->counts.saved, now->size - now->bytes_fetched);
    if (strcmp(release->record.shown.good_digest, now->digest) == 0) /* the same release again */
        repairs_put_back(release, now->message);
}

void counts_move(struct release *release)
{
    const struct counts *counts = &release->engine->counts;
    const struct hf_journal *before = &release->record.shown, *now = &release->j;

    if (before->phase == now->phase)
        return;
    switch (now->phase) {
    case HF_PHASE_COMMITTED:
        count_commit(release);
        break;
    case HF_PHASE_ROLLED_BACK:
        hf_metric_add(counts->rollbacks, 1);
        break;
    case HF_PHASE_REJECTED:
    case HF_PHASE_INCOMPATIBLE:
        break;
    default:
        return;
    }
    hf_metric_add(hf_metric_with(counts->outcomes, HF_LABELS(hf_phase_name(now->phase), reason_of(now))), 1);
}

void counts_failure(const struct hf_update_engine *engine, enum hf_reason reason)
{
    hf_metric_add(hf_metric_with(engine->counts.failures, HF_LABELS(hf_reason_name(reason))), 1);
}
