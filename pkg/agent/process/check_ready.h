/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "agent/process/options.h"

/* Runs --check-ready: GET /readyz at --health-address, 5 s for the connection, and for each read and write. Prints the
 * answer to `out` if ready, else it or an error to `faults`. Returns the exit code, 0: ready. Blocks. Threads: any. */
int hf_check_ready_run(const struct hf_agent_options *options, FILE *out, FILE *faults);
