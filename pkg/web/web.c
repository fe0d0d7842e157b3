/* SPDX-License-Identifier: Apache-2.0 */
#include "web/web.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HF_WEB_REASON = 256 };

enum { OWN_ROUTES = 3 };

struct hf_web {
    struct hf_server *server;
    struct hf_metrics *metrics;
    struct hf_web_check *checks; /* with copies of the names */
    size_t n_checks;
};

static void answer_metrics(void *arg, HF_UNUSED const struct hf_server_request *request, struct hf_server_reply *reply)
{
    const struct hf_web *web = arg;

    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    reply->body.max = HF_MIN(reply->body.max, HF_METRICS_MAX_TEXT);
    if (hf_metrics_format(web->metrics, &reply->body) == 0)
        return;
    /* Half a page would look like counters that vanished. */
    hf_buf_clear(&reply->body);
    reply->status = 500;
    reply->content_type = "text/plain; charset=utf-8";
}

static void answer_healthz(HF_UNUSED void *arg, HF_UNUSED const struct hf_server_request *request,
                           struct hf_server_reply *reply)
{
    if (hf_buf_add_str(&reply->body, "ok\n") < 0)
        reply->status = 500;
}

static int add_check(const struct hf_web_check *check, struct hf_buf *body, bool *all_ready)
{
    char reason[HF_WEB_REASON] = "";

    if (check->ready(check->arg, reason, sizeof(reason)))
        return hf_buf_addf(body, "[+]%s ok\n", check->name);
    *all_ready = false;
    return hf_buf_addf(body, "[-]%s: %s\n", check->name, reason[0] != '\0' ? reason : "not ready");
}

static void answer_readyz(void *arg, HF_UNUSED const struct hf_server_request *request, struct hf_server_reply *reply)
{
    const struct hf_web *web = arg;
    bool all_ready = true;
    int r = 0;

    for (size_t i = 0; i < web->n_checks && r == 0; i++)
        r = add_check(&web->checks[i], &reply->body, &all_ready);
    reply->status = r < 0 ? 500 : all_ready ? 200 : 503;
}

static int copy_checks(struct hf_web *web, const struct hf_web_params *params)
{
    web->checks = calloc(params->n_checks > 0 ? params->n_checks : 1, sizeof(*web->checks));
    if (web->checks == NULL)
        return -ENOMEM;
    for (; web->n_checks < params->n_checks; web->n_checks++) {
        struct hf_web_check *check = &web->checks[web->n_checks];
        *check = params->checks[web->n_checks];
        check->name = strdup(check->name);
        if (check->name == NULL)
            return -ENOMEM;
    }
    return 0;
}

static int open_server(struct hf_web *web, struct hf_loop *loop, const struct hf_web_params *params, struct hf_err *err)
{
    const struct hf_server_route own[OWN_ROUTES] = {
        {.path = "/healthz", .method = "GET", .handle = answer_healthz, .arg = web},
        {.path = "/readyz", .method = "GET", .handle = answer_readyz, .arg = web},
        /* the last one: omitted without a registry */
        {.path = "/metrics", .method = "GET", .handle = answer_metrics, .arg = web},
    };
    size_t n = params->n_routes + OWN_ROUTES - (params->metrics == NULL);
    _cleanup_(hf_freep) struct hf_server_route *routes = calloc(params->n_routes + OWN_ROUTES, sizeof(*routes));
    const struct hf_server_params server = {.address = params->address != NULL ? params->address : HF_WEB_ADDRESS,
                                            .port = params->port,
                                            .routes = routes,
                                            .n_routes = n,
                                            .limits = params->limits,
                                            .allowed_hosts = params->allowed_hosts,
                                            .refused = params->refused,
                                            .refused_arg = params->refused_arg};

    if (routes == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for the local pages");
    if (params->n_routes > 0)
        memcpy(routes, params->routes, params->n_routes * sizeof(*routes));
    memcpy(routes + params->n_routes, own, sizeof(own));
    return hf_server_new(loop, &server, &web->server, err);
}

int hf_web_new(struct hf_loop *loop, const struct hf_web_params *params, struct hf_web **ret_web, struct hf_err *err)
{
    _cleanup_(hf_web_freep) struct hf_web *web = calloc(1, sizeof(*web));

    if (web == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for the local pages");
    web->metrics = params->metrics;
    if (copy_checks(web, params) < 0)
        return hf_err_set(err, ENOMEM, "not enough memory for the local pages");
    int r = open_server(web, loop, params, err);
    if (r < 0)
        return r;
    *ret_web = hf_steal(web);
    return 0;
}

uint16_t hf_web_port(const struct hf_web *web)
{
    return hf_server_port(web->server);
}

static void free_text(const char *text)
{
    free((void *)(uintptr_t)text);
}

void hf_web_free(struct hf_web *web)
{
    if (web == NULL)
        return;
    hf_server_free(web->server);
    for (size_t i = 0; i < web->n_checks; i++)
        free_text(web->checks[i].name);
    free(web->checks);
    free(web);
}
