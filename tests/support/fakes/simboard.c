/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/simboard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/unit.h"

enum { LINE = 96, MAX_SERVICES = 4 };

struct service {
    char unit[64], path[128], line[LINE];
    uint16_t port;
    bool runs, sick;
    uint64_t healthy_at_ns;
    unsigned restarts;
    bool (*say)(void *arg, struct hf_buf *ret_body); /* a server that is no service; NULL: a service */
    void *arg;
};

enum call_kind { CALL_HTTP, CALL_REMOTE, CALL_PROC, CALL_PROBE, CALL_RESTART, CALL_STATE };

/* One answer on its way. A cancelled one stays until its event comes. */
struct call {
    struct hf_list link;
    struct hf_simboard *host;
    enum call_kind kind;
    struct service *service; /* NULL: there is none of that name */
    bool open;               /* still wants an answer */
    bool restarts;           /* the event restarts the service, whether or not anybody waits */
    bool no_program;
    struct hf_http_request request; /* callbacks and arg only */
    struct hf_http_call *inner;
    void (*proc_done)(void *arg, int r, int exit_code, struct hf_view output);
    void (*probe_done)(void *arg, int r);
    void (*restart_done)(void *arg, int r, const struct hf_err *err);
    void (*state_done)(void *arg, int r, const char *active, const char *sub, const struct hf_err *err);
    void *arg;
};

struct hf_simboard {
    struct hf_simloop *loop;
    struct hf_simfs *fs;
    struct service services[MAX_SERVICES];
    size_t n_services;
    struct hf_list calls;
    const struct hf_http_ops *remote;
    struct hf_http_ops http;
    struct hf_proc_ops proc;
    struct hf_probe_ops probe;
    struct hf_unit_ops unit;
};

/* ---- services ----------------------------------------------------------------------------------------------------- */

static struct service *by_unit(const struct hf_simboard *host, const char *unit)
{
    for (size_t i = 0; i < host->n_services; i++)
        if (strcmp(host->services[i].unit, unit) == 0)
            return (struct service *)(uintptr_t)&host->services[i];
    return NULL;
}

static struct service *by_port(const struct hf_simboard *host, unsigned port)
{
    for (size_t i = 0; i < host->n_services; i++)
        if (host->services[i].port == port)
            return (struct service *)(uintptr_t)&host->services[i];
    return NULL;
}

static void start_service(struct hf_simboard *host, struct service *service)
{
    size_t n = 0;
    const char *bytes = hf_simfs_get(host->fs, service->path, &n);
    char temper[16] = "";

    service->runs = service->sick = false;
    service->line[0] = '\0';
    if (bytes == NULL)
        return;
    (void)snprintf(service->line, sizeof(service->line), "%.*s", (int)HF_MIN(n, sizeof(service->line)), bytes);
    service->line[strcspn(service->line, "\n")] = '\0';
    if (sscanf(service->line, "release %*s %*s %15s", temper) != 1 || strcmp(temper, "crash") == 0) {
        service->line[0] = '\0';
        return;
    }
    service->runs = true;
    service->sick = strcmp(temper, "sick") == 0;
    service->healthy_at_ns =
        hf_simloop_now_ns(host->loop) + (strcmp(temper, "slow") == 0 ? 20 * HF_NS_PER_S : 100 * HF_NS_PER_MS);
}

static bool healthy(const struct hf_simboard *host, const struct service *service)
{
    return service->runs && !service->sick && hf_simloop_now_ns(host->loop) >= service->healthy_at_ns;
}

/* ---- answers ------------------------------------------------------------------------------------------------------ */

/* False: nobody listens. */
static bool ask_service(struct call *call, int *ret_status, struct hf_buf *ret_body)
{
    const struct service *service = call->service;

    if (service != NULL && service->say != NULL) {
        *ret_status = 200;
        return service->say(service->arg, ret_body);
    }
    if (service == NULL || !service->runs)
        return false;
    *ret_status = healthy(call->host, service) ? 200 : 503;
    return hf_buf_add(ret_body, "said\n", 5) == 0;
}

static void answer_http(struct call *call)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(1 << 20);
    struct hf_http_response response = {.content_length = -1};
    struct hf_err err = HF_ERR_INIT;

    if (!ask_service(call, &response.status, &body)) {
        (void)hf_err_set(&err, ECONNREFUSED, "connection refused");
        call->request.done(call->request.arg, -ECONNREFUSED, NULL, HF_VIEW(""), &err);
        return;
    }
    if (call->request.on_response != NULL) {
        int r = call->request.on_response(call->request.arg, &response);
        if (r != 0) {
            call->request.done(call->request.arg, r, &response, HF_VIEW(""), &err);
            return;
        }
    }
    call->request.done(call->request.arg, 0, &response, hf_buf_view(&body), &err);
}

