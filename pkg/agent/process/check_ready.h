/* agent/process/check_ready.h - asks the agent on this node whether it is ready (--check-ready). */
#pragma once

#include <stdio.h>

#include "agent/process/options.h"

/* Asks http://<--health-address>:<--health-port>/readyz, and prints the body of the answer to `out` or, if the agent is
 * not ready or does not answer within 5 s, to `faults`. Blocks. Returns the exit code of the process: 0 if the agent is
 * ready, else 1. Threads: any. */
int hf_check_ready_run(const struct hf_agent_options *options, FILE *out, FILE *faults);
