/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/admission.h"
#include "sync/stale_table.h"

struct candidate {
    struct hf_edgeupdate *update;
    bool admitted;
    bool begun;
    bool accepted; /* the node accepts the signatures, or has no choice */
};

/* Groups updates by release name; the one to install comes first. */
static int by_rank(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int r = strcmp(x->update->release.name, y->update->release.name);

    if (r != 0)
        return r;
    if (x->accepted != y->accepted)
        return x->accepted ? -1 : 1;
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
    if (!hf_stale_table_may(HF_STALE_ACT_NEW_RELEASE, params->staleness, params->on_expiry))
        return HF_GATE_STALE;
    return candidate->update->wait_for_images && !params->images_ready ? HF_GATE_IMAGES : HF_GATE_OPEN;
}

static bool lacks_turn(const struct hf_plan_params *params, const struct hf_edgeupdate *update)
{
    return update->has_disruption &&
           (params->has_turn == NULL || !params->has_turn(params->arg, update->release.name, update->release.digest));
}

static struct hf_desired desired_of(const struct hf_plan_params *params, const struct candidate *candidate)
{
    return (struct hf_desired){.update = candidate->update,
                               .gate = gate_of(params, candidate),
                               .held = params->held,
                               .writes_used_up = params->writes_used_up,
                               .link = params->link,
                               .turn_missing = lacks_turn(params, candidate->update)};
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
            .accepted = true,
        };
    }
    return n;
}

/* Asks about the signatures where several updates claim one release name. The candidates must be grouped by name. */
static void ask_who_signed(const struct hf_plan_params *params, struct candidate *candidates, size_t n)
{
    if (params->accepts == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        const char *name = candidates[i].update->release.name;
        bool before = i > 0 && strcmp(candidates[i - 1].update->release.name, name) == 0;
        bool after = i + 1 < n && strcmp(candidates[i + 1].update->release.name, name) == 0;
        if (before || after)
            candidates[i].accepted = params->accepts(params->arg, candidates[i].update);
    }
}

/* Why the candidate gives way to the chosen one. */
static enum hf_plan_why why_not(const struct candidate *candidate, const struct candidate *chosen)
{
    bool is_newer = candidate->update->release.sequence > chosen->update->release.sequence;
    bool is_as_new = candidate->update->release.sequence == chosen->update->release.sequence;

    if (chosen->accepted && !candidate->accepted && (is_newer || is_as_new))
        return HF_PLAN_NOT_ACCEPTED;
    return !candidate->admitted && is_newer ? HF_PLAN_NOT_ADMITTED_YET : HF_PLAN_SUPERSEDED;
}

void hf_plan_make(const struct hf_plan_params *params, struct hf_plan *ret_plan)
{
    struct candidate candidates[HF_PLAN_MAX];
    const struct candidate *chosen = NULL;
    struct hf_plan *plan = ret_plan;
    size_t n = collect(params, candidates, &plan->n_ignored);

    plan->n = plan->n_notes = 0;
    qsort(candidates, n, sizeof(*candidates), by_rank);
    ask_who_signed(params, candidates, n);
    qsort(candidates, n, sizeof(*candidates), by_rank);
    for (size_t i = 0; i < n; i++) {
        struct hf_edgeupdate *update = candidates[i].update;
        if (chosen == NULL || strcmp(chosen->update->release.name, update->release.name) != 0) {
            assert(chosen == NULL || strcmp(chosen->update->release.name, update->release.name) < 0); /* one a name */
            chosen = &candidates[i];
            plan->desired[plan->n++] = desired_of(params, chosen);
            continue;
        }
        /* What the node may install is never behind what it may not. */
        assert(chosen->accepted || !candidates[i].accepted);
        plan->notes[plan->n_notes++] = (struct hf_plan_note){update, why_not(&candidates[i], chosen), chosen->update};
    }
    assert(plan->n + plan->n_notes == n);
}
