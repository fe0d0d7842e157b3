/* SPDX-License-Identifier: Apache-2.0 */
/* The agent as a process: real loop, files, signals, servers. */
#pragma once

#include "agent/process/options.h"

enum { HF_EXIT_OK = 0, HF_EXIT_FAILED = 1, HF_EXIT_USAGE = 2, HF_EXIT_LOCKED = 3 };

/* To a signal or --once. Blocks, logs to stderr; main thread only. */
int hf_agent_process(const struct hf_agent_options *options);
