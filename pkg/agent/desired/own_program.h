/* SPDX-License-Identifier: Apache-2.0 */
/* Finds releases that would replace or restart this agent, so that nothing could roll back. Releases of kind Agent do
 * not count: the supervisor can go back. */
#pragma once

#include "api/edgeupdate.h"
#include "base/fs.h"

struct hf_own_program {
    const char *exe; /* path without symbolic links; NULL: unknown, or in a pod */
    const char *unit;
    const char *host_dir;
};

/* Whether the release installs over holdfast-agent, holdfast-tpm or holdfast-units, a folder above the agent,
 * `host_dir` or the agent's unit, or restarts that unit; *err says which. */
bool hf_own_program_is(const struct hf_fs_ops *fs, const struct hf_own_program *own, const struct hf_install *install,
                       struct hf_err *err);
