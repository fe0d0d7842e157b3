/* SPDX-License-Identifier: Apache-2.0 */
/* The local HTTP servers: libwebsockets as a guest on the uv loop.
 *
 * We listen and accept ourselves (uv), and give each connection to lws: a port in use is then a clear error, and one
 * connection too many closes at once, or replaces the oldest.
 *
 * One lws context with one virtual host serves all servers of a loop. Each connection carries its server as lws'
 * opaque user data. A virtual host could not identify it: lws moves a connection to the one that the request's Host
 * header names, and without a match to the first. The context has room for HF_SERVER_MAX_CONNECTIONS; each server
 * reserves its part, so that no server can take another's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/server/internal.h"
#include "loop/server/listener.h"
#include "os/fd.h"

/* waiting connections; the kernel lowers it to net.core.somaxconn, usually 4096 */
enum { BACKLOG = 4096 };

/* ---- listening --------------------------------------------------------------------------------------------------- */

static int open_address(struct hf_server *server, const char *address, uint16_t port, struct hf_err *err)
{
    server->listen_fd = hf_listener_open(address, port, BACKLOG, &server->port, err);
    (void)snprintf(server->address, sizeof(server->address), "%s", address);
    return HF_MIN(server->listen_fd, 0);
}

static int open_name(struct hf_server *server, const struct hf_server_name *name, struct hf_err *err)
{
    const struct hf_unix_socket_params params = {
        .path = name->path, .type = SOCK_STREAM, .mode = name->mode, .gid = name->gid, .backlog = BACKLOG};

    return hf_unix_socket_listen(&params, &server->listen_fd, &server->name, err);
}

static void free_listener(uv_handle_t *handle)
{
    free(handle);
}

