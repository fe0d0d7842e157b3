/* SPDX-License-Identifier: Apache-2.0 */
/* Each server is opened on its own. If one fails, the process ends with a text that names the flags, or, with
 * --listen-optional and for the default socket, it starts without it and a timer tries again; these later failures
 * are not logged again. Each server has a limit of connections, so that the sum fits the limit of open files, which
 * the agent raises first; where it stays low, senders to /ingest get fewer, so that the agent can still open its
 * files. */
#include "agent/process/listeners.h"

#include "base/encoding/cut.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MISDIRECTED_MAX_BODY = 256 << 10 };

/* The listeners as the metric of refusals names them: those with ports, and the socket. */
enum { SOCKET = HF_LISTEN_COUNT, NAMES };

struct refusals {
    struct hf_metric *counts[HF_SERVER_REFUSALS];
};

struct hf_listeners {
    struct hf_listeners_params params;
    struct hf_web *metrics, *health;
    struct hf_server *ingest, *socket;
    char socket_path[PATH_MAX]; /* "": no socket */
    bool socket_is_default;
    struct refusals refusals[NAMES];
    struct hf_timer *timer; /* for the next attempt */
};

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static void count_refusal(void *arg, enum hf_server_refusal why)
{
    const struct refusals *refusals = arg;

    hf_metric_add(refusals->counts[why], 1);
}

static void register_refusals(struct hf_listeners *l)
{
    struct hf_metric_family *family =
        hf_metric_family(l->params.metrics, HF_METRIC_COUNTER, "holdfast_local_refused_total",
                         "Requests and connections that a local server turned away, by listener and reason.",
                         HF_LABELS("listener", "reason"));

    for (int i = 0; i < NAMES; i++)
        for (int k = 0; k < HF_SERVER_REFUSALS; k++)
            l->refusals[i].counts[k] = hf_metric_with(
                family, HF_LABELS(i == SOCKET ? "socket" : hf_agent_listener_name((enum hf_agent_listener)i),
                                  hf_server_refusal_name((enum hf_server_refusal)k)));
}

/* Without descriptors the agent can neither accept nor read its state. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= HF_LISTEN_DESCRIPTORS)
        return;
    limit.rlim_cur = HF_MIN(limit.rlim_max, (rlim_t)HF_LISTEN_DESCRIPTORS);
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- the three servers ------------------------------------------------------------------------------------------- */

/* For senders that still use the port of metrics for POST /ingest. */
static void answer_misdirected(void *arg, HF_UNUSED const struct hf_server_request *request,
                               struct hf_server_reply *reply)
{
    const struct hf_listeners *listeners = arg;
    const struct hf_listen_flag *ingest = &listeners->params.options->listen[HF_LISTEN_INGEST];

    reply->status = 404;
    reply->content_type = "application/json";
    if (ingest->off)
        (void)!hf_buf_add_str(&reply->body,
                              "{\"error\":\"POST /ingest is off: the agent runs with --ingest-port off\"}\n");
    else
        (void)!hf_buf_addf(&reply->body, "{\"error\":\"POST /ingest is on port %u, which --ingest-port sets\"}\n",
                           listeners->ingest != NULL ? hf_server_port(listeners->ingest) : ingest->port);
}

/* Routes of a server: the page, and one more. NULL: out of memory. */
static struct hf_server_route *with_page(const struct hf_listeners *l, const struct hf_server_route *more,
                                         struct hf_err *err)
{
    struct hf_server_route *routes = calloc(l->params.n_page + 1, sizeof(*routes));

    if (routes == NULL) {
        (void)hf_err_set(err, ENOMEM, "out of memory");
        return NULL;
    }
    routes[0] = *more;
    if (l->params.n_page > 0)
        memcpy(routes + 1, l->params.page, l->params.n_page * sizeof(*routes));
    return routes;
}

static int open_metrics(struct hf_listeners *l, const struct hf_listen_flag *at, struct hf_err *err)
{
    const struct hf_server_route misdirected = {
        .path = "/ingest", .method = "POST", .max_body = MISDIRECTED_MAX_BODY, .handle = answer_misdirected, .arg = l};
    _cleanup_(hf_freep) struct hf_server_route *routes = with_page(l, &misdirected, err);
    const struct hf_web_params params = {
        .address = at->address,
        .port = at->port,
        .metrics = l->params.metrics,
        .limits = {.max_connections = HF_LISTEN_METRICS_CONNECTIONS,
                   .idle_s = HF_LISTEN_METRICS_IDLE_S,
                   .replace_oldest = true},
        .allowed_hosts = l->params.options->allowed_hosts,
        .refused = count_refusal,
        .refused_arg = &l->refusals[HF_LISTEN_METRICS],
        .checks = &l->params.ready,
        .n_checks = 1,
        .routes = routes,
        .n_routes = l->params.n_page + 1,
    };

    return routes == NULL ? -ENOMEM : hf_web_new(l->params.loop, &params, &l->metrics, err);
}

