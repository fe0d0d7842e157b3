/* cli/fleet/plugin.h - runs the credential plugin that a kubeconfig names in users[].user.exec.
 *
 * kubectl's protocol: the plugin gets its arguments without a shell, the description of the request in the variable
 * KUBERNETES_EXEC_INFO, and prints an ExecCredential object. Only the command line runs plugins, with the rights and
 * the environment of its user. An agent refuses such kubeconfigs. Main thread only; blocks. */
#pragma once

#include "codec/json.h"

/* What a plugin printed. The struct owns its strings, which hf_plugin_done() overwrites. */
struct hf_plugin_credential {
    char *token; /* NULL: none */
    char *cert_pem, *key_pem;
    uint64_t expires_unix_ns; /* UINT64_MAX: the plugin gave no time */
};
void hf_plugin_done(struct hf_plugin_credential *credential);

/* The cluster, for plugins with provideClusterInfo. */
struct hf_plugin_cluster {
    const char *server, *ca_pem, *tls_server_name; /* the last two may be NULL */
    bool insecure_skip_verify;
};

/* Runs the plugin of an `exec` object, at most 60 s, or 5 min if it may use the terminal. Its standard error is that of
 * this process. -EBADMSG: the object, or what the plugin printed, is wrong. -ENOENT: there is no such program.
 * -EACCES: the plugin failed. -ETIMEDOUT: it took too long, and was killed. */
HF_MUST_USE int hf_plugin_run(const json_t *exec, const struct hf_plugin_cluster *cluster, bool has_terminal,
                              struct hf_plugin_credential *ret_credential, struct hf_err *err);

/* Reads what a plugin printed. `api_version` is the version that the kubeconfig asks for. Pure. */
HF_MUST_USE int hf_plugin_parse(struct hf_view text, const char *api_version,
                                struct hf_plugin_credential *ret_credential, struct hf_err *err);
