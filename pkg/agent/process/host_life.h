/* SPDX-License-Identifier: Apache-2.0 */
/* What a pod does for an agent on its host: installs it (--install-host), then runs or watches it (--host-life);
 * pkg/host decides and acts. Both functions return exit codes, block, log to stderr; main thread only. */
#pragma once

#include "agent/process/options.h"

int hf_host_life_install(const struct hf_agent_options *options, int argc, char *const *argv);

/* Runs the agent in the pod, or watches the host's. */
int hf_host_life_run(const struct hf_agent_options *options, int argc, char *const *argv);
