/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/resources/resource_gauges.h"

static void init_disks(struct hf_resource_gauges *g, struct hf_metrics *m)
{
    g->used = hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_disk_used_ratio",
                               "Used part of the file systems that the agent watches.", HF_LABELS("path"));
    g->inodes =
        hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_disk_inodes_used_ratio",
                         "Used part of the inodes of the file systems that the agent watches.", HF_LABELS("path"));
    g->read_only = hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_disk_read_only",
                                    "1 if the file system is mounted read-only, or refuses writes.", HF_LABELS("path"));
    g->level = hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_disk_level",
                                "Level of the file system: 0 Ok, 1 Warning, 2 Critical.", HF_LABELS("path"));
    g->wear = hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_disk_wear_ratio",
                               "Used part of the life of the flash below the file system, where the kernel shows it.",
                               HF_LABELS("path"));
}

static void init_writes(struct hf_resource_gauges *g, struct hf_metrics *m)
{
    g->written = hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_writes_bytes_total",
                                  "Bytes that each part of the agent has written to files, in memory or on disks.",
                                  HF_LABELS("kind"));
    g->on_disk = hf_metric_counter(m, "holdfast_writes_disk_bytes_total",
                                   "Bytes that the agent and its children caused the kernel to write to disks.");
    g->day = hf_metric_gauge(m, "holdfast_writes_day_bytes", "Bytes that the agent wrote to disks within 24 hours.");
    g->budget = hf_metric_gauge(m, "holdfast_writes_budget_bytes",
                                "Bytes that the policy lets the agent write within 24 hours; 0: no budget.");
}

static void init_network(struct hf_resource_gauges *g, struct hf_metrics *m)
{
    g->carried =
        hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_network_bytes_total",
                         "Bytes that the agent has sent to and received from other machines, without TLS and TCP.",
                         HF_LABELS("kind", "direction"));
    g->waits =
        hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_network_bulk_waits",
                         "1 for the reason why bulk transfers wait; absent while they may run.", HF_LABELS("reason"));
    g->day_carried = hf_metric_gauge(m, "holdfast_network_day_bytes", "Bytes of bulk transfers within 24 hours.");
    g->day_limit = hf_metric_gauge(m, "holdfast_network_day_limit_bytes",
                                   "Bytes of bulk transfers that the policy allows within 24 hours; 0: no limit.");
    g->round_trip = hf_metric_gauge(m, "holdfast_network_round_trip_seconds",
                                    "Average round trip to the API server, or to the proxy before it; 0: not known.");
    g->download = hf_metric_gauge(m, "holdfast_network_download_bytes_per_second",
                                  "Average speed of the downloads of releases and archives; 0: not known.");
}

void hf_resource_gauges_init(struct hf_resource_gauges *gauges, struct hf_metrics *metrics)
{
    init_disks(gauges, metrics);
    init_writes(gauges, metrics);
    init_network(gauges, metrics);
    gauges->pods = hf_metric_gauge(metrics, "holdfast_pods", "Pods of this node that have a cgroup.");
    gauges->pods_used =
        hf_metric_gauge(metrics, "holdfast_pods_memory_bytes", "Memory that all pods of this node use.");
    gauges->kills = hf_metric_counter(metrics, "holdfast_pods_oom_kills_total",
                                      "Processes of pods that the kernel killed for lack of memory.");
    gauges->pod_used =
        hf_metric_family(metrics, HF_METRIC_GAUGE, "holdfast_pod_memory_used_ratio",
                         "Used part of the memory limit, of the ten pods closest to theirs.", HF_LABELS("pod"));
    gauges->pod_stalled =
        hf_metric_family(metrics, HF_METRIC_GAUGE, "holdfast_pod_memory_stalled_ratio",
                         "Part of the last minute in which the whole pod waited for memory.", HF_LABELS("pod"));
}

