/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/own_program.h - finds out if a release would replace or restart this agent.
 *
 * A bad version of the agent leaves nobody who could roll it back, so the node refuses such a release by name. The
 * agent's programs are its own and those that it starts (holdfast-tpm) or that stand beside it (holdfast-units), in the
 * folder of its own. They are found under every name of that folder: through links, and through other mounts.
 *
 * Threads: loop thread only; the function calls stat(). */
#pragma once

#include "api/edgeupdate.h"
#include "base/fs.h"

struct hf_own_program {
    const char *exe;  /* absolute path of the running program, without links; NULL if unknown, and in a pod */
    const char *unit; /* systemd unit of this process; NULL if it has none */
};

/* Returns true, with the explanation in *err, if `install` names a program of the agent, a folder or tree that holds
 * one, its unit, or a file of its unit. */
bool hf_own_program_is(const struct hf_fs_ops *fs, const struct hf_own_program *own, const struct hf_install *install,
                       struct hf_err *err);
