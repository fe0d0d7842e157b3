/* SPDX-License-Identifier: Apache-2.0 */
/* kube/api/kubeconfig.h - reads kubectl's configuration file (v1 Config), limited to what an agent may use. Private to
 * pkg/kube. Pure.
 *
 * Uses the cluster and user of the current context. As in kubectl, a *-data field precedes the field with the file
 * name, and tokenFile precedes token. Refuses fields that would start a program (exec), need a plugin (auth-provider),
 * were removed by Kubernetes (username, password), or are not supported (proxy-url, impersonation); *err names the
 * field. */
#pragma once

#include "kube/kube.h"

/* `text` is the content of the file at `path`, to whose folder file names are relative; reads no file. -EBADMSG: not
 * YAML, or a field is wrong or refused. -E2BIG: a limit of codec/json.h. *ret_config must be zero or hold an older
 * config, which is freed on success. */
HF_MUST_USE int hf_kubeconfig_parse(struct hf_view text, const char *path, struct hf_kube_config *ret_config,
                                    struct hf_err *err);
