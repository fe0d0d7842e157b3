/* SPDX-License-Identifier: Apache-2.0 */
/* controller/process/process.h - runs the controller as a process, with the real event loop, signals and local
 * servers. */
#pragma once

#include "controller/process/options.h"

/* Exit codes of the controller; --help and the manual page also list them. */
enum { HF_CONTROLLER_EXIT_OK = 0, HF_CONTROLLER_EXIT_FAILED = 1, HF_CONTROLLER_EXIT_USAGE = 2 };

/* Runs the controller, blocks until SIGTERM or SIGINT has ended it, and returns the exit code. Returns
 * HF_CONTROLLER_EXIT_FAILED at once if the start fails. Logs to stderr. Call this function on the main thread only. */
int hf_controller_process(const struct hf_controller_options *options);