/* Where the limit of open files is low, senders get half of what the fixed servers leave, so that the agent can still
 * open its files. */
static unsigned ingest_connections(void)
{
    enum {
        FIXED = HF_LISTEN_METRICS_CONNECTIONS + HF_LISTEN_HEALTH_CONNECTIONS + HF_LISTEN_SOCKET_CONNECTIONS,
        LEAST = 16
    };
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= HF_LISTEN_DESCRIPTORS)
        return HF_LISTEN_INGEST_CONNECTIONS;
    unsigned left = limit.rlim_cur > FIXED ? (unsigned)limit.rlim_cur - FIXED : 0;
    return HF_MIN((unsigned)HF_LISTEN_INGEST_CONNECTIONS, HF_MAX(left / 2, (unsigned)LEAST));
}

static int open_ingest(struct hf_listeners *l, const struct hf_listen_flag *at, struct hf_err *err)
{
    const struct hf_server_params params = {
        .address = at->address,
        .port = at->port,
        .routes = &l->params.ingest,
        .n_routes = 1,
        .limits = {.max_connections = ingest_connections()},
        .allowed_hosts = l->params.options->allowed_hosts,
        .refused = count_refusal,
        .refused_arg = &l->refusals[HF_LISTEN_INGEST],
    };

    return hf_server_new(l->params.loop, &params, &l->ingest, err);
}

static int open_socket(struct hf_listeners *l, struct hf_err *err)
{
    const struct hf_agent_options *o = l->params.options;
    const struct hf_server_name name = {
        .path = l->socket_path, .mode = o->ingest_socket_access.mode, .gid = o->ingest_socket_access.gid};
    _cleanup_(hf_freep) struct hf_server_route *routes = with_page(l, &l->params.ingest, err);
    const struct hf_server_params params = {
        .name = &name,
        .routes = routes,
        .n_routes = l->params.n_page + 1,
        .limits = {.max_connections = HF_LISTEN_SOCKET_CONNECTIONS},
        .allowed_hosts = o->allowed_hosts,
        .refused = count_refusal,
        .refused_arg = &l->refusals[SOCKET],
    };

    return routes == NULL ? -ENOMEM : hf_server_new(l->params.loop, &params, &l->socket, err);
}

static int open_health(struct hf_listeners *l, const struct hf_listen_flag *at, struct hf_err *err)
{
    const struct hf_web_params params = {
        .address = at->address,
        .port = at->port,
        .limits = {.max_connections = HF_LISTEN_HEALTH_CONNECTIONS,
                   .idle_s = HF_LISTEN_HEALTH_IDLE_S,
                   .replace_oldest = true},
        .allowed_hosts = l->params.options->allowed_hosts,
        .refused = count_refusal,
        .refused_arg = &l->refusals[HF_LISTEN_HEALTH],
        .checks = &l->params.ready,
        .n_checks = 1,
    };

    return hf_web_new(l->params.loop, &params, &l->health, err);
}

static int (*const open_one[HF_LISTEN_COUNT])(struct hf_listeners *l, const struct hf_listen_flag *at,
                                              struct hf_err *err) = {
    [HF_LISTEN_METRICS] = open_metrics,
    [HF_LISTEN_INGEST] = open_ingest,
    [HF_LISTEN_HEALTH] = open_health,
};