static void answer(struct call *call)
{
    const struct service *service = call->service;
    struct hf_err err = HF_ERR_INIT;
    bool runs = service != NULL && service->runs;

    switch (call->kind) {
    case CALL_HTTP:
        answer_http(call);
        break;
    case CALL_PROC:
        call->proc_done(call->arg, call->no_program ? -ENOENT : 0,
                        call->restarts || (service != NULL && healthy(call->host, service)) ? 0 : 1,
                        HF_VIEW("asked\n"));
        break;
    case CALL_PROBE:
        call->probe_done(call->arg, runs ? 0 : -ECONNREFUSED);
        break;
    case CALL_RESTART:
        if (service == NULL)
            (void)hf_err_set(&err, ENOENT, "no such unit");
        else if (!runs)
            (void)hf_err_set(&err, EIO, "job failed");
        call->restart_done(call->arg, service == NULL ? -ENOENT : runs ? 0 : -EIO, &err);
        break;
    case CALL_STATE:
        if (service == NULL)
            (void)hf_err_set(&err, ENOENT, "no such unit");
        call->state_done(call->arg, service == NULL ? -ENOENT : 0, runs ? "active" : "failed",
                         runs ? "running" : "failed", &err);
        break;
    case CALL_REMOTE:
        break;
    }
}

static void call_free(struct call *call)
{
    hf_list_remove(&call->link);
    free(call);
}

static void fires(void *arg)
{
    struct call *call = arg;
    bool open = call->open;

    if (call->restarts && call->service != NULL) {
        start_service(call->host, call->service);
        call->service->restarts++;
    }
    call->open = false;
    if (open)
        answer(call);
    call_free(call);
}

static struct call *call_new(struct hf_simboard *host, enum call_kind kind)
{
    struct call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        abort();
    call->host = host;
    call->kind = kind;
    call->open = true;
    hf_list_append(&host->calls, &call->link);
    return call;
}

static void answer_soon(struct call *call)
{
    uint64_t delay = HF_NS_PER_MS + hf_simloop_below(call->host->loop, 50 * HF_NS_PER_MS);

    hf_simloop_post(call->host->loop, delay, fires, call);
}

static void cancel_call(struct call *call)
{
    if (call != NULL)
        call->open = false;
}

/* ---- tables ------------------------------------------------------------------------------------------------------- */

static int remote_response(void *arg, const struct hf_http_response *response)
{
    struct call *call = arg;

    return call->request.on_response == NULL ? 0 : call->request.on_response(call->request.arg, response);
}

static int remote_body(void *arg, const void *bytes, size_t n)
{
    struct call *call = arg;

    return call->request.on_body(call->request.arg, bytes, n);
}

static void remote_done(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                        const struct hf_err *err)
{
    struct call *call = arg;
    struct hf_http_request request = call->request;

    call_free(call);
    request.done(request.arg, r, response, body, err);
}

static int http_start(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                      struct hf_err *err)
{
    struct hf_simboard *host = ctx;
    unsigned port = 0;
    bool local = sscanf(request->url, "http://127.0.0.1:%u", &port) == 1;
    struct call *call = call_new(host, local ? CALL_HTTP : CALL_REMOTE);

    call->request = *request;
    *ret_call = (struct hf_http_call *)(void *)call;
    if (local) {
        call->service = by_port(host, port);
        answer_soon(call);
        return 0;
    }
    struct hf_http_request outer = *request;
    outer.on_response = remote_response;
    outer.on_body = request->on_body == NULL ? NULL : remote_body;
    outer.done = remote_done;
    outer.arg = call;
    int r = host->remote->start(host->remote->ctx, &outer, &call->inner, err);
    if (r < 0)
        call_free(call);
    return r;
}

static void http_cancel(void *ctx, struct hf_http_call *opaque)
{
    struct hf_simboard *host = ctx;
    struct call *call = (struct call *)(void *)opaque;

    if (call == NULL)
        return;
    if (call->kind == CALL_HTTP) {
        cancel_call(call);
        return;
    }
    host->remote->cancel(host->remote->ctx, call->inner);
    call_free(call);
}

static void http_pause(void *ctx, struct hf_http_call *opaque, bool paused)
{
    struct hf_simboard *host = ctx;
    struct call *call = (struct call *)(void *)opaque;

    if (call->kind == CALL_REMOTE)
        host->remote->pause(host->remote->ctx, call->inner, paused);
}

static int proc_spawn(void *ctx, const struct hf_proc_request *request, struct hf_proc_call **ret_call,
                      struct hf_err *err)
{
    struct call *call = call_new(ctx, CALL_PROC);
    const char *program = request->argv[0];

    (void)err;
    call->proc_done = request->done;
    call->arg = request->arg;
    call->restarts = strcmp(program, "/bin/restart") == 0;
    call->no_program = !call->restarts && strcmp(program, "/bin/check") != 0;
    call->service = request->argv[1] == NULL ? NULL : by_unit(ctx, request->argv[1]);
    *ret_call = (struct hf_proc_call *)(void *)call;
    answer_soon(call);
    return 0;
}

static void proc_cancel(void *ctx, struct hf_proc_call *call)
{
    (void)ctx;
    cancel_call((struct call *)(void *)call);
}

