/* SPDX-License-Identifier: Apache-2.0 */
/* The API server and our credentials: from --server, --kubeconfig, or the service account of a pod. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/net/host.h"
#include "base/net/url_mask.h"
#include "base/parse.h"
#include "kube/api/kubeconfig.h"
#include "os/file.h"

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

enum { MAX_FILE_BYTES = 1 << 20, MAX_SERVER_BYTES = 1024 };

/* ---- the server -------------------------------------------------------------------------------------------------- */

/* Checks the URL and removes slashes at its end. A secret is one line, and goes over TLS or stays on this host. */
static int check_server(struct hf_kube_config *config, struct hf_err *err)
{
    assert(config->server != NULL); /* every way to find a config ends with a server, or with an error */
    char *server = config->server;
    size_t n = strlen(server);
    bool tls = strncmp(server, "https://", 8) == 0, plain = strncmp(server, "http://", 7) == 0;
    const char *host = server + (tls ? 8 : 7);
    bool secrets = config->token != NULL || config->token_file != NULL || config->client_key_pem != NULL ||
                   config->client_key_file != NULL;

    char shown[HF_URL_MASKED];

    while (n > 0 && server[n - 1] == '/')
        server[--n] = '\0';
    if ((!tls && !plain) || n > MAX_SERVER_BYTES || *host == '\0' || *host == '/' || *host == ':')
        return hf_err_set(err, EINVAL, "server '%.80s': expected https://HOST[:PORT] or http://HOST[:PORT]",
                          hf_url_mask(server, shown, sizeof(shown)));
    if (strpbrk(server, "@?# \t\r\n\"<>\\^`{|}") != NULL)
        return hf_err_set(err, EINVAL, "server '%.80s': credentials, query and blanks are not allowed",
                          hf_url_mask(server, shown, sizeof(shown)));
    if (config->token != NULL && strpbrk(config->token, "\r\n") != NULL) /* it goes into a header */
        return hf_err_set(err, EBADMSG, "the token has more than one line");
    if (plain && secrets && !hf_host_is_loopback(hf_host_of_url(server)))
        return hf_err_set(err, EACCES, "server '%.80s': credentials are not sent without TLS", server);
    return 0;
}

static int set_server(struct hf_kube_config *config, const char *server, struct hf_err *err)
{
    char *copy = strdup(server);

    if (copy == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    free(config->server);
    config->server = copy;
    return 0;
}

static int in_cluster(const char *(*getenv_fn)(const char *name), struct hf_kube_config *config, struct hf_err *err)
{
    const char *host = getenv_fn("KUBERNETES_SERVICE_HOST"), *port = getenv_fn("KUBERNETES_SERVICE_PORT");
    uint64_t number;

    if (host == NULL || *host == '\0')
        return hf_err_set(err, ENOENT, "no API server: give --server, --kubeconfig or --source, or run in a cluster");
    if (port == NULL || hf_parse_u64(port, 1, 65535, &number) < 0)
        return hf_err_set(err, EINVAL, "KUBERNETES_SERVICE_PORT '%.20s' is not a port",
                          hf_view_of(port).p != NULL ? port : "");
    bool v6 = strchr(host, ':') != NULL;
    config->server = hf_asprintf("https://%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
    config->ca_file = strdup(SERVICE_ACCOUNT "/ca.crt");
    config->token_file = strdup(SERVICE_ACCOUNT "/token");
    if (config->server == NULL || config->ca_file == NULL || config->token_file == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    return 0;
}

static int from_kubeconfig(const struct hf_fs_ops *fs, const char *path, struct hf_kube_config *config,
                           struct hf_err *err)
{
    struct hf_buf text = HF_BUF_INIT(MAX_FILE_BYTES);
    int r = hf_file_read(fs, path, &text, err);

    if (r == 0)
        r = hf_kubeconfig_parse(hf_buf_view(&text), path, config, err);
    hf_buf_wipe(&text);
    return r;
}

/* Checks a new config and reads its files; frees the config if either fails. */
static int complete(const struct hf_fs_ops *fs, struct hf_kube_config *config, struct hf_err *err)
{
    int r = check_server(config, err);

    if (r == 0)
        r = hf_kube_config_reload(fs, config, err);
    if (r < 0)
        hf_kube_config_done(config);
    return r < 0 ? r : 0;
}

int hf_kube_config_parse(const struct hf_fs_ops *fs, struct hf_view text, const char *path,
                         struct hf_kube_config *ret_config, struct hf_err *err)
{
    struct hf_kube_config config = {.server = NULL};
    int r = hf_kubeconfig_parse(text, path, &config, err);

    if (r == 0)
        r = complete(fs, &config, err);
    if (r == 0)
        *ret_config = config;
    return r;
}

int hf_kube_config_find(const struct hf_fs_ops *fs, const char *server, const char *kubeconfig,
                        const char *(*getenv_fn)(const char *name), struct hf_kube_config *ret_config,
                        struct hf_err *err)
{
    struct hf_kube_config config = {.server = NULL};
    int r = 0;

    if (kubeconfig != NULL)
        r = from_kubeconfig(fs, kubeconfig, &config, err);
    else if (server == NULL)
        r = in_cluster(getenv_fn, &config, err);
    if (r == 0 && server != NULL) /* with a kubeconfig: another address of the same cluster */
        r = set_server(&config, server, err);
    if (r < 0) {
        hf_kube_config_done(&config);
        return r;
    }
    r = complete(fs, &config, err);
    if (r == 0)
        *ret_config = config;
    return r;
}

struct hf_http_config hf_kube_config_http(const struct hf_kube_config *config, const char *user_agent)
{
    return (struct hf_http_config){
        .user_agent = user_agent,
        .ca_pem = config->ca_pem,
        .client_cert_pem = config->client_cert_pem,
        .client_key_pem = config->client_key_pem,
        .bearer_token = config->token,
        .origin = config->server,
        .tls_server_name = config->tls_server_name,
        .insecure_skip_verify = config->insecure_skip_verify,
    };
}
