/* SPDX-License-Identifier: Apache-2.0 */
/* Finds releases that would replace or restart this agent, so that nothing could roll back: they install over its
 * programs, by any path, or, except for kind Agent, into the folder from which a supervisor starts it. */
#pragma once

#include "api/edgeupdate.h"
#include "base/fs.h"

struct hf_own_program {
    const char *exe; /* path without symbolic links; NULL: unknown, or in a pod */
    const char *unit;
    const char *host_dir;
};

/* Whether a release would (*err says why); so would one that installs a folder above a program, or installs or restarts
 * the agent's unit. */
bool hf_own_program_is(const struct hf_fs_ops *fs, const struct hf_own_program *own, const struct hf_install *install,
                       struct hf_err *err);
