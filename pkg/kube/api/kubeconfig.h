/* SPDX-License-Identifier: Apache-2.0 */
/* Reads kubectl's configuration file (v1 Config). Pure.
 *
 * Takes the cluster and user of the current context. *-data precedes the file name, and tokenFile precedes token.
 * Refuses exec, auth-provider, username, password, proxy-url and impersonation. */
#pragma once

#include "kube/kube.h"

/* File names in `text` are relative to the folder of `path`. -EBADMSG: not YAML, or a wrong or refused field.
 * *ret_config must be zero or an older configuration, which success frees. */
HF_MUST_USE int hf_kubeconfig_parse(struct hf_view text, const char *path, struct hf_kube_config *ret_config,
                                    struct hf_err *err);
