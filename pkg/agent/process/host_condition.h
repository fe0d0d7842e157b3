/* SPDX-License-Identifier: Apache-2.0 */
/* HostLife: where this agent lives, and why. */
#pragma once

#include "agent/process/options.h"
#include "agent/report/status.h"
#include "host/place.h"

/* Variable for an agent that its pod starts in place of the host's: the name of a reason. */
#define HF_HOST_CONDITION_VARIABLE "HOLDFAST_HOST_LIFE_REASON"

/* Borrows the state folder's name. */
struct hf_hostlife_place hf_host_condition_place(const struct hf_agent_options *options);

/* The condition of the agent that this process is; .reason NULL: none. `message`: for its text. Blocks. */
void hf_host_condition(const struct hf_agent_options *options, struct hf_status_finding *ret_condition,
                       char message[HF_HOSTLIFE_TEXT]);
