/* SPDX-License-Identifier: Apache-2.0 */
/* A pod that installs the agent on its host (--install-host), then only watches it (--host-life); pkg/host decides and
 * acts. Both return exit codes, block, log to stderr; main thread only. */
#pragma once

#include "agent/process/options.h"

int hf_host_life_install(const struct hf_agent_options *options, int argc, char *const *argv);

/* Runs the agent, or the watch over the host's. */
int hf_host_life_run(const struct hf_agent_options *options, int argc, char *const *argv);
