/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct hf_upstream {
    struct hf_upstream_params p;
    struct hf_kube_config config;
    struct hf_http_client *http; /* one origin, with credentials */
    struct hf_kube *kube;
    struct hf_http_client *kubelet; /* client of hf_upstream_kubelet(); NULL before the first request */
    struct hf_http_ops kubelet_ops;
    const char *node_name;
    /* client certificate and key that replace the credentials of the configuration; NULL if none does */
    char *certificate, *key;
};

static const char *get_environment(const char *name)
{
    return getenv(name);
}

static struct hf_http_config http_config(const struct hf_upstream *upstream)
{
    struct hf_http_config config = hf_kube_config_http(&upstream->config, upstream->p.user_agent);

    if (upstream->certificate != NULL) {
        config.client_cert_pem = upstream->certificate;
        config.client_key_pem = upstream->key;
        config.bearer_token = NULL;
    }
    config.max_skew_ns = upstream->p.max_skew_ns;
    config.clock = upstream->p.world.clock;
    return config;
}

static int put_credentials(struct hf_upstream *upstream, struct hf_err *err)
{
    struct hf_http_config config = http_config(upstream);

    return hf_http_client_update(upstream->http, &config, err);
}

/* Returns 0 also if nothing changed: there are no newer credentials then. */
static int reload_credentials(void *arg, struct hf_err *err)
{
    struct hf_upstream *upstream = arg;
    int r = hf_kube_config_reload(upstream->p.world.fs, &upstream->config, err);

    if (r <= 0)
        return r;
    hf_log(upstream->p.world.log, HF_LOG_INFO, "credentials.changed", HF_S("server", upstream->config.server));
    if (upstream->p.changed != NULL)
        upstream->p.changed(upstream->p.arg);
    return put_credentials(upstream, err);
}

static int reauthenticate(void *arg, struct hf_err *err)
{
    struct hf_upstream *upstream = arg;
    int r = reload_credentials(upstream, err);

    if (upstream->p.refused != NULL)
        upstream->p.refused(upstream->p.arg);
    return r;
}

static void swap(char **a, char **b)
{
    char *kept = *a;

    *a = *b;
    *b = kept;
}

int hf_upstream_use_certificate(struct hf_upstream *upstream, const char *certificate_pem, const char *key_pem,
                                struct hf_err *err)
{
    bool none = certificate_pem == NULL;
    char *certificate = none ? NULL : strdup(certificate_pem), *key = none ? NULL : strdup(key_pem);
    int r = 0;

    if (!none && (certificate == NULL || key == NULL))
        r = hf_err_set(err, ENOMEM, "out of memory");
    swap(&upstream->certificate, &certificate);
    swap(&upstream->key, &key);
    if (r == 0)
        r = put_credentials(upstream, err);
    if (r < 0) {
        swap(&upstream->certificate, &certificate);
        swap(&upstream->key, &key);
    }
    free(certificate);
    hf_buf_wipe_text(&key);
    return r;
}

static int open_upstream(struct hf_upstream *upstream, struct hf_err *err)
{
    const struct hf_upstream_params *p = &upstream->p;
    int r = hf_kube_config_find(p->world.fs, p->server, p->kubeconfig, get_environment, &upstream->config, err);

    if (r < 0)
        return r;
    struct hf_http_config config = http_config(upstream);
    upstream->http = hf_http_client_new(p->loop, &config, err);
    if (upstream->http == NULL)
        return -err->code;
    struct hf_kube_params params = {
        .config = &upstream->config,
        .api = p->api,
        .field_manager = p->field_manager,
        .world = p->world,
        .http = hf_http_client_ops(upstream->http),
        .fleet = p->fleet,
        .reauthenticate = reauthenticate,
        .arg = upstream,
    };
    upstream->kube = hf_kube_new(&params, err);
    return upstream->kube == NULL ? -err->code : 0;
}

struct hf_upstream *hf_upstream_new(const struct hf_upstream_params *params, struct hf_err *err)
{
    struct hf_upstream *upstream = calloc(1, sizeof(*upstream));

    if (upstream == NULL) {
        (void)hf_err_set(err, ENOMEM, "out of memory");
        return NULL;
    }
    upstream->p = *params;
    if (open_upstream(upstream, err) < 0) {
        hf_upstream_free(upstream);
        return NULL;
    }
    return upstream;
}

