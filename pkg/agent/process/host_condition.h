/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/host_condition.h - the condition HostLife: where this agent lives, and why there. */
#pragma once

#include "agent/process/options.h"
#include "agent/report/status.h"
#include "host/place.h"

/* Tells an agent that its pod starts in place of the one on the host why it runs: the name of a reason. */
#define HF_HOST_CONDITION_VARIABLE "HOLDFAST_HOST_LIFE_REASON"

/* Borrows the state folder's name. */
struct hf_hostlife_place hf_host_condition_place(const struct hf_agent_options *options);

/* Of the agent that this process is; .reason NULL: none. `message`: for its text. Blocks. */
void hf_host_condition(const struct hf_agent_options *options, struct hf_status_host_life *ret_condition,
                       char message[HF_HOSTLIFE_TEXT]);
