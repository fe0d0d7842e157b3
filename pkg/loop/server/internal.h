/* loop/server_core.h - what the two files of the local server share. Nobody else includes it: this is where lws shows. */
#pragma once

#include <libwebsockets.h>

#include "loop/core.h"
#include "loop/server/server.h"

/* One lws context for each loop, whatever the number of servers: made with the first, ended with the loop. */
struct hf_server_host {
    struct hf_loop_guest guest;
    struct hf_loop *loop;
    struct lws_context *context;
    struct lws_vhost *vhost; /* the context's */
    struct hf_list servers;
    unsigned reserved; /* connections promised to servers, of HF_SERVER_MAX_CONNECTIONS */
};

struct hf_server {
    struct hf_list link; /* host->servers */
    struct hf_server_host *host;
    struct hf_loop *loop;
    uv_poll_t *listener; /* frees itself */
    int listen_fd;
    int spare_fd; /* given up to accept a connection when the process has no descriptor left; -1: it is given up */
    uint16_t port;
    struct hf_server_limits limits;
    struct lws **connections; /* limits.max_connections of room, the oldest first */
    unsigned n_connections;
    size_t bodies_bytes;            /* of the long bodies that are arriving */
    bool closed;                    /* handlers are not called any more */
    struct hf_server_route *routes; /* paths and methods are copies */
    size_t n_routes;
};

/* ---- exchange.c ---- */

/* The callback of lws for each connection; an entry without a callback ends the array. */
extern const struct lws_protocols hf_server_exchange_protocols[];

/* ---- connections.c ---- */

/* Callback of the poll handle of a listening socket (its data is the server): accepts the connections that wait. */
void hf_server_connections_accept(uv_poll_t *poll, int status, int events);

/* lws has destroyed this connection. A connection that the server no longer counts is fine. */
void hf_server_connections_forget(struct hf_server *server, const struct lws *wsi);

/* Opens the spare descriptor if the server is open and has none. */
void hf_server_connections_take_spare(struct hf_server *server);

/* ---- context.c ---- */

/* Fills host->context and host->vhost. -ENOSYS: libwebsockets does not start. */
HF_MUST_USE int hf_server_context_create(struct hf_server_host *host, struct hf_err *err);
