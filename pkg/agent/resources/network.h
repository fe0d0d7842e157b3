/* SPDX-License-Identifier: Apache-2.0 */
/* Bulk transfers by spec.connectivity, measured by own traffic. Bytes of the last 23 to 24 hours, over restarts
 * (node/resources/write_log.h). */
#pragma once

#include "agent/env.h"
#include "agent/report/status.h"
#include "api/link/link.h"
#include "base/list.h"
#include "node/resources/write_log.h"

struct hf_network;

/* All but TELEMETRY count against maxBytesPerDay. */
enum hf_network_kind {
    HF_NETWORK_RELEASES,
    HF_NETWORK_ARCHIVES,
    HF_NETWORK_BACKLOG,
    HF_NETWORK_IMAGES,    /* before a pod asks */
    HF_NETWORK_TELEMETRY, /* live */
    HF_NETWORK_KINDS
};

struct hf_network_lane {
    struct hf_network *network;
    enum hf_network_kind kind;
    bool ends; /* by this module */
    struct hf_http_ops ops;
    struct hf_list calls;
};

struct hf_network {
    const struct hf_agent_env *env;
    struct hf_network_lane releases, archives;
    uint64_t max_bytes_per_day;
    enum hf_link gate;
    uint64_t wait_ns; /* after judged_ns; HF_NEVER */
    uint64_t judged_ns;
    struct hf_write_log day;            /* 24 hours */
    uint64_t bytes;                     /* bulk, since start */
    uint64_t bytes_per_second;          /* downloads */
    uint64_t round_trip_ns;             /* API server */
    uint64_t carried[HF_NETWORK_KINDS]; /* since start */
    bool started;
};

void hf_network_init(struct hf_network *network, const struct hf_agent_env *env);
/* Blocks for ms. */
void hf_network_begin(struct hf_network *network);

/* True: the gate changed: plan again. */
bool hf_network_judge(struct hf_network *network, const struct hf_policy_connectivity *policy);
/* After the plan: ends downloads of archives if closed. */
void hf_network_enforce(struct hf_network *network);
uint64_t hf_network_wait_until_ns(const struct hf_network *network);
/* At the agent's stop. */
void hf_network_save(struct hf_network *network);

/* Only `backlog` counts against maxBytesPerDay. */
void hf_network_sent(struct hf_network *network, uint64_t bytes, bool backlog);

void hf_network_fetched_images(struct hf_network *network, uint64_t bytes);

struct hf_status_network hf_network_status(const struct hf_network *network);
