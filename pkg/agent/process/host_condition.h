/* SPDX-License-Identifier: Apache-2.0 */
/* The condition HostLife: where this agent lives, and why. */
#pragma once

#include "agent/process/options.h"
#include "agent/report/status.h"
#include "host/place.h"

/* Environment variable with the reason's name, for an agent that its pod starts in place of the host's. */
#define HF_HOST_CONDITION_VARIABLE "HOLDFAST_HOST_LIFE_REASON"

struct hf_hostlife_place hf_host_condition_place(const struct hf_agent_options *options);

/* Finds the condition; .reason NULL: none. Blocks. */
void hf_host_condition(const struct hf_agent_options *options, struct hf_status_finding *ret_condition,
                       char message[HF_HOSTLIFE_TEXT]);
