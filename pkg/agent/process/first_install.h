/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/first_install.h - gives a node without a trust folder its first keys (<keyId>.pem), and maybe
 * `threshold` and `agent.yaml`, from a folder such as a mounted ConfigMap (--first-install).
 *
 * Security: an existing trust folder, even empty, belongs to the node's owner: nothing is changed, so the cluster
 * cannot add a key. Blocks. Threads: any. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "agent/process/options.h"
#include "base/fs.h"

/* Checks all files before it installs any. agent.yaml goes to `config` unless something is there. The trust folder is
 * written as `.new` and renamed last, so it is never half full and a repeated call finishes. *ret_installed is false if
 * the trust folder exists. -EBADMSG: a bad file, no key or too many; *err explains. */
HF_MUST_USE int hf_first_install(const struct hf_fs_ops *fs, const char *from, const char *trust_dir,
                                 const char *config, bool *ret_installed, struct hf_err *err);

/* The flags --first-install, --trust-dir, --config; prints one line. Exit code 0: installed, or it existed. */
int hf_first_install_run(const struct hf_agent_options *options, const struct hf_fs_ops *fs, FILE *out, FILE *faults);
