/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/own_program.h - would a release replace or restart this agent? A bad version would leave nothing to
 * roll it back, so it is refused by name: the agent's program and those beside it (holdfast-tpm, holdfast-units), under
 * every name of their folder, through links and mounts. Calls stat(). */
#pragma once

#include "api/edgeupdate.h"
#include "base/fs.h"

struct hf_own_program {
    const char *exe;  /* absolute, without links; NULL if unknown, and in a pod */
    const char *unit; /* systemd unit, or NULL */
};

/* True, explained in *err: one of these programs, a folder or tree that holds one, the unit, or a file of it. */
bool hf_own_program_is(const struct hf_fs_ops *fs, const struct hf_own_program *own, const struct hf_install *install,
                       struct hf_err *err);
