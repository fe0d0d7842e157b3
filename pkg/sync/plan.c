#include "sync/plan.h"

#include <stdlib.h>
#include <string.h>

#include "api/admission.h"

struct candidate {
    struct hf_edgeupdate *update;
    bool admitted;
    bool begun;
};

/* Groups updates by release name; the one to install comes first. */
static int by_rank(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int r = strcmp(x->update->release.name, y->update->release.name);

    if (r != 0)
        return r;
    bool x_may = x->admitted || x->begun, y_may = y->admitted || y->begun;
    if (x_may != y_may)
        return x_may ? -1 : 1;
    if (x->update->release.sequence != y->update->release.sequence)
        return x->update->release.sequence > y->update->release.sequence ? -1 : 1;
    /* Two objects with one sequence: the release that the node has begun stays, else the first name wins. */
    if (x->begun != y->begun)
        return x->begun ? -1 : 1;
    return strcmp(x->update->meta.name, y->update->meta.name);
}

static enum hf_desired_gate gate_of(const struct hf_plan_params *params, const struct candidate *candidate)
{
    if (!candidate->admitted)
        return HF_GATE_NOT_ADMITTED;
    if (params->held)
        return HF_GATE_HELD;
    if (params->staleness == HF_STALE_EXPIRED && params->on_expiry == HF_ON_EXPIRY_HOLD)
        return HF_GATE_STALE;
    return HF_GATE_OPEN;
}

static size_t collect(const struct hf_plan_params *params, struct candidate candidates[HF_PLAN_MAX],
                      size_t *ret_ignored)
{
    size_t n = 0;

    *ret_ignored = 0;
    for (size_t i = 0; i < params->n; i++) {
        struct hf_edgeupdate *update = params->updates[i];
        if (!hf_admission_selects(update, params->node_labels))
            continue;
        if (n == HF_PLAN_MAX) {
            (*ret_ignored)++;
            continue;
        }
        candidates[n++] = (struct candidate){
            .update = update,
            .admitted = hf_admission_allows(update, params->node_name, params->node_labels),
            .begun = params->begun != NULL && params->begun(params->arg, update->release.name, update->release.digest),
        };
    }
    return n;
}

void hf_plan_make(const struct hf_plan_params *params, struct hf_plan *ret_plan)
{
    struct candidate candidates[HF_PLAN_MAX];
    struct hf_plan *plan = ret_plan;
    size_t n = collect(params, candidates, &plan->n_ignored);

    plan->n = plan->n_notes = 0;
    qsort(candidates, n, sizeof(*candidates), by_rank);
    for (size_t i = 0; i < n; i++) {
        struct hf_edgeupdate *update = candidates[i].update;
        const struct hf_edgeupdate *chosen = plan->n > 0 ? plan->desired[plan->n - 1].update : NULL;
        if (chosen == NULL || strcmp(chosen->release.name, update->release.name) != 0) {
            plan->desired[plan->n++] = (struct hf_desired){update, gate_of(params, &candidates[i])};
            continue;
        }
        bool waits = !candidates[i].admitted && update->release.sequence > chosen->release.sequence;
        plan->notes[plan->n_notes++] =
            (struct hf_plan_note){update, waits ? HF_PLAN_NOT_ADMITTED_YET : HF_PLAN_SUPERSEDED, chosen};
    }
}
