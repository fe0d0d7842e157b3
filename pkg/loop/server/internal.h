/* loop/server/internal.h - internal: the structures that the files of this folder share. Only these files include this
 * header, because the header uses types of libwebsockets (lws). Threads: loop thread only. */
#pragma once

#include <libwebsockets.h>

#include "loop/core.h"
#include "loop/server/server.h"

/* The part that all servers of a loop share, which has one lws context. The first server makes this part, and the loop
 * ends it. */
struct hf_server_host {
    struct hf_loop_guest guest;
    struct hf_loop *loop;
    struct lws_context *context;
    struct lws_vhost *vhost; /* the one vhost of `context` */
    struct hf_list servers;
    unsigned reserved; /* number of connections that servers have reserved, out of HF_SERVER_MAX_CONNECTIONS */
};

struct hf_server {
    struct hf_list link; /* entry in host->servers */
    struct hf_server_host *host;
    struct hf_loop *loop;
    uv_poll_t *listener; /* poll handle of the listening socket; after the close, its close callback frees it */
    int listen_fd;
    /* spare descriptor, which the server closes to accept a connection when the process has no other descriptor left
     * (-1 means none) */
    int spare_fd;
    uint16_t port;
    struct hf_server_limits limits;
    struct lws **connections; /* array of limits.max_connections connections, the oldest first */
    unsigned n_connections;
    size_t bodies_bytes;            /* number of received bytes of the long bodies that are still arriving */
    bool closed;                    /* true if the server is closed and calls no handler any more */
    struct hf_server_route *routes; /* the server's routes, with its own copies of paths and methods */
    size_t n_routes;
};

/* ---- exchange.c -------------------------------------------------------------------------------------------------- */

/* The callback of lws for each connection; an entry without a callback ends the array. */
extern const struct lws_protocols hf_server_exchange_protocols[];

/* ---- connections.c ----------------------------------------------------------------------------------------------- */

/* Accepts the connections that wait. This is the callback of the poll handle of a listening socket; poll->data is the
 * server. */
void hf_server_connections_accept(uv_poll_t *poll, int status, int events);

/* Call when lws has destroyed this connection. Does nothing if the server no longer counts the connection. */
void hf_server_connections_forget(struct hf_server *server, const struct lws *wsi);

/* Opens the spare descriptor if the server is open and has none. */
void hf_server_connections_take_spare(struct hf_server *server);

/* ---- context.c --------------------------------------------------------------------------------------------------- */

/* Fills host->context and host->vhost. -ENOSYS: libwebsockets does not start. */
HF_MUST_USE int hf_server_context_create(struct hf_server_host *host, struct hf_err *err);
