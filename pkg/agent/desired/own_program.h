/* SPDX-License-Identifier: Apache-2.0 */
/* Would a release replace or restart this agent? Then nothing could roll back. Refused: the agent, holdfast-tpm and
 * holdfast-units beside it, by every name; and the folder from which a supervisor starts the agent, except for kind
 * Agent. */
#pragma once

#include "api/edgeupdate.h"
#include "base/fs.h"

struct hf_own_program {
    const char *exe;  /* absolute, without links; NULL: unknown, or in a pod */
    const char *unit; /* or NULL */
    /* <state>/host: the supervisor and agent builds; NULL: none */
    const char *host_dir;
};

/* True, with the reason in *err: also for a folder above these, the agent's unit and its files. */
bool hf_own_program_is(const struct hf_fs_ops *fs, const struct hf_own_program *own, const struct hf_install *install,
                       struct hf_err *err);
