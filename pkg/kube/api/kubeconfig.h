/* SPDX-License-Identifier: Apache-2.0 */
/* Kubectl's configuration file (v1 Config). Pure.
 *
 * Cluster and user of the current context. As in kubectl, *-data precedes the file name, and tokenFile precedes token.
 * Refused, by name: what would start a program (exec), needs a plugin (auth-provider), was removed from Kubernetes
 * (username, password) or is not supported (proxy-url, impersonation). */
#pragma once

#include "kube/kube.h"

/* File names in `text` are relative to the file `path`; reads none. -EBADMSG: not YAML, wrong, or refused. -E2BIG:
 * codec/json.h. *ret_config: zero, or an older one, freed on success. */
HF_MUST_USE int hf_kubeconfig_parse(struct hf_view text, const char *path, struct hf_kube_config *ret_config,
                                    struct hf_err *err);
