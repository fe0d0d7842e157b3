/* SPDX-License-Identifier: Apache-2.0 */
/* cli/fleet/plugin.h - runs the credential plugin that a kubeconfig names in users[].user.exec.
 *
 * The protocol is that of kubectl: the plugin runs without a shell, gets a description of the request in the variable
 * KUBERNETES_EXEC_INFO, and prints an ExecCredential object. Only the command line runs plugins, with the rights and
 * the environment of its user. An agent refuses such kubeconfigs. Main thread only; blocks. */
#pragma once

#include "codec/json.h"

/* The credential that a plugin printed. The struct owns its strings; hf_plugin_done() overwrites and frees them. */
struct hf_plugin_credential {
    char *token; /* NULL if the plugin printed none */
    char *cert_pem, *key_pem;
    uint64_t expires_unix_ns; /* UINT64_MAX if the plugin printed no time */
};
void hf_plugin_done(struct hf_plugin_credential *credential);

/* The cluster, for plugins with provideClusterInfo. */
struct hf_plugin_cluster {
    const char *server, *ca_pem, *tls_server_name; /* ca_pem and tls_server_name may be NULL */
    bool insecure_skip_verify;
};

/* Runs the plugin of an `exec` object for at most 60 s, or 5 min if the plugin may use the terminal. The plugin writes
 * to the standard error of this process. -EBADMSG: the object or the plugin's output is wrong. -ENOENT: there is no
 * such program. -EACCES: the plugin failed. -ETIMEDOUT: the plugin took too long, and the function killed it. */
HF_MUST_USE int hf_plugin_run(const json_t *exec, const struct hf_plugin_cluster *cluster, bool has_terminal,
                              struct hf_plugin_credential *ret_credential, struct hf_err *err);

/* Parses a plugin's output. `api_version` is the version that the kubeconfig requires. Pure. */
HF_MUST_USE int hf_plugin_parse(struct hf_view text, const char *api_version,
                                struct hf_plugin_credential *ret_credential, struct hf_err *err);
