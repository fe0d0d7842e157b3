/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/check_ready.h - asks this node's agent whether it is ready (--check-ready). */
#pragma once

#include <stdio.h>

#include "agent/process/options.h"

/* Asks GET /readyz at --health-address, and allows 5 s for the connection and for each further part. Writes the answer
 * to `out` if it is "ready", otherwise the answer or the error to `faults`. Blocks. Returns the exit code, 0: ready.
 * Threads: any. */
int hf_check_ready_run(const struct hf_agent_options *options, FILE *out, FILE *faults);
