/* SPDX-License-Identifier: Apache-2.0 */
/* Gauges of disks, writes, pods and network. `metrics` may be NULL. */
#pragma once

#include "agent/resources/disks.h"
#include "agent/resources/network.h"
#include "web/metrics.h"

struct hf_resource_gauges {
    struct hf_metric_family *used, *inodes, *read_only, *level, *wear, *pod_used, *pod_stalled, *written, *carried,
        *waits;
    struct hf_metric *day, *budget, *on_disk, *pods, *pods_used, *kills;
    struct hf_metric *day_carried, *day_limit, *round_trip, *download;
};

void hf_resource_gauges_init(struct hf_resource_gauges *gauges, struct hf_metrics *metrics);

void hf_resource_gauges_set(const struct hf_resource_gauges *gauges, const struct hf_disks *disks,
                            const struct hf_network *network);
