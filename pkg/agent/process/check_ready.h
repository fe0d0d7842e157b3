/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/check_ready.h - asks the agent on this node whether it is ready (--check-ready). */
#pragma once

#include <stdio.h>

#include "agent/process/options.h"

/* Requests http://<--health-address>:<--health-port>/readyz. Waits at most 5 s for the connection, and then at most 5 s
 * for each further part of the answer. If the agent is ready, prints the body of the answer to `out`. Otherwise prints
 * the body, or why there is none, to `faults`. Blocks. Returns the exit code of the process: 0 if the agent is ready,
 * else 1. Threads: any. */
int hf_check_ready_run(const struct hf_agent_options *options, FILE *out, FILE *faults);
