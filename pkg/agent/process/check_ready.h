/* SPDX-License-Identifier: Apache-2.0 */
/* Is this node's agent ready (--check-ready)? */
#pragma once

#include <stdio.h>

#include "agent/process/options.h"

/* GET /readyz at --health-address; 5 s for the connection and each further part. "ready" to `out`, else answer or error
 * to `faults`. Blocks. Exit code, 0: ready. Threads: any. */
int hf_check_ready_run(const struct hf_agent_options *options, FILE *out, FILE *faults);
