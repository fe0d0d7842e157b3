/* SPDX-License-Identifier: Apache-2.0 */
/* agent/resources/network.h - permits bulk transfers as spec.connectivity of the policy in effect says, and measures
 * the speed of the network by the agent's own traffic.
 *
 * Two tables of functions wrap the HTTP client, and count the bytes of bulk transfers. One table is for releases; when
 * the gate closes, the update engine itself stops these transfers. The other table is for archives of manifests; when
 * the gate closes, this module ends these transfers. An ended transfer keeps the received bytes, and can resume.
 * Telemetry itself holds back its backlog (params.link_changed); this module counts the bytes of the backlog. The count
 * of all bulk transfers covers the last 23 to 24 hours on the monotonic clock, and survives a restart
 * (node/resources/write_log.h). While the agent is idle, this module sends nothing, and writes nothing to disk.
 * Threads: loop thread only. */
#pragma once

#include "agent/env.h"
#include "agent/report/status.h"
#include "api/link/link.h"
#include "base/list.h"
#include "node/resources/write_log.h"

struct hf_network;

/* The purposes of transferred bytes. The bytes of releases, archives and the backlog count against maxBytesPerDay. */
enum hf_network_kind {
    HF_NETWORK_RELEASES,
    HF_NETWORK_ARCHIVES,
    HF_NETWORK_BACKLOG,
    HF_NETWORK_TELEMETRY, /* live telemetry */
    HF_NETWORK_KINDS
};

/* One of the two tables, with the transfers that run through it. */
struct hf_network_lane {
    struct hf_network *network;
    enum hf_network_kind kind;
    bool ends; /* this module ends the transfers when the gate closes */
    struct hf_http_ops ops;
    struct hf_list calls;
};

struct hf_network {
    const struct hf_agent_env *env;
    struct hf_network_lane releases, archives;
    uint64_t max_bytes_per_day; /* of the policy in effect at the last judgement; 0 means no limit */
    enum hf_link gate;
    uint64_t wait_ns;          /* time from judged_ns until the gate may change by itself, or HF_NEVER */
    uint64_t judged_ns;        /* monotonic time of the last judgement */
    struct hf_write_log day;   /* bytes of the last 24 hours */
    uint64_t bytes;            /* bytes of bulk transfers since the start of the process */
    uint64_t bytes_per_second; /* exponential average of the speed of downloads; 0 before the first one */
    uint64_t round_trip_ns;    /* exponential average of the round trips to the API server; 0 before the first one */
    uint64_t carried[HF_NETWORK_KINDS]; /* bytes of each kind since the start of the process */
    bool started;
};

void hf_network_init(struct hf_network *network, const struct hf_agent_env *env);
/* Reads the saved count. Call this function once before the engines start. Blocks for milliseconds. */
void hf_network_begin(struct hf_network *network);

/* Judges the gate by the connectivity of the policy in effect, and takes a sample of the round trip to the API server.
 * Borrows `policy` only for the call: bytes are also counted after a new version has replaced it. Returns true if the
 * gate changed; the plan then has to be made again. */
bool hf_network_judge(struct hf_network *network, const struct hf_policy_connectivity *policy);
/* If the gate is closed, ends the transfers of archives. Call this function after the plan of a turn. */
void hf_network_enforce(struct hf_network *network);
/* Returns the monotonic time at which to judge again, or HF_NEVER. */
uint64_t hf_network_wait_until_ns(const struct hf_network *network);
/* Saves the count if it has changed. Call this function when the agent stops. */
void hf_network_save(struct hf_network *network);

/* Counts `bytes` that telemetry has sent. They count against maxBytesPerDay only if `backlog` is true. */
void hf_network_sent(struct hf_network *network, uint64_t bytes, bool backlog);

/* Returns the network part of the status. */
struct hf_status_network hf_network_status(const struct hf_network *network);
