/* SPDX-License-Identifier: Apache-2.0 */
/* An agent's pod that installs the agent on its host (--install-host), then only watches it (--host-life). pkg/host
 * decides and acts. Blocks, logs to stderr; main thread only. */
#pragma once

#include "agent/process/options.h"

/* Does what --install-host asks for; returns the exit code. */
int hf_host_life_install(const struct hf_agent_options *options, int argc, char *const *argv);

/* The pod's process: the agent, or the watch over the host's; returns the exit code. */
int hf_host_life_run(const struct hf_agent_options *options, int argc, char *const *argv);
