/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/fleet/fleet_gauges.h"

#include <stdlib.h>

#include "base/macros.h"

enum { MAX_UPDATES = HF_ROLLOUT_MAX_UPDATES, MAX_STATES = 8 };

/* One gauge for each EdgeUpdate. */
enum one { STAGE, CUTOFF, HALTED, REFUSED, TURNS, ONES };

struct hf_fleet_gauges {
    const struct hf_rollout_engine *engine;
    bool (*leads)(void *arg);
    void *arg;
    struct hf_metric_family *nodes, *phase, *fleet, *ones[ONES];
    struct hf_metric *bytes, *conflicts, *updates;
    size_t n_updates;
};

static void set(struct hf_metric_family *family, const char *const *labels, double value)
{
    hf_metric_set(hf_metric_with(family, labels), value);
}

static void show_counts(struct hf_fleet_gauges *gauges, const struct hf_rollout_view *view)
{
    const struct hf_rollout_counts *c = &view->counts;
    const struct {
        const char *state;
        uint32_t n;
    } rows[] = {{"selected", c->selected}, {"admitted", c->admitted},    {"updated", c->updated},
                {"updating", c->updating}, {"failed", c->failed},        {"incompatible", c->incompatible},
                {"unknown", c->unknown},   {"superseded", c->superseded}};

    _Static_assert(HF_LEN(rows) == MAX_STATES, "room for all states");
    for (size_t i = 0; i < HF_LEN(rows); i++)
        set(gauges->nodes, HF_LABELS(view->name, rows[i].state), rows[i].n);
}

static void show_update(void *arg, const struct hf_rollout_view *view)
{
    struct hf_fleet_gauges *gauges = arg;
    const char *const *labels = HF_LABELS(view->name);

    gauges->n_updates++;
    show_counts(gauges, view);
    set(gauges->phase, HF_LABELS(view->name, view->phase[0] != '\0' ? view->phase : "None"), 1);
    set(gauges->ones[STAGE], labels, view->wave);
    set(gauges->ones[CUTOFF], labels, view->cutoff / 10000.0);
    set(gauges->ones[HALTED], labels, view->halted);
    set(gauges->ones[REFUSED], labels, view->refused);
    set(gauges->ones[TURNS], labels, view->turns);
}

static void collect(void *arg)
{
    struct hf_fleet_gauges *gauges = arg;
    struct hf_rollout_fleet_view fleet;

    hf_metric_forget_all(gauges->nodes);
    hf_metric_forget_all(gauges->phase);
    for (int i = 0; i < ONES; i++)
        hf_metric_forget_all(gauges->ones[i]);
    gauges->n_updates = 0;
    if (gauges->leads(gauges->arg))
        hf_rollout_engine_each(gauges->engine, show_update, gauges);
    hf_metric_set(gauges->updates, (double)gauges->n_updates);
    hf_rollout_engine_fleet(gauges->engine, &fleet);
    set(gauges->fleet, HF_LABELS("nodes"), (double)fleet.nodes);
    set(gauges->fleet, HF_LABELS("edgenodes"), (double)fleet.edgenodes);
    set(gauges->fleet, HF_LABELS("silent"), (double)fleet.silent);
    set(gauges->fleet, HF_LABELS("orphan"), (double)fleet.orphans);
    hf_metric_set(gauges->bytes, (double)fleet.bytes);
    hf_metric_total(gauges->conflicts, (double)fleet.conflicts);
}

static void register_rollouts(struct hf_fleet_gauges *gauges, struct hf_metrics *metrics)
{
    static const struct {
        const char *name, *help;
    } ones[ONES] = {
        [STAGE] = {"holdfast_rollout_stage", "Number of the wave that the rollout is in; 0 is the canary."},
        [CUTOFF] = {"holdfast_rollout_admitted_ratio", "Share of the hash slots that the rollout admits."},
        [HALTED] = {"holdfast_rollout_halted", "1 if the rollout is halted, by failures or by an operator."},
        [REFUSED] = {"holdfast_rollout_refused", "1 if the EdgeUpdate is not valid, so that nothing happens."},
        [TURNS] = {"holdfast_rollout_turns", "Number of nodes that hold a turn for this release."},
    };

    gauges->nodes = hf_metric_family(metrics, HF_METRIC_GAUGE, "holdfast_rollout_nodes",
                                     "Nodes by what they count as in the rollout.", HF_LABELS("update", "state"));
    hf_metric_widen(gauges->nodes, (size_t)MAX_UPDATES * MAX_STATES);
    gauges->phase = hf_metric_family(metrics, HF_METRIC_GAUGE, "holdfast_rollout_phase",
                                     "1 for the phase that the rollout is in; None without a strategy.",
                                     HF_LABELS("update", "phase"));
    hf_metric_widen(gauges->phase, MAX_UPDATES);
    for (int i = 0; i < ONES; i++) {
        gauges->ones[i] = hf_metric_family(metrics, HF_METRIC_GAUGE, ones[i].name, ones[i].help, HF_LABELS("update"));
        hf_metric_widen(gauges->ones[i], MAX_UPDATES);
    }
}

struct hf_fleet_gauges *hf_fleet_gauges_new(struct hf_metrics *metrics, const struct hf_rollout_engine *engine,
                                            bool (*leads)(void *arg), void *arg)
{
    struct hf_fleet_gauges *gauges = calloc(1, sizeof(*gauges));

    if (gauges == NULL)
        return NULL;
    gauges->engine = engine;
    gauges->leads = leads;
    gauges->arg = arg;
    register_rollouts(gauges, metrics);
    gauges->fleet =
        hf_metric_family(metrics, HF_METRIC_GAUGE, "holdfast_fleet_nodes",
                         "Nodes; EdgeNodes; EdgeNodes that are silent; EdgeNodes without a Node.", HF_LABELS("state"));
    gauges->bytes = hf_metric_gauge(metrics, "holdfast_fleet_record_bytes", "Memory of the records of all nodes.");
    gauges->updates = hf_metric_gauge(metrics, "holdfast_rollout_updates", "Number of EdgeUpdates, at the leader.");
    gauges->conflicts = hf_metric_counter(metrics, "holdfast_controller_conflicts_total",
                                          "Writes that the API server refused because the object was newer.");
    if (hf_metrics_on_collect(metrics, collect, gauges) < 0) {
        free(gauges);
        return NULL;
    }
    return gauges;
}

void hf_fleet_gauges_free(struct hf_fleet_gauges *gauges)
{
    free(gauges);
}
