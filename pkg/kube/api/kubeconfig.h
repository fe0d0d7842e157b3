/* SPDX-License-Identifier: Apache-2.0 */
/* Kubectl's configuration file (v1 Config), as far as an agent may use it. Private to pkg/kube. Pure.
 *
 * Cluster and user of the current context. As in kubectl, *-data precedes the file name, and tokenFile precedes token.
 * Refused, with its name in *err: what would start a program (exec), needs a plugin (auth-provider), was removed from
 * Kubernetes (username, password) or is not supported (proxy-url, impersonation). */
#pragma once

#include "kube/kube.h"

/* Parses `text`; file names in it are relative to the file `path`, and none is read. -EBADMSG: not YAML, or wrong or
 * refused. -E2BIG: codec/json.h. *ret_config: zero, or an older config, freed on success. */
HF_MUST_USE int hf_kubeconfig_parse(struct hf_view text, const char *path, struct hf_kube_config *ret_config,
                                    struct hf_err *err);