uint16_t hf_listeners_port(const struct hf_listeners *l, enum hf_agent_listener listener)
{
    if (listener == HF_LISTEN_INGEST)
        return l->ingest != NULL ? hf_server_port(l->ingest) : 0;
    const struct hf_web *web = listener == HF_LISTEN_METRICS ? l->metrics : l->health;
    return web != NULL ? hf_web_port(web) : 0;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* Adds the port, its holder's command and the flags that help. */
static int explain(const struct hf_listen_flag *at, const char *name, int r, struct hf_err *err)
{
    const char *cause = HF_CUT(120, err->cause);

    if (r == -EADDRINUSE)
        return hf_err_set(err, EADDRINUSE,
                          "port %u on %.64s, for %s, is held by another process (ss -ltnp names it): give another with "
                          "--%s-port, switch it off with --%s-port off, or start without it with --listen-optional",
                          at->port, at->address, name, name, name);
    return hf_err_set(err, -r, "%s: see --%s-address and --%s-port; --listen-optional starts without it", cause, name,
                      name);
}

/* Opens each server that is not open yet and returns the first failure; with `go_on`, tries all of them and logs each
 * failure. */
static int open_all(struct hf_listeners *l, bool go_on, bool log_failures, struct hf_err *err)
{
    int first = 0;

    for (enum hf_agent_listener i = 0; i < HF_LISTEN_COUNT && (first == 0 || go_on); i++) {
        const struct hf_listen_flag *at = &l->params.options->listen[i];
        const char *name = hf_agent_listener_name(i);
        if (at->off || hf_listeners_port(l, i) != 0)
            continue;
        int r = open_one[i](l, at, err);
        if (r == 0) {
            hf_log(l->params.log, HF_LOG_INFO, "server.listening", HF_S("listener", name), HF_S("address", at->address),
                   HF_D("port", hf_listeners_port(l, i)));
            continue;
        }
        first = first == 0 ? r : first;
        (void)explain(at, name, r, err);
        if (go_on && log_failures)
            hf_log_err(l->params.log, HF_LOG_WARNING, "server.failed", "listener", name, err);
    }
    return first;
}

/* The socket, if it is wanted and not open yet. Returns 0, or the failure. */
static int open_wanted_socket(struct hf_listeners *l, bool log_failure, struct hf_err *err)
{
    if (l->socket_path[0] == '\0' || l->socket != NULL)
        return 0;
    int r = open_socket(l, err);
    if (r == 0) {
        hf_log(l->params.log, HF_LOG_INFO, "server.listening", HF_S("listener", "socket"),
               HF_S("path", l->socket_path));
        return 0;
    }
    (void)hf_err_wrap(err, r, "--ingest-socket");
    if (log_failure)
        hf_log_err(l->params.log, HF_LOG_WARNING, "server.failed", "listener", "socket", err);
    return r;
}

static void find_socket_path(struct hf_listeners *l)
{
    const struct hf_agent_options *o = l->params.options;

    l->socket_is_default = o->ingest_socket == NULL;
    if (o->ingest_socket_off)
        return;
    if (o->ingest_socket != NULL)
        (void)snprintf(l->socket_path, sizeof(l->socket_path), "%s", o->ingest_socket);
    else if (l->params.run_dir != NULL)
        (void)snprintf(l->socket_path, sizeof(l->socket_path), "%.4000s/ingest.sock", l->params.run_dir);
}

static void try_again_later(struct hf_listeners *l)
{
    hf_timer_arm(hf_loop_sched(l->params.loop), l->timer,
                 l->params.retry_ns != 0 ? l->params.retry_ns : HF_LISTEN_RETRY_S * HF_NS_PER_S);
}

static void on_timer(void *arg)
{
    struct hf_listeners *l = arg;
    struct hf_err err = HF_ERR_INIT;

    int r = open_all(l, true, false, &err), of_socket = open_wanted_socket(l, false, &err);
    if (r < 0 || of_socket < 0)
        try_again_later(l);
}

int hf_listeners_new(const struct hf_listeners_params *params, struct hf_listeners **ret_listeners, struct hf_err *err)
{
    _cleanup_(hf_listeners_freep) struct hf_listeners *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    l->params = *params;
    l->timer = hf_timer_new(hf_loop_sched(params->loop), on_timer, l);
    if (l->timer == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    raise_descriptors();
    register_refusals(l);
    find_socket_path(l);
    bool optional = params->options->listen_optional;
    int r = open_all(l, optional, true, err);
    if (r < 0 && !optional)
        return r;
    int of_socket = open_wanted_socket(l, optional || l->socket_is_default, err);
    if (of_socket < 0 && !optional && !l->socket_is_default)
        return of_socket;
    if (r < 0 || of_socket < 0)
        try_again_later(l);
    *ret_listeners = hf_steal(l);
    return 0;
}

void hf_listeners_free(struct hf_listeners *listeners)
{
    if (listeners == NULL)
        return;

    hf_timer_free(hf_loop_sched(listeners->params.loop), listeners->timer);
    hf_web_free(listeners->metrics);
    hf_web_free(listeners->health);
    hf_server_free(listeners->ingest);
    hf_server_free(listeners->socket);
    free(listeners);
}
