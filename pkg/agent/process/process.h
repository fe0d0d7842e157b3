/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/process.h - runs the agent as a process, with the real loop, file system, signals and servers. */
#pragma once

#include "agent/process/options.h"

enum { HF_EXIT_OK = 0, HF_EXIT_FAILED = 1, HF_EXIT_USAGE = 2, HF_EXIT_LOCKED = 3 };

/* Until a signal or --once ends it. Blocks, logs to stderr; main thread only. */
int hf_agent_process(const struct hf_agent_options *options);