static void set_disks(const struct hf_resource_gauges *g, const struct hf_disks *disks)
{
    hf_metric_forget_all(g->used);
    hf_metric_forget_all(g->inodes);
    hf_metric_forget_all(g->read_only);
    hf_metric_forget_all(g->level);
    hf_metric_forget_all(g->wear);
    for (size_t i = 0; i < disks->n; i++) {
        const struct hf_pressure_disk *disk = &disks->disks[i];
        if (disk->missing)
            continue;
        hf_metric_set(hf_metric_with(g->used, HF_LABELS(disk->path)), disk->usage.used_percent / 100.0);
        hf_metric_set(hf_metric_with(g->inodes, HF_LABELS(disk->path)), disk->usage.inodes_percent / 100.0);
        hf_metric_set(hf_metric_with(g->read_only, HF_LABELS(disk->path)), disk->usage.read_only);
        hf_metric_set(hf_metric_with(g->level, HF_LABELS(disk->path)), disk->level);
        if (disk->wear.percent >= 0)
            hf_metric_set(hf_metric_with(g->wear, HF_LABELS(disk->path)), disk->wear.percent / 100.0);
    }
}

static void set_pods(const struct hf_resource_gauges *g, const struct hf_disks *disks)
{
    const struct hf_pods_found *pods = &disks->pods;

    hf_metric_forget_all(g->pod_used);
    hf_metric_forget_all(g->pod_stalled);
    hf_metric_set(g->pods, (double)pods->n);
    hf_metric_set(g->pods_used, (double)pods->used_bytes);
    hf_metric_total(g->kills, (double)disks->kills.total);
    for (size_t i = 0; i < pods->n_worst; i++) {
        const struct hf_pod_memory *pod = &pods->worst[i];
        if (pod->limit_bytes != 0)
            hf_metric_set(hf_metric_with(g->pod_used, HF_LABELS(pod->name)),
                          (double)pod->used_bytes / (double)pod->limit_bytes);
        if (pod->stalled_percent != 0)
            hf_metric_set(hf_metric_with(g->pod_stalled, HF_LABELS(pod->name)), pod->stalled_percent / 100.0);
    }
}

static void set_network(const struct hf_resource_gauges *g, const struct hf_network *network)
{
    static const struct {
        const char *kind, *direction;
    } rows[] = {[HF_NETWORK_RELEASES] = {"release", "received"},
                [HF_NETWORK_ARCHIVES] = {"manifest", "received"},
                [HF_NETWORK_IMAGES] = {"image", "received"},
                [HF_NETWORK_BACKLOG] = {"telemetry-backlog", "sent"},
                [HF_NETWORK_TELEMETRY] = {"telemetry", "sent"}};
    const struct hf_agent_params *params = network->env->params;
    struct hf_status_network status = hf_network_status(network);

    for (size_t i = 0; i < HF_LEN(rows); i++)
        hf_metric_total(hf_metric_with(g->carried, HF_LABELS(rows[i].kind, rows[i].direction)),
                        (double)network->carried[i]);
    if (params->owner.api_traffic != NULL) {
        struct hf_http_traffic api = params->owner.api_traffic(params->owner.arg);
        hf_metric_total(hf_metric_with(g->carried, HF_LABELS("api", "sent")), (double)api.sent_bytes);
        hf_metric_total(hf_metric_with(g->carried, HF_LABELS("api", "received")), (double)api.received_bytes);
    }
    hf_metric_forget_all(g->waits);
    if (network->gate != HF_LINK_OPEN)
        hf_metric_set(hf_metric_with(g->waits, HF_LABELS(hf_link_reason(network->gate))), 1);
    hf_metric_set(g->day_carried, (double)status.bytes_today);
    hf_metric_set(g->day_limit, (double)status.max_bytes_per_day);
    hf_metric_set(g->round_trip, (double)status.api_round_trip_ns / 1e9);
    hf_metric_set(g->download, (double)status.download_bytes_per_second);
}

void hf_resource_gauges_set(const struct hf_resource_gauges *gauges, const struct hf_disks *disks,
                            const struct hf_network *network)
{
    const struct hf_agent_params *params = disks->env->params;

    set_disks(gauges, disks);
    set_pods(gauges, disks);
    set_network(gauges, network);
    hf_metric_set(gauges->day, (double)hf_write_log_day(&disks->writes));
    hf_metric_set(gauges->budget, (double)disks->budget_bytes);
    hf_metric_total(gauges->on_disk, (double)hf_disks_written(disks));
    for (enum hf_fs_part part = 0; params->written != NULL && part < HF_FS_PARTS; part++)
        hf_metric_total(hf_metric_with(gauges->written, HF_LABELS(hf_fs_counter_part_name(part))),
                        (double)hf_fs_counter_bytes(&params->written[part]));
}
