/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/first_install.h - gives a node without a trust folder its first keys and configuration from a folder
 * (--first-install).
 *
 * The folder is usually a mounted ConfigMap. It holds public keys (<keyId>.pem), and may hold `threshold` and
 * `agent.yaml`. If the trust folder exists, even if it is empty, the call changes nothing: the trust folder belongs to
 * the owner of the node, and the cluster cannot add a key to it. All functions block. Threads: any. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "agent/process/options.h"
#include "base/fs.h"

/* Installs the files of the folder `from`. Checks all files first, and installs nothing if a file is bad or if there is
 * no key. Copies agent.yaml to the path `config`, unless something exists at that path. Writes the trust folder under a
 * name that ends in `.new`, and renames this folder as the last step. So the trust folder is never half full, and a
 * call after a power cut finishes the work. Sets *ret_installed to true if it has installed the files, and to false in
 * all other cases, for example if the trust folder exists. -EBADMSG: a file of `from` is bad, or `from` has no key or
 * too many; *err explains it. */
HF_MUST_USE int hf_first_install(const struct hf_fs_ops *fs, const char *from, const char *trust_dir,
                                 const char *config, bool *ret_installed, struct hf_err *err);

/* Runs hf_first_install() for the flags --first-install, --trust-dir and --config, and prints one line about the result
 * to `out` or `faults`. Returns the exit code of the process: 0 if the trust folder existed or has been installed, 1
 * after a failure. */
int hf_first_install_run(const struct hf_agent_options *options, const struct hf_fs_ops *fs, FILE *out, FILE *faults);
