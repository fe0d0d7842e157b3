/* agent/telemetry.h - which telemetry a node has: what its policy says, or else what the environment says, given to pkg/telemetry.
 *
 * A policy with a telemetry part wins. Without one, CLOUD_ENDPOINT alone turns on POST /ingest and one sink of format seed. Without
 * either there is none, and nothing of it runs.
 *
 * The storage folder belongs to one agent: <dir>/storage.lock is held from when telemetry is first asked for until the process ends. A
 * folder that cannot be used, or that another agent has, is looked at again every 30 s. Loop thread only. */
#pragma once

#include "agent/options.h"
#include "api/syncpolicy.h"
#include "base/rand.h"
#include "loop/loop.h"
#include "loop/server/server.h"
#include "web/metrics.h"

struct hf_agent_telemetry;

/* All borrowed. */
struct hf_agent_telemetry_params {
    const struct hf_agent_options *options;
    struct hf_loop *loop;
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_rand_ops *rng;
    struct hf_log *log;
    struct hf_metrics *metrics;
    const char *node;
    void (*changed)(void *arg); /* what hf_agent_telemetry_status() says is worth telling now */
    void *arg;
};

HF_MUST_USE int hf_agent_telemetry_new(const struct hf_agent_telemetry_params *params,
                                       struct hf_agent_telemetry **ret_telemetry, struct hf_err *err);
void hf_agent_telemetry_free(struct hf_agent_telemetry *telemetry); /* NULL is fine */

/* The policy in effect or the node's labels may have changed. */
void hf_agent_telemetry_follow(struct hf_agent_telemetry *telemetry, const struct hf_syncpolicy *policy,
                               const json_t *labels);

/* Take nothing in any more; `stopped` when all that was taken is on disk. */
void hf_agent_telemetry_stop(struct hf_agent_telemetry *telemetry, void (*stopped)(void *arg), void *arg);

/* POST /ingest; 404 while it is off, 503 while the storage folder cannot be used. */
struct hf_server_route hf_agent_telemetry_route(struct hf_agent_telemetry *telemetry);

/* EdgeNode.status.telemetry as a new object; NULL: nothing to say. */
json_t *hf_agent_telemetry_status(const struct hf_agent_telemetry *telemetry);
