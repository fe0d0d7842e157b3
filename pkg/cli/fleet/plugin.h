/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a kubeconfig's credential plugin (users[].user.exec), by kubectl's protocol. Agents refuse such kubeconfigs. */
#pragma once

#include "codec/json.h"

/* hf_plugin_done() overwrites secrets. */
struct hf_plugin_credential {
    char *token;
    char *cert_pem, *key_pem;
    uint64_t expires_unix_ns; /* UINT64_MAX: never */
};
void hf_plugin_done(struct hf_plugin_credential *credential);

/* Passed to a plugin that has provideClusterInfo. */
struct hf_plugin_cluster {
    const char *server, *ca_pem, *tls_server_name; /* the last two may be NULL */
    bool insecure_skip_verify;
};

/* -ETIMEDOUT: killed after 60 s, or 5 min if it may ask a person. -EBADMSG: wrong `exec` or output. -ENOENT: no such
 * program. -EACCES: the plugin failed. */
HF_MUST_USE int hf_plugin_run(const json_t *exec, const struct hf_plugin_cluster *cluster, bool has_terminal,
                              struct hf_plugin_credential *ret_credential, struct hf_err *err);

/* Parses a plugin's output. `api_version`: the kubeconfig's. Pure. */
HF_MUST_USE int hf_plugin_parse(struct hf_view text, const char *api_version,
                                struct hf_plugin_credential *ret_credential, struct hf_err *err);
