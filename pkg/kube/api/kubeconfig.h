/* SPDX-License-Identifier: Apache-2.0 */
/* kube/api/kubeconfig.h - reads kubectl's configuration file (v1 Config), limited to the fields that an agent may
 * use. Private to pkg/kube.
 *
 * Uses the cluster and the user of the current context. File names are relative to the folder of the kubeconfig. As in
 * kubectl, a *-data field takes precedence over the field with the file name, and tokenFile takes precedence over
 * token. Refuses four sorts of fields: a field that would start a program (exec), a field that needs a plugin
 * (auth-provider), fields that Kubernetes removed (username, password), and fields that the agent does not support
 * (proxy-url, impersonation). The text in *err names the refused field.
 *
 * Pure. Errors: the function returns 0, or -errno with the reason in *err. */
#pragma once

#include "kube/kube.h"

/* Parses `text`, the content of the file at `path`, into file names and embedded data. Uses `path` only to resolve
 * relative file names and in error texts, and reads no file. -EBADMSG: the text is not YAML, or a field is wrong or
 * refused. -E2BIG: the text exceeds a limit of codec/json.h. -ENOMEM: out of memory. Before the call, *ret_config must
 * be zeroed or hold an older config, which the function frees on success. */
HF_MUST_USE int hf_kubeconfig_parse(struct hf_view text, const char *path, struct hf_kube_config *ret_config,
                                    struct hf_err *err);
