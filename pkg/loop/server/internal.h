/* SPDX-License-Identifier: Apache-2.0 */
/* loop/server/internal.h - internal: the structures that the files of this folder share. Only these files include this
 * header, because the header uses types of libwebsockets (lws). Threads: loop thread only. */
#pragma once

#include <libwebsockets.h>

#include "loop/core.h"
#include "loop/server/server.h"
#include "os/socket/unix_socket.h"

/* Maximum length of the table in which lws has an entry for each descriptor number. The kernel assigns the lowest free
 * number, so the length includes 896 numbers for the other files of the process. */
enum { HF_SERVER_DESCRIPTORS = HF_SERVER_MAX_CONNECTIONS + 896 };

/* The data that all servers of a loop share, with the one lws context. The first server makes this data, and the loop
 * frees it. */
struct hf_server_host {
    struct hf_loop_guest guest;
    struct hf_loop *loop;
    struct lws_context *context;
    struct lws_vhost *vhost; /* the one vhost of `context` */
    struct hf_list servers;
    /* length of the table of lws; the servers turn away a connection if the number of its descriptor is not below this
     * length */
    int descriptors;
    struct hf_peer_lookup peer_lookup;
    struct hf_server_connection *adopting; /* connection that lws is taking over now; NULL outside of that call */
    unsigned reserved; /* number of connections that servers have reserved, out of HF_SERVER_MAX_CONNECTIONS */
};

/* One connection of a server. `wsi` is NULL until lws has made its part of the connection. connections.c frees the
 * struct when lws has destroyed its own part of the connection (WSI_DESTROY), or at once if lws cannot take the
 * connection over. */
struct hf_server_connection {
    struct hf_server *server;
    struct lws *wsi;
    struct hf_peer peer;
    uint64_t since_ns; /* uv_hrtime() when the server accepted the connection */
    bool answering;    /* the server has received the whole request and has not answered it yet */
};

struct hf_server {
    struct hf_list link; /* entry in host->servers */
    struct hf_server_host *host;
    struct hf_loop *loop;
    uv_poll_t *listener; /* poll handle of the listening socket; its close callback frees the handle */
    /* The server starts this timer when it would have to close an old connection for a new one, but the old connection
     * is still too young. While the timer runs, the server accepts no connections. The close callback of the timer
     * frees the timer. */
    uv_timer_t *pause;
    int held_fd; /* accepted connection that waits for a place while `pause` runs (-1 means none) */
    struct hf_peer held_peer;
    int listen_fd;
    struct hf_peer_ends ends; /* the addresses that all connections of this server share */
    /* spare descriptor, which the server closes to accept a connection when the process has no other descriptor left
     * (-1 means none) */
    int spare_fd;
    uint16_t port;
    char address[64];           /* address on which the server listens; "" for a Unix socket */
    struct hf_unix_socket name; /* name of the Unix socket, if the server listens on one */
    const char *const *allowed_hosts;
    void (*refused)(void *arg, enum hf_server_refusal why); /* may be NULL */
    void *refused_arg;
    struct hf_server_limits limits;
    struct hf_server_connection **connections; /* array of limits.max_connections, the oldest first */
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

/* Accepts the waiting connections. This function is the callback of the poll handle of a listening socket; poll->data
 * is the server. */
void hf_server_connections_accept(uv_poll_t *poll, int status, int events);

/* Callback of the timer server->pause. Tries again to accept the connection that waits in held_fd, and then accepts
 * other connections again. If the connection to close is still too young, starts the timer again instead. */
void hf_server_connections_go_on(uv_timer_t *timer);

/* Call this function when lws has destroyed the connection. Frees *connection. */
void hf_server_connections_destroyed(struct hf_server_connection *connection);

/* Call this function when lws has made its part of a connection (WSI_CREATE). From then on, lws destroys the
 * connection. */
void hf_server_connections_created(struct hf_server_host *host, struct lws *wsi);

/* Reports to params.refused that the server turned a client away, or closed a connection for a new one. */
void hf_server_connections_refused(const struct hf_server *server, enum hf_server_refusal why);

/* Opens the spare descriptor if the server is open and has none. */
void hf_server_connections_take_spare(struct hf_server *server);

/* ---- context.c --------------------------------------------------------------------------------------------------- */

/* Fills host->context and host->vhost. -ENOSYS: libwebsockets does not start. */
HF_MUST_USE int hf_server_context_create(struct hf_server_host *host, struct hf_err *err);
