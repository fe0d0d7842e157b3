/* SPDX-License-Identifier: Apache-2.0 */
/* What a pod does about an agent on its host: installs or removes it (--install-host), then watches it, or runs an
 * agent itself (--host-life). pkg/host decides. Both functions return exit codes, block, log to stderr; main thread
 * only. */
#pragma once

#include "agent/process/options.h"

int hf_host_life_install(const struct hf_agent_options *options, int argc, char *const *argv);

int hf_host_life_run(const struct hf_agent_options *options, int argc, char *const *argv);
