/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of rollouts and the fleet, measured at each scrape. Only the leader exports those of rollouts. */
#pragma once

#include "rollout/engine.h"
#include "web/metrics.h"

struct hf_fleet_gauges;

/* No scrape may follow the end of `engine` or gauges. */
struct hf_fleet_gauges *hf_fleet_gauges_new(struct hf_metrics *metrics, const struct hf_rollout_engine *engine,
                                            bool (*leads)(void *arg), void *arg);
void hf_fleet_gauges_free(struct hf_fleet_gauges *gauges);
