/* SPDX-License-Identifier: Apache-2.0 */
/* controller/fleet/fleet_gauges.h - the metrics about rollouts and the fleet, measured at each scrape. Only the leader
 * exports the metrics about rollouts, so that a sum over the replicas counts each node once. Threads: loop thread
 * only. */
#pragma once

#include "rollout/engine.h"
#include "web/metrics.h"

struct hf_fleet_gauges;

/* Registers the metrics, with a function that each scrape calls. `leads` returns true if this process leads now. The
 * caller keeps the gauges and `engine` as long as scrapes can come. Returns NULL if memory runs out. */
struct hf_fleet_gauges *hf_fleet_gauges_new(struct hf_metrics *metrics, const struct hf_rollout_engine *engine,
                                            bool (*leads)(void *arg), void *arg);
/* Frees the gauges. `metrics` must not be scraped afterwards. */
void hf_fleet_gauges_free(struct hf_fleet_gauges *gauges);
