/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the credential plugin of a kubeconfig (users[].user.exec) by the protocol of kubectl.
 *
 * Only the command line runs plugins, with the user's rights; an agent refuses such kubeconfigs. */
#pragma once

#include "codec/json.h"

/* hf_plugin_done() overwrites and frees. */
struct hf_plugin_credential {
    char *token; /* or NULL */
    char *cert_pem, *key_pem;
    uint64_t expires_unix_ns; /* or UINT64_MAX */
};
void hf_plugin_done(struct hf_plugin_credential *credential);

/* For provideClusterInfo. */
struct hf_plugin_cluster {
    const char *server, *ca_pem, *tls_server_name; /* the last two or NULL */
    bool insecure_skip_verify;
};

/* -ETIMEDOUT: killed after 60 s, or 5 min with a terminal. -EBADMSG: wrong object or output. -ENOENT: no such program.
 * -EACCES: the plugin failed. */
HF_MUST_USE int hf_plugin_run(const json_t *exec, const struct hf_plugin_cluster *cluster, bool has_terminal,
                              struct hf_plugin_credential *ret_credential, struct hf_err *err);

/* `api_version` comes from the kubeconfig. Pure. */
HF_MUST_USE int hf_plugin_parse(struct hf_view text, const char *api_version,
                                struct hf_plugin_credential *ret_credential, struct hf_err *err);
