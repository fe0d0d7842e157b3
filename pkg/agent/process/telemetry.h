/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/telemetry.h - runs pkg/telemetry with the settings of the policy or of --cloud-endpoint.
 *
 * If the policy in effect has a telemetry part, this part has the settings. If it has none, --cloud-endpoint (or its
 * environment variable CLOUD_ENDPOINT) turns on POST /ingest and one sink of format `seed`. If neither is given, no
 * part of telemetry runs.
 *
 * Only one agent may use the storage folder, so the process holds the lock <dir>/storage.lock from the first use of
 * telemetry until the process ends. If the folder is unusable, or another agent has the lock, the agent tries again
 * every 30 s. Threads: loop thread only. */
#pragma once

#include "agent/process/options.h"
#include "api/syncpolicy.h"
#include "base/rand.h"
#include "config/config.h"
#include "loop/loop.h"
#include "loop/server/server.h"
#include "web/metrics.h"

struct hf_agent_telemetry;

/* Parameters of hf_agent_telemetry_new(), which borrows what the pointers point to. */
struct hf_agent_telemetry_params {
    const struct hf_agent_options *options;
    struct hf_loop *loop;
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_rand_ops *rng;
    struct hf_log *log;
    struct hf_metrics *metrics;
    const char *node;
    const struct hf_config *config;  /* bounds that the node sets; NULL means the defaults */
    bool (*policy_known)(void *arg); /* returns false while the agent may lack the policy that turns POST /ingest on */
    /* called when the result of hf_agent_telemetry_status() has an important change to report */
    void (*changed)(void *arg);
    /* called with the size in bytes of each body that went to a sink on another machine; struct hf_telemetry_link
     * explains `backlog` */
    void (*sent)(void *arg, uint64_t bytes, bool backlog);
    void *arg;
};

HF_MUST_USE int hf_agent_telemetry_new(const struct hf_agent_telemetry_params *params,
                                       struct hf_agent_telemetry **ret_telemetry, struct hf_err *err);
void hf_agent_telemetry_free(struct hf_agent_telemetry *telemetry);

/* Applies the telemetry settings of the policy in effect, and the node's labels. */
void hf_agent_telemetry_follow(struct hf_agent_telemetry *telemetry, const struct hf_syncpolicy *policy,
                               const json_t *labels);

/* Replaces the node's configuration, and applies the policy in effect again within the new bounds. */
void hf_agent_telemetry_configure(struct hf_agent_telemetry *telemetry, const struct hf_config *config);

/* Pass paused = true when the policy's budget of writes is used up: telemetry then stops the writes that can wait. Pass
 * paused = false when there is budget again: these writes then continue. */
void hf_agent_telemetry_pause_writes(struct hf_agent_telemetry *telemetry, bool paused);

/* Makes the backlog of each sink (telemetry/delivery/fresh.h) wait if `closed` is a reason, such as "LinkWindowClosed".
 * NULL means that the backlog may travel. Borrows the string until the next call. */
void hf_agent_telemetry_set_link(struct hf_agent_telemetry *telemetry, const char *closed);

/* Stops all telemetry sources. Calls `stopped` when every accepted event is on disk. */
void hf_agent_telemetry_stop(struct hf_agent_telemetry *telemetry, void (*stopped)(void *arg), void *arg);

/* Returns the route that serves POST /ingest. The route answers 404 while no settings turn POST /ingest on, and 503
 * while the policy is unknown or the storage folder is unusable. */
struct hf_server_route hf_agent_telemetry_route(struct hf_agent_telemetry *telemetry);

/* Returns EdgeNode.status.telemetry as a new object, or NULL if there is nothing to report. */
json_t *hf_agent_telemetry_status(const struct hf_agent_telemetry *telemetry);
