/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/host_life.h - an agent's pod that installs the agent on its host (--install-host), and then only
 * watches it (--host-life). pkg/host decides and acts. Blocks, logs to stderr; main thread only. */
#pragma once

#include "agent/process/options.h"

/* --install-host: does what --host-life asks for and returns the exit code. */
int hf_host_life_install(const struct hf_agent_options *options, int argc, char *const *argv);

/* The pod's process: the agent itself, or the watch over the one on the host. Returns the exit code. */
int hf_host_life_run(const struct hf_agent_options *options, int argc, char *const *argv);
