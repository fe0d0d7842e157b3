/* agent/process/process.h - the agent as a process: real loop, real file system, signals, local servers. Main thread
 * only; blocks until the process ends. */
#pragma once

#include "agent/process/options.h"

/* Exit codes; --help and the manual page list them. */
enum { HF_EXIT_OK = 0, HF_EXIT_FAILED = 1, HF_EXIT_USAGE = 2, HF_EXIT_LOCKED = 3 };

/* Runs until a signal or --once ends it; returns the exit code. Logs to stderr. */
int hf_agent_process(const struct hf_agent_options *options);
