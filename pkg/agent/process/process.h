/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/process/options.h"

enum { HF_EXIT_OK = 0, HF_EXIT_FAILED = 1, HF_EXIT_USAGE = 2, HF_EXIT_LOCKED = 3 };

/* Runs the agent until a signal, a restart, a failure, or the end of --once. Returns the exit code. */
int hf_agent_process(const struct hf_agent_options *options);
