/* What the agent counts, and what it measures when asked. */
#include <errno.h>
#include <stdlib.h>

#include "agent/parts.h"

struct gauges {
    struct hf_agent *agent;
    struct hf_metric_family *statuses, *refused, *objects, *no_room, *contact, *phase, *disk;
    struct hf_metric *plans, *age, *offset, *held, *sequence, *ready, *damaged;
    struct hf_metric_family *release;
};

void hf_gauges_count_status(struct hf_agent *agent, const char *result)
{
    hf_metric_add(hf_metric_with(agent->gauges->statuses, HF_LABELS(result)), 1);
}

void hf_gauges_count_refused(struct hf_agent *agent, const char *kind)
{
    hf_metric_add(hf_metric_with(agent->gauges->refused, HF_LABELS(kind)), 1);
}

void hf_gauges_count_plan(struct hf_agent *agent)
{
    hf_metric_add(agent->gauges->plans, 1);
}

static void set_phase(void *arg, const struct hf_update_status *status)
{
    struct gauges *gauges = arg;

    hf_metric_set(hf_metric_with(gauges->phase, HF_LABELS(status->name, hf_phase_name(status->phase))), 1);
    if (status->installed[0] != '\0')
        hf_metric_set(
            hf_metric_with(gauges->release, HF_LABELS(status->name, status->installed, hf_phase_name(status->phase))),
            1);
}

static void collect_contact(struct gauges *gauges)
{
    struct hf_agent *agent = gauges->agent;
    struct hf_now now = hf_now_read(agent->clock);
    hf_follow_hear(agent);
    uint64_t age = hf_stale_age_ns(&agent->stale, now);

    for (enum hf_staleness s = HF_STALE_FRESH; s <= HF_STALE_EXPIRED; s++)
        hf_metric_set(hf_metric_with(gauges->contact, HF_LABELS(hf_staleness_name(s))), s == agent->staleness);
    hf_metric_set(gauges->age, age == HF_NEVER ? -1 : (double)age / 1e9);
    hf_metric_set(gauges->offset, (double)hf_clock_skew_offset_ns(&agent->skew, now.mono_ns, now.unix_ns) / 1e9);
}

static void collect_disks(struct gauges *gauges)
{
    const struct hf_agent *agent = gauges->agent;

    for (size_t i = 0; i < HF_STATUS_MAX_DISKS; i++) {
        const char *path = i == 0 ? agent->params.home->dir : agent->params.roots[i - 1];
        if (path == NULL)
            break;
        hf_metric_set(hf_metric_with(gauges->disk, HF_LABELS(path)), agent->disk_used[i] / 100.0);
    }
}

static void collect(void *arg)
{
    struct gauges *gauges = arg;
    struct hf_agent *agent = gauges->agent;

    collect_contact(gauges);
    collect_disks(gauges);
    hf_metric_set(gauges->held, agent->held);
    hf_metric_set(gauges->ready, agent->result == 0);
    hf_metric_set(gauges->sequence, (double)agent->report.sequence);
    hf_metric_set(hf_metric_with(gauges->objects, HF_LABELS("EdgeUpdate")), (double)agent->updates.by_name.n);
    hf_metric_set(hf_metric_with(gauges->objects, HF_LABELS("SyncPolicy")), (double)agent->policies.by_name.n);
    hf_metric_set(hf_metric_with(gauges->no_room, HF_LABELS("EdgeUpdate")), (double)agent->updates.no_room.n);
    hf_metric_set(hf_metric_with(gauges->no_room, HF_LABELS("SyncPolicy")), (double)agent->policies.no_room.n);
    hf_metric_forget_all(gauges->phase);
    hf_metric_forget_all(gauges->release);
    if (agent->engine != NULL)
        hf_update_engine_each(agent->engine, set_phase, gauges);
}

int hf_gauges_init(struct hf_agent *agent)
{
    struct hf_metrics *m = agent->params.metrics;
    struct gauges *g = calloc(1, sizeof(*g));

    if (g == NULL)
        return -ENOMEM;
    agent->gauges = g;
    g->agent = agent;
    hf_metric_set(
        hf_metric_with(
            hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_agent_info", "Always 1; the labels say what runs.",
                             HF_LABELS("version", "mode", "node")),
            HF_LABELS(agent->params.version, agent->params.pod_mode ? "Pod" : "Host", agent->params.node_name)),
        1);
    g->statuses = hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_status_writes_total",
                                   "Writes of this node's EdgeNode status, by result.", HF_LABELS("result"));
    g->refused = hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_objects_refused_total",
                                  "Versions of objects that could not be used.", HF_LABELS("kind"));
    g->objects = hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_objects", "Objects known that concern this node.",
                                  HF_LABELS("kind"));
    g->no_room = hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_objects_no_room",
                                  "Objects that select this node and are refused for lack of room.", HF_LABELS("kind"));
    g->contact = hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_contact_state",
                                  "1 for the state of contact with the source of desired state.", HF_LABELS("state"));
    g->phase = hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_update_phase", "1 for the phase each release is in.",
                                HF_LABELS("release", "phase"));
    g->release = hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_release_info",
                                  "Always 1; the version in place of each release, and the phase it is in.",
                                  HF_LABELS("release", "version", "phase"));
    g->disk = hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_disk_used_ratio",
                               "Used part of the file systems of state and releases.", HF_LABELS("path"));
    g->plans = hf_metric_counter(m, "holdfast_reconciles_total", "Times the desired state was worked out.");
    g->age =
        hf_metric_gauge(m, "holdfast_contact_age_seconds", "Time since the source's last sign of life; -1: never.");
    g->offset = hf_metric_gauge(m, "holdfast_clock_offset_seconds", "The API server's clock less this node's.");
    g->held = hf_metric_gauge(m, "holdfast_hold_active", "1 while the site holds updates back.");
    g->ready = hf_metric_gauge(m, "holdfast_node_ready", "1 when every selected update is Committed or Incompatible.");
    g->sequence = hf_metric_gauge(m, "holdfast_status_sequence", "Number of the last status made.");
    return m == NULL ? 0 : hf_metrics_on_collect(m, collect, g);
}

void hf_gauges_done(struct hf_agent *agent)
{
    free(agent->gauges);
    agent->gauges = NULL;
}
