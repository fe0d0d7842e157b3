/* SPDX-License-Identifier: Apache-2.0 */
/* Kubectl's configuration file (v1 Config). Pure.
 *
 * Takes cluster and user of the current context. As in kubectl, *-data precedes the file name, and tokenFile precedes
 * token. Refused, with the name in *err: exec, auth-provider, username, password, proxy-url, and impersonation. */
#pragma once

#include "kube/kube.h"

/* File names in `text` are relative to the file `path`; reads none. -EBADMSG: not YAML, wrong, or refused. -E2BIG:
 * codec/json.h. *ret_config: zero, or an older configuration, which success frees. */
HF_MUST_USE int hf_kubeconfig_parse(struct hf_view text, const char *path, struct hf_kube_config *ret_config,
                                    struct hf_err *err);
