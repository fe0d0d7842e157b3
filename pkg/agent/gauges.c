/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/gauges.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/desired/site_hold.h"
#include "agent/follow/follow.h"
#include "agent/report/report.h"
#include "agent/resources/resource_gauges.h"
#include "update/engine.h"

struct hf_gauges {
    const struct hf_agent_parts *parts;
    struct hf_metric_family *objects, *no_room, *contact, *lost, *phase, *release;
    struct hf_resource_gauges resources;
    struct hf_metric *age, *offset, *synchronized_, *exceeded, *held, *sequence, *ready;
};

static void set_phase(void *arg, const struct hf_update_status *status)
{
    const struct hf_gauges *gauges = arg;
    const char *phase = hf_phase_name(status->phase);

    hf_metric_set(hf_metric_with(gauges->phase, HF_LABELS(status->name, phase)), 1);
    hf_metric_set(hf_metric_with(gauges->release, HF_LABELS(status->name, status->installed, phase, status->reason)),
                  1);
}

static void collect_contact(const struct hf_gauges *gauges)
{
    struct hf_contact *contact = gauges->parts->contact;
    struct hf_now now = hf_now_read(gauges->parts->env->world.clock);

    hf_contact_confirm(contact);
    uint64_t age = hf_stale_age_ns(&contact->stale, now);
    for (enum hf_staleness s = HF_STALE_FRESH; s < HF_STALE_COUNT; s++)
        hf_metric_set(hf_metric_with(gauges->contact, HF_LABELS(hf_staleness_name(s))), s == contact->staleness);
    hf_metric_forget_all(gauges->lost);
    if (contact->reason != HF_CONTACT_REASON_NONE)
        hf_metric_set(hf_metric_with(gauges->lost, HF_LABELS(hf_contact_reason_name(contact->reason))), 1);
    hf_metric_set(gauges->age, age == HF_NEVER ? -1 : (double)age / 1e9);
    hf_metric_set(gauges->offset, (double)hf_contact_wall_offset_ns(contact) / 1e9);
    hf_metric_set(gauges->synchronized_, hf_clock_synchronized(&gauges->parts->env->params->home->clock));
    hf_metric_set(gauges->exceeded, contact->skew.exceeded);
}

static void collect_objects(const struct hf_gauges *gauges, const struct hf_objects *objects)
{
    const char *kind = objects->kind->kind;

    hf_metric_set(hf_metric_with(gauges->objects, HF_LABELS(kind)), (double)objects->by_name.n);
    hf_metric_set(hf_metric_with(gauges->no_room, HF_LABELS(kind)), (double)objects->no_room.n);
}

static void collect(void *arg)
{
    struct hf_gauges *gauges = arg;
    const struct hf_agent_parts *parts = gauges->parts;

    collect_contact(gauges);
    hf_resource_gauges_set(&gauges->resources, parts->disks, parts->network);
    collect_objects(gauges, &parts->follows->updates);
    collect_objects(gauges, &parts->follows->policies);
    hf_metric_set(gauges->held, parts->hold->active);
    hf_metric_set(gauges->ready, parts->report->ready);
    hf_metric_set(gauges->sequence, (double)parts->report->sequence.number);
    hf_metric_forget_all(gauges->phase);
    hf_metric_forget_all(gauges->release);
    if (parts->engine != NULL)
        hf_update_engine_each(parts->engine, set_phase, gauges);
}

int hf_gauges_new(struct hf_metrics *m, const struct hf_agent_parts *parts, struct hf_gauges **ret_gauges)
{
    const struct hf_agent_params *params = parts->env->params;
    struct hf_gauges *g = calloc(1, sizeof(*g));

    if (g == NULL)
        return -ENOMEM;
    *ret_gauges = g;
    g->parts = parts;
    hf_metric_set(hf_metric_with(hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_agent_info",
                                                  "Always 1; the labels name version, mode and node.",
                                                  HF_LABELS("version", "mode", "node")),
                                 HF_LABELS(params->version, params->pod_mode ? "Pod" : "Host", params->node_name)),
                  1);
    g->objects =
        hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_objects", "Objects that select this node.", HF_LABELS("kind"));
    g->no_room =
        hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_objects_no_room",
                         "Objects that select this node and that it refused for lack of room.", HF_LABELS("kind"));
    g->contact = hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_contact_state",
                                  "1 for the state of contact with the source of desired state.", HF_LABELS("state"));
    g->lost =
        hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_contact_lost",
                         "1 for the reason of the last failure to reach the source; absent while there is contact.",
                         HF_LABELS("reason"));
    g->phase = hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_update_phase", "1 for the current phase of each release.",
                                HF_LABELS("release", "phase"));
    g->release = hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_release_info",
                                  "Always 1; installed version, phase and its reason of each release.",
                                  HF_LABELS("release", "version", "phase", "reason"));
    hf_resource_gauges_init(&g->resources, m);
    g->age = hf_metric_gauge(m, "holdfast_contact_age_seconds",
                             "Time since the last sign of life of the source; -1: never.");
    g->offset =
        hf_metric_gauge(m, "holdfast_clock_offset_seconds", "Clock of the API server minus the clock of this node.");
    g->synchronized_ = hf_metric_gauge(m, "holdfast_clock_synchronized", "1 while a time server keeps the clock.");
    g->exceeded = hf_metric_gauge(m, "holdfast_clock_skew_exceeded",
                                  "1 while the clock differs from the API server's by more than clock.maxSkew.");
    g->held = hf_metric_gauge(m, "holdfast_hold_active", "1 while the site's hold on updates is in effect.");
    g->ready = hf_metric_gauge(m, "holdfast_node_ready", "1 while the condition Ready of the EdgeNode is True.");
    g->sequence = hf_metric_gauge(m, "holdfast_status_sequence", "Sequence of the newest status.");
    return m == NULL ? 0 : hf_metrics_on_collect(m, collect, g);
}

void hf_gauges_free(struct hf_gauges *gauges)
{
    free(gauges);
}
