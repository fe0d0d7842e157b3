/* SPDX-License-Identifier: Apache-2.0 */
/* Decides whether bulk transfers may run, by spec.connectivity, and measures the agent's traffic. The bytes of a day
 * are those of the last 23 to 24 hours, also before a restart (node/resources/write_log.h). */
#pragma once

#include "agent/env.h"
#include "agent/report/status.h"
#include "api/link/link.h"
#include "base/list.h"
#include "node/resources/write_log.h"

struct hf_network;

/* All kinds except TELEMETRY count against maxBytesPerDay. */
enum hf_network_kind {
    HF_NETWORK_RELEASES,
    HF_NETWORK_ARCHIVES,
    HF_NETWORK_BACKLOG,
    HF_NETWORK_IMAGES, /* fetched before a pod needs them */
    HF_NETWORK_TELEMETRY,
    HF_NETWORK_KINDS
};

struct hf_network_lane {
    struct hf_network *network;
    enum hf_network_kind kind;
    bool ends; /* hf_network_enforce() ends these transfers */
    struct hf_http_ops ops;
    struct hf_list calls;
};

struct hf_network {
    const struct hf_agent_env *env;
    struct hf_network_lane releases, archives;
    uint64_t max_bytes_per_day;
    enum hf_link gate;
    uint64_t wait_ns; /* time from judged_ns until the gate may change; or HF_NEVER */
    uint64_t judged_ns;
    struct hf_write_log day;
    uint64_t bytes; /* bulk bytes since the start */
    uint64_t bytes_per_second;
    uint64_t round_trip_ns;
    uint64_t carried[HF_NETWORK_KINDS];
    bool started;
};

void hf_network_init(struct hf_network *network, const struct hf_agent_env *env);
/* Reads the saved count. Blocks for milliseconds. */
void hf_network_begin(struct hf_network *network);

/* Judges the gate anew. Returns whether it changed: then plan again. */
bool hf_network_judge(struct hf_network *network, const struct hf_policy_connectivity *policy);
/* Ends downloads of archives if the gate is closed. */
void hf_network_enforce(struct hf_network *network);
uint64_t hf_network_wait_until_ns(const struct hf_network *network);
void hf_network_save(struct hf_network *network);

/* Counts sent telemetry; only `backlog` counts against maxBytesPerDay. */
void hf_network_sent(struct hf_network *network, uint64_t bytes, bool backlog);

void hf_network_fetched_images(struct hf_network *network, uint64_t bytes);

struct hf_status_network hf_network_status(const struct hf_network *network);
