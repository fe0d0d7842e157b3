/* SPDX-License-Identifier: Apache-2.0 */
/* Would a release replace or restart this agent? Nothing could roll back then. Refused: programs in the agent's folder,
 * by every name, through links and mounts; and the folder from which a supervisor starts the agent, which kind Agent
 * alone changes. */
#pragma once

#include "api/edgeupdate.h"
#include "base/fs.h"

struct hf_own_program {
    const char *exe;  /* absolute, without links; NULL: unknown, or in a pod */
    const char *unit; /* or NULL */
    /* <state>/host: the supervisor and agent builds; NULL: none */
    const char *host_dir;
};

/* True, why in *err: one of these programs, a folder or tree with one, the unit or its file, a path in host_dir or
 * above. Never for kind Agent. */
bool hf_own_program_is(const struct hf_fs_ops *fs, const struct hf_own_program *own, const struct hf_install *install,
                       struct hf_err *err);
