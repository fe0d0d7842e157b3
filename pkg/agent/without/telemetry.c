/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/telemetry.h"
#include "agent/features.h"

HF_FEATURE_LEFT_OUT(telemetry);

int hf_agent_telemetry_new(HF_UNUSED const struct hf_agent_telemetry_params *params,
                           struct hf_agent_telemetry **ret_telemetry, HF_UNUSED struct hf_err *err)
{
    *ret_telemetry = NULL;
    return 0;
}

void hf_agent_telemetry_free(HF_UNUSED struct hf_agent_telemetry *telemetry)
{
}

void hf_agent_telemetry_follow(HF_UNUSED struct hf_agent_telemetry *telemetry,
                               HF_UNUSED const struct hf_syncpolicy *policy, HF_UNUSED const json_t *labels)
{
}

void hf_agent_telemetry_configure(HF_UNUSED struct hf_agent_telemetry *telemetry,
                                  HF_UNUSED const struct hf_config *config)
{
}

void hf_agent_telemetry_pause_writes(HF_UNUSED struct hf_agent_telemetry *telemetry, HF_UNUSED bool paused)
{
}

void hf_agent_telemetry_set_link(HF_UNUSED struct hf_agent_telemetry *telemetry, HF_UNUSED const char *closed)
{
}

void hf_agent_telemetry_stop(HF_UNUSED struct hf_agent_telemetry *telemetry, void (*stopped)(void *arg), void *arg)
{
    stopped(arg);
}

struct hf_server_route hf_agent_telemetry_route(HF_UNUSED struct hf_agent_telemetry *telemetry)
{
    return (struct hf_server_route){.path = "/ingest", .method = "POST"};
}

json_t *hf_agent_telemetry_status(HF_UNUSED const struct hf_agent_telemetry *telemetry)
{
    return NULL;
}
