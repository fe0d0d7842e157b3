/* SPDX-License-Identifier: Apache-2.0 */
/* Runs pkg/telemetry by the policy, else by --cloud-endpoint (POST /ingest and one sink of format `seed`). Holds
 * <dir>/storage.lock to the end; tries an unusable folder again every 30 s. */
#pragma once

#include "agent/process/options.h"
#include "api/syncpolicy.h"
#include "config/config.h"
#include "loop/loop.h"
#include "loop/server/server.h"
#include "web/metrics.h"

struct hf_agent_telemetry;

struct hf_agent_telemetry_params {
    const struct hf_agent_options *options;
    struct hf_loop *loop;
    struct hf_world world;
    const char *node;
    struct hf_identity *identity;
    const struct hf_config *config;
    bool (*policy_known)(void *arg); /* if false, a policy may still turn POST /ingest on */
    void (*changed)(void *arg);
    void (*sent)(void *arg, uint64_t bytes, bool backlog);
    void *arg;
};

HF_MUST_USE int hf_agent_telemetry_new(const struct hf_agent_telemetry_params *params,
                                       struct hf_agent_telemetry **ret_telemetry, struct hf_err *err);
void hf_agent_telemetry_free(struct hf_agent_telemetry *telemetry);

void hf_agent_telemetry_follow(struct hf_agent_telemetry *telemetry, const struct hf_syncpolicy *policy,
                               const json_t *labels);

void hf_agent_telemetry_configure(struct hf_agent_telemetry *telemetry, const struct hf_config *config);

void hf_agent_telemetry_pause_writes(struct hf_agent_telemetry *telemetry, bool paused);

/* `closed`: why backlogs may not travel ("LinkWindowClosed"); NULL: they may. Borrowed until the next call. */
void hf_agent_telemetry_set_link(struct hf_agent_telemetry *telemetry, const char *closed);

/* Calls stopped() after trying to write accepted events to disk. */
void hf_agent_telemetry_stop(struct hf_agent_telemetry *telemetry, void (*stopped)(void *arg), void *arg);

/* The route of POST /ingest. It answers 404 if off, 503 while the policy is unknown or the folder unusable. */
struct hf_server_route hf_agent_telemetry_route(struct hf_agent_telemetry *telemetry);

json_t *hf_agent_telemetry_status(const struct hf_agent_telemetry *telemetry);
