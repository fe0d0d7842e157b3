/* SPDX-License-Identifier: Apache-2.0 */
/* Installs the first keys (<keyId>.pem), maybe `threshold` and `agent.yaml`, from a folder (--first-install). An
 * existing trust folder, even an empty one, stays as it is: the cluster cannot add a key. Blocks. Threads: any. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "agent/process/options.h"
#include "base/fs.h"

/* Checks the files first, and renames the trust folder into place last. Copies agent.yaml to `config` unless something
 * is there. *ret_installed false after 0: the trust folder exists. -EBADMSG: a bad file, no key, too many. */
HF_MUST_USE int hf_first_install(const struct hf_fs_ops *fs, const char *from, const char *trust_dir,
                                 const char *config, bool *ret_installed, struct hf_err *err);

/* Returns the exit code, 0: installed, or the trust folder existed. */
int hf_first_install_run(const struct hf_agent_options *options, const struct hf_fs_ops *fs, FILE *out, FILE *faults);
