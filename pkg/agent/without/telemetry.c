/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/telemetry.h"
#include "agent/without/without.h"

HF_FEATURE_LEFT_OUT(telemetry);

int hf_agent_telemetry_new(const struct hf_agent_telemetry_params *params, struct hf_agent_telemetry **ret_telemetry,
                           struct hf_err *err)
{
    *ret_telemetry = NULL;
    return 0;
}

HF_FEATURE_NOTHING(hf_agent_telemetry_free(struct hf_agent_telemetry *telemetry));
HF_FEATURE_NOTHING(hf_agent_telemetry_follow(struct hf_agent_telemetry *telemetry, const struct hf_syncpolicy *policy,
                                             const json_t *labels));
HF_FEATURE_NOTHING(hf_agent_telemetry_configure(struct hf_agent_telemetry *telemetry, const struct hf_config *config));
HF_FEATURE_NOTHING(hf_agent_telemetry_pause_writes(struct hf_agent_telemetry *telemetry, bool paused));
HF_FEATURE_NOTHING(hf_agent_telemetry_set_link(struct hf_agent_telemetry *telemetry, const char *closed));

void hf_agent_telemetry_stop(struct hf_agent_telemetry *telemetry, void (*stopped)(void *arg), void *arg)
{
    stopped(arg);
}

HF_FEATURE_RETURNS(struct hf_server_route hf_agent_telemetry_route(struct hf_agent_telemetry *telemetry),
                   (struct hf_server_route){.path = "/ingest", .method = "POST"});
HF_FEATURE_RETURNS(json_t *hf_agent_telemetry_status(const struct hf_agent_telemetry *telemetry), NULL);