void hf_upstream_free(struct hf_upstream *upstream)
{
    if (upstream == NULL)
        return;
    hf_kube_free(upstream->kube);
    hf_http_client_free(upstream->kubelet);
    hf_http_client_free(upstream->http);
    hf_kube_config_done(&upstream->config);
    free(upstream->certificate);
    hf_buf_wipe_text(&upstream->key);
    free(upstream);
}

const struct hf_source_ops *hf_upstream_source(struct hf_upstream *upstream)
{
    return hf_kube_source(upstream->kube);
}

struct hf_kube *hf_upstream_kube(struct hf_upstream *upstream)
{
    return upstream->kube;
}

/* ---- the kubelet of this node ------------------------------------------------------------------------------------ */

#define KUBELET "https://127.0.0.1:10250"

static int kubelet_start(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                         struct hf_err *err)
{
    struct hf_upstream *upstream = ctx;
    struct hf_http_config config = http_config(upstream);
    int r = 0;

    config.origin = KUBELET;
    config.tls_server_name = upstream->node_name;
    if (config.ca_pem == NULL || config.insecure_skip_verify)
        return hf_err_set(err, EKEYREJECTED, "no CA vouches for the kubelet's certificate");
    if (upstream->kubelet == NULL)
        upstream->kubelet = hf_http_client_new(upstream->p.loop, &config, err);
    else
        r = hf_http_client_update(upstream->kubelet, &config, err);
    if (upstream->kubelet == NULL || r < 0)
        return r < 0 ? r : -err->code;
    const struct hf_http_ops *ops = hf_http_client_ops(upstream->kubelet);
    return ops->start(ops->ctx, request, ret_call, err);
}

static void kubelet_cancel(void *ctx, struct hf_http_call *call)
{
    const struct hf_upstream *upstream = ctx;

    if (upstream->kubelet != NULL && call != NULL)
        hf_http_client_ops(upstream->kubelet)->cancel(hf_http_client_ops(upstream->kubelet)->ctx, call);
}

static void kubelet_pause(void *ctx, struct hf_http_call *call, bool paused)
{
    const struct hf_upstream *upstream = ctx;

    hf_http_client_ops(upstream->kubelet)->pause(hf_http_client_ops(upstream->kubelet)->ctx, call, paused);
}

const struct hf_http_ops *hf_upstream_kubelet(struct hf_upstream *upstream, const char *node_name)
{
    upstream->node_name = node_name;
    upstream->kubelet_ops =
        (struct hf_http_ops){.ctx = upstream, .start = kubelet_start, .cancel = kubelet_cancel, .pause = kubelet_pause};
    return &upstream->kubelet_ops;
}

struct hf_http_traffic hf_upstream_traffic(const struct hf_upstream *upstream)
{
    return upstream != NULL ? hf_http_client_traffic(upstream->http) : (struct hf_http_traffic){.sent_bytes = 0};
}

bool hf_upstream_has_files(const struct hf_upstream *upstream)
{
    if (upstream == NULL)
        return false;
    const struct hf_kube_config *c = &upstream->config;
    return c->ca_file != NULL || c->client_cert_file != NULL || c->client_key_file != NULL || c->token_file != NULL;
}

void hf_upstream_reload(struct hf_upstream *upstream)
{
    struct hf_err err = HF_ERR_INIT;

    if (upstream != NULL && reload_credentials(upstream, &err) < 0)
        hf_log_err(upstream->p.world.log, HF_LOG_WARNING, "credentials.unreadable", "server", upstream->config.server,
                   &err);
}

void hf_upstream_follow(struct hf_upstream *upstream, uint64_t retry_cap_ns, uint64_t max_skew_ns)
{
    struct hf_err err = HF_ERR_INIT;

    if (upstream == NULL)
        return;
    hf_kube_set_retry_cap(upstream->kube, retry_cap_ns);
    if (upstream->p.max_skew_ns == max_skew_ns)
        return;
    upstream->p.max_skew_ns = max_skew_ns;
    if (put_credentials(upstream, &err) < 0)
        hf_log_err(upstream->p.world.log, HF_LOG_ERROR, "credentials.unusable", "server", upstream->config.server,
                   &err);
}

void hf_upstream_nudge(struct hf_upstream *upstream)
{
    if (upstream != NULL)
        hf_kube_nudge(upstream->kube);
}
