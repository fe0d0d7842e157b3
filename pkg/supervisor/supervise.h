/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one agent after the other, until a signal, if the folder names a build. */
#pragma once

#include "supervisor/state.h"

struct hf_supervisor_options {
    const char *dir;
    unsigned hang_s, deadline_s;
    char **argv; /* the agent's arguments, ended by NULL; [0] is set to its program */
};

/* Blocks; logs to stderr. Returns the exit code. */
int hf_supervisor_run(const struct hf_supervisor_options *options);
