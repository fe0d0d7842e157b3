/* agent/process/first_install.h - gives a node its first keys and configuration from a folder (--first-install). The
 * node has to be one without a trust folder.
 *
 * The folder is usually a mounted ConfigMap. It holds public keys (<keyId>.pem), and may hold `threshold` and
 * `agent.yaml`. Once the trust folder exists, even empty, the call changes nothing: from then on the trust folder
 * belongs to the owner of the node, and the cluster cannot add a key to it. All functions block. Threads: any. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "agent/process/options.h"
#include "base/fs.h"

/* Installs the files of the folder `from`. Checks all of them first: one bad file, or no key at all, and nothing is
 * installed. Writes agent.yaml as the file `config` if there is no such file, then the trust folder under its name with
 * `.new` appended, and renames it as the last step. So the trust folder is never half full, and the call may be
 * repeated after a power cut. Sets *ret_installed to false if the trust folder exists. -EBADMSG: *err names the file of
 * `from` and what is wrong with it. */
HF_MUST_USE int hf_first_install(const struct hf_fs_ops *fs, const char *from, const char *trust_dir,
                                 const char *config, bool *ret_installed, struct hf_err *err);

/* Runs hf_first_install() for the flags --first-install, --trust-dir and --config, and prints one line about the result
 * to `out` or `faults`. Returns the exit code of the process: 0 if the trust folder exists afterwards, else 1. */
int hf_first_install_run(const struct hf_agent_options *options, const struct hf_fs_ops *fs, FILE *out, FILE *faults);
