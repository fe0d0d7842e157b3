/* SPDX-License-Identifier: Apache-2.0 */
/* The controller as a process: real event loop, signals and local servers. */
#pragma once

#include "controller/process/options.h"

enum { HF_CONTROLLER_EXIT_OK = 0, HF_CONTROLLER_EXIT_FAILED = 1, HF_CONTROLLER_EXIT_USAGE = 2 };

/* Blocks until SIGTERM or SIGINT, unless it cannot start; returns the exit code. Logs to stderr. Main thread only. */
int hf_controller_process(const struct hf_controller_options *options);
