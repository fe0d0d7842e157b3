/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/check_ready.h - asks this node's agent whether it is ready (--check-ready). */
#pragma once

#include <stdio.h>

#include "agent/process/options.h"

/* GET /readyz at --health-address, with 5 s for the connection and each further part. The answer, or why there is none,
 * goes to `out` (ready) or `faults`. Blocks. Returns the exit code, 0: ready. Threads: any. */
int hf_check_ready_run(const struct hf_agent_options *options, FILE *out, FILE *faults);