static int probe_tcp(void *ctx, const char *host_name, uint16_t port, uint64_t timeout_ns,
                     void (*done)(void *arg, int r), void *arg, struct hf_probe_call **ret_call, struct hf_err *err)
{
    struct call *call = call_new(ctx, CALL_PROBE);

    (void)host_name;
    (void)timeout_ns;
    (void)err;
    call->probe_done = done;
    call->arg = arg;
    call->service = by_port(ctx, port);
    *ret_call = (struct hf_probe_call *)(void *)call;
    answer_soon(call);
    return 0;
}

static void probe_cancel(void *ctx, struct hf_probe_call *call)
{
    (void)ctx;
    cancel_call((struct call *)(void *)call);
}

static int unit_restart(void *ctx, const char *unit, uint64_t timeout_ns,
                        void (*done)(void *arg, int r, const struct hf_err *err), void *arg,
                        struct hf_unit_call **ret_call, struct hf_err *err)
{
    struct call *call = call_new(ctx, CALL_RESTART);

    (void)timeout_ns;
    (void)err;
    call->restart_done = done;
    call->arg = arg;
    call->restarts = true;
    call->service = by_unit(ctx, unit);
    *ret_call = (struct hf_unit_call *)(void *)call;
    answer_soon(call);
    return 0;
}

static int unit_state(void *ctx, const char *unit, uint64_t timeout_ns,
                      void (*done)(void *arg, int r, const char *active, const char *sub, const struct hf_err *err),
                      void *arg, struct hf_unit_call **ret_call, struct hf_err *err)
{
    struct call *call = call_new(ctx, CALL_STATE);

    (void)timeout_ns;
    (void)err;
    call->state_done = done;
    call->arg = arg;
    call->service = by_unit(ctx, unit);
    *ret_call = (struct hf_unit_call *)(void *)call;
    answer_soon(call);
    return 0;
}

static void unit_cancel(void *ctx, struct hf_unit_call *call)
{
    (void)ctx;
    cancel_call((struct call *)(void *)call);
}

const struct hf_http_ops *hf_simboard_http(struct hf_simboard *host, const struct hf_http_ops *remote)
{
    host->remote = remote;
    return &host->http;
}

const struct hf_proc_ops *hf_simboard_proc(struct hf_simboard *host)
{
    return &host->proc;
}

const struct hf_probe_ops *hf_simboard_probe(struct hf_simboard *host)
{
    return &host->probe;
}

const struct hf_unit_ops *hf_simboard_unit(struct hf_simboard *host)
{
    return &host->unit;
}

/* ---- life --------------------------------------------------------------------------------------------------------- */

struct hf_simboard *hf_simboard_new(struct hf_simloop *loop, struct hf_simfs *fs)
{
    struct hf_simboard *host = calloc(1, sizeof(*host));

    if (host == NULL)
        abort();
    host->loop = loop;
    host->fs = fs;
    hf_list_init(&host->calls);
    host->http = (struct hf_http_ops){.ctx = host, .start = http_start, .cancel = http_cancel, .pause = http_pause};
    host->proc = (struct hf_proc_ops){.ctx = host, .spawn = proc_spawn, .cancel = proc_cancel};
    host->probe = (struct hf_probe_ops){.ctx = host, .tcp = probe_tcp, .cancel = probe_cancel};
    host->unit = (struct hf_unit_ops){
        .ctx = host, .restart = unit_restart, .reload = unit_restart, .state = unit_state, .cancel = unit_cancel};
    return host;
}

void hf_simboard_free(struct hf_simboard *host)
{
    if (host == NULL)
        return;
    while (!hf_list_empty(&host->calls))
        call_free(hf_container_of(host->calls.next, struct call, link));
    free(host);
}

void hf_simboard_service(struct hf_simboard *host, const char *unit, uint16_t port, const char *path)
{
    struct service *service = &host->services[host->n_services++];

    if (host->n_services > MAX_SERVICES)
        abort();
    service->port = port;
    (void)snprintf(service->unit, sizeof(service->unit), "%s", unit);
    (void)snprintf(service->path, sizeof(service->path), "%s", path);
}

void hf_simboard_listen(struct hf_simboard *host, uint16_t port, bool (*say)(void *arg, struct hf_buf *ret_body),
                        void *arg)
{
    hf_simboard_service(host, "", port, "");
    host->services[host->n_services - 1].say = say;
    host->services[host->n_services - 1].arg = arg;
}

void hf_simboard_boot(struct hf_simboard *host)
{
    for (size_t i = 0; i < host->n_services; i++)
        start_service(host, &host->services[i]);
}

const char *hf_simboard_running(const struct hf_simboard *host, const char *unit)
{
    const struct service *service = by_unit(host, unit);

    return service == NULL ? "" : service->line;
}

unsigned hf_simboard_restarts(const struct hf_simboard *host, const char *unit)
{
    const struct service *service = by_unit(host, unit);

    return service == NULL ? 0 : service->restarts;
}

size_t hf_simboard_calls(const struct hf_simboard *host)
{
    size_t n = 0;

    for (struct hf_list *it = host->calls.next; it != &host->calls; it = it->next)
        n += hf_container_of(it, struct call, link)->open;
    return n;
}
