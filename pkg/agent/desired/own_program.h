/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/own_program.h - would a release replace or restart this agent? A bad version would leave nothing to
 * roll it back, so it is refused by name: the agent's program and those beside it (holdfast-tpm, holdfast-units), under
 * every name of their folder, through links and mounts; and whatever is in the folder from which a supervisor starts
 * the agent, which only a release of kind Agent changes. Calls stat(). */
#pragma once

#include "api/edgeupdate.h"
#include "base/fs.h"

struct hf_own_program {
    const char *exe;  /* absolute, without links; NULL if unknown, and in a pod */
    const char *unit; /* systemd unit, or NULL */
    /* <state>/host, with all builds of the agent and the supervisor; NULL: none */
    const char *host_dir;
};

/* True, explained in *err: one of these programs, a folder or tree that holds one, the unit, a file of it, or a path in
 * host_dir or above it. Never for kind Agent. */
bool hf_own_program_is(const struct hf_fs_ops *fs, const struct hf_own_program *own, const struct hf_install *install,
                       struct hf_err *err);