static int watch_listener(struct hf_server *server, struct hf_err *err)
{
    server->listener = calloc(1, sizeof(*server->listener));
    if (server->listener == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for the local server");
    int r = uv_poll_init(&server->loop->uv, server->listener, server->listen_fd);
    if (r < 0) {
        free(hf_steal(server->listener));
        return hf_err_sys(err, hf_loop_errno(r), "watch the local server");
    }
    server->pause = calloc(1, sizeof(*server->pause));
    if (server->pause == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for the local server");
    (void)uv_timer_init(&server->loop->uv, server->pause);
    server->pause->data = server;
    server->listener->data = server;
    (void)uv_poll_start(server->listener, UV_READABLE, hf_server_connections_accept);
    return 0;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static int copy_routes(struct hf_server *server, const struct hf_server_route *routes, size_t n_routes)
{
    server->routes = calloc(n_routes > 0 ? n_routes : 1, sizeof(*routes));
    if (server->routes == NULL)
        return -ENOMEM;
    for (; server->n_routes < n_routes; server->n_routes++) {
        struct hf_server_route *route = &server->routes[server->n_routes];
        *route = routes[server->n_routes];
        route->path = strdup(route->path);
        route->method = strdup(route->method);
        if (route->path == NULL || route->method == NULL) {
            server->n_routes++;
            return -ENOMEM;
        }
    }
    return 0;
}

static void free_text(const char *text)
{
    free((void *)(uintptr_t)text);
}

static void stop_listening(struct hf_server *server)
{
    if (server->listener != NULL) {
        (void)uv_poll_stop(server->listener);
        uv_close((uv_handle_t *)server->listener, free_listener);
        server->listener = NULL;
    }
    if (server->pause != NULL) {
        (void)uv_timer_stop(server->pause);
        uv_close((uv_handle_t *)server->pause, free_listener);
        server->pause = NULL;
    }
    hf_closep(&server->held_fd);
    hf_unix_socket_remove(&server->name);
    hf_closep(&server->listen_fd);
    hf_closep(&server->spare_fd);
}

/* Frees the server; no connection may call back any more. */
static void server_done(struct hf_server *server)
{
    stop_listening(server);
    for (size_t i = 0; i < server->n_routes; i++) {
        free_text(server->routes[i].path);
        free_text(server->routes[i].method);
    }
    free(server->routes);
    free(server->connections);
    free(server);
}

static void host_free(struct hf_loop_guest *guest)
{
    struct hf_server_host *host = hf_container_of(guest, struct hf_server_host, guest);
    struct hf_list *it, *next;

    /* On a foreign loop lws 4.1 ends in two steps: the second frees, after the loop has closed its handles. */
    if (host->context != NULL)
        lws_context_destroy(host->context);
    hf_list_each(it, next, &host->servers)
        server_done(hf_container_of(it, struct hf_server, link));
    hf_peer_lookup_close(&host->peer_lookup);
    free(host);
}

/* The loop ends: lws closes its connections while uv runs down, and calls back for each. */
static void host_end(struct hf_loop_guest *guest)
{
    struct hf_server_host *host = hf_container_of(guest, struct hf_server_host, guest);
    struct hf_list *it, *next;

    host->loop->server_host = NULL;
    hf_list_each(it, next, &host->servers)
        hf_server_free(hf_container_of(it, struct hf_server, link));
    if (host->context != NULL)
        lws_context_destroy(host->context);
    hf_loop_guest_end_last(host->loop, guest, host_free);
}

static int find_host(struct hf_loop *loop, struct hf_server_host **ret_host, struct hf_err *err)
{
    struct hf_server_host *host = loop->server_host;

    if (host == NULL) {
        host = calloc(1, sizeof(*host));
        if (host == NULL)
            return hf_err_set(err, ENOMEM, "not enough memory for the local server");
        host->loop = loop;
        hf_peer_lookup_open(&host->peer_lookup);
        hf_list_init(&host->servers);
        hf_loop_guest_add(loop, &host->guest, host_end);
        loop->server_host = host;
    }
    *ret_host = host;
    return host->context != NULL ? 0 : hf_server_context_create(host, err);
}

/* Fills the defaults of `wanted`. -EMFILE: other servers of this loop have reserved the connections. */
static int reserve(const struct hf_server_host *host, const struct hf_server_limits *wanted,
                   struct hf_server_limits *ret_limits, struct hf_err *err)
{
    unsigned left = HF_SERVER_MAX_CONNECTIONS - host->reserved;

    *ret_limits = *wanted;
    if (wanted->max_connections == 0)
        ret_limits->max_connections = left;
    if (wanted->idle_s == 0)
        ret_limits->idle_s = HF_SERVER_IDLE_S;
    return left > 0 && ret_limits->max_connections <= left
               ? 0
               : hf_err_set(err, EMFILE, "%u connections exceed the limit of all servers together",
                            wanted->max_connections);
}

static int server_open(struct hf_server *server, const struct hf_server_params *params, struct hf_err *err)
{
    int r = params->name != NULL ? open_name(server, params->name, err)
                                 : open_address(server, params->address, params->port, err);

    if (r == 0)
        r = find_host(server->loop, &server->host, err);
    if (r == 0)
        r = reserve(server->host, &params->limits, &server->limits, err);
    if (r < 0)
        return r;
    hf_peer_ends_of_listener(server->listen_fd, &server->ends);
    server->allowed_hosts = params->allowed_hosts;
    server->refused = params->refused;
    server->refused_arg = params->refused_arg;
    server->connections = calloc(server->limits.max_connections, sizeof(server->connections[0]));
    return server->connections != NULL && copy_routes(server, params->routes, params->n_routes) == 0
               ? watch_listener(server, err)
               : hf_err_set(err, ENOMEM, "not enough memory for the local server");
}

int hf_server_new(struct hf_loop *loop, const struct hf_server_params *params, struct hf_server **ret_server,
                  struct hf_err *err)
{
    struct hf_server *server = calloc(1, sizeof(*server));

    if (server == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for the local server");
    server->loop = loop;
    server->listen_fd = server->spare_fd = server->held_fd = -1;
    int r = server_open(server, params, err);
    if (r < 0) {
        server_done(server);
        return r;
    }
    hf_server_connections_take_spare(server);
    server->host->reserved += server->limits.max_connections;
    hf_list_append(&server->host->servers, &server->link);
    *ret_server = server;
    return 0;
}

uint16_t hf_server_port(const struct hf_server *server)
{
    return server->port;
}

void hf_server_free(struct hf_server *server)
{
    if (server == NULL || server->closed)
        return;
    server->closed = true;
    stop_listening(server);
    if (server->n_connections == 0)
        server->host->reserved -= server->limits.max_connections; /* it accepts no more */
}
