/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/process.h - runs the agent as a process, with the real event loop, the real file system, signals and
 * local servers. */
#pragma once

#include "agent/process/options.h"

/* Exit codes of the agent; --help and the manual page also list them. */
enum { HF_EXIT_OK = 0, HF_EXIT_FAILED = 1, HF_EXIT_USAGE = 2, HF_EXIT_LOCKED = 3 };

/* Runs the agent until a signal or --once ends it, and returns the exit code. Blocks until then. Logs to stderr. Call
 * this function on the main thread only. */
int hf_agent_process(const struct hf_agent_options *options);
