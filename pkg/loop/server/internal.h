/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to this folder, with types of libwebsockets (lws). */
#pragma once

#include <libwebsockets.h>

#include "loop/core.h"
#include "loop/server/server.h"
#include "os/socket/unix_socket.h"

/* Of all servers of a loop, with one lws context; the loop frees it. */
struct hf_server_host {
    struct hf_loop_guest guest;
    struct hf_loop *loop;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct hf_list servers;
    int descriptors; /* length of lws's table: connections beyond are turned away */
    struct hf_peer_lookup peer_lookup;
    struct hf_server_connection *adopting;
    unsigned reserved; /* of HF_SERVER_MAX_CONNECTIONS */
};

/* connections.c frees it at WSI_DESTROY, or at once if lws cannot take it. */
struct hf_server_connection {
    struct hf_server *server;
    struct lws *wsi;
    struct hf_peer peer;
    uint64_t since_ns;
    bool answering;              /* has a complete request without answer; or a viewer */
    struct hf_server_feed *feed; /* joined, as a websocket; or NULL */
    struct hf_list viewing;      /* link in the feed */
    uint64_t seen;               /* version of the text that it has */
    uint64_t heard;              /* bytes received before the last text; 0: none since it joined */
    bool unwanted;               /* the feed closes it */
};

struct hf_server {
    struct hf_list link;
    struct hf_server_host *host;
    struct hf_loop *loop;
    uv_poll_t *listener; /* freed by its close callback, as `pause` */
    /* A full server waits to close a young connection, and accepts nothing. */
    uv_timer_t *pause;
    int held_fd; /* newcomer during `pause`; or -1 */
    struct hf_peer held_peer;
    int listen_fd;
    struct hf_peer_ends ends;
    int spare_fd; /* closed to accept when the process has no other; or -1 */
    uint16_t port;
    char address[64]; /* "": Unix socket */
    struct hf_unix_socket name;
    const char *const *allowed_hosts;
    void (*refused)(void *arg, enum hf_server_refusal why);
    void *refused_arg;
    struct hf_server_limits limits;
    struct hf_server_connection **connections; /* oldest first */
    unsigned n_connections;
    size_t bodies_bytes;            /* of long bodies that arrive */
    bool closed;                    /* calls no handler */
    struct hf_server_route *routes; /* paths and methods copied */
    size_t n_routes;
};

/* ---- exchange.c ---- */

extern const struct lws_protocols hf_server_exchange_protocols[];

/* ---- connections.c ---- */

/* poll->data: the server. */
void hf_server_connections_accept(uv_poll_t *poll, int status, int events);

/* Accepts held_fd, if a connection may be closed for it, then others. */
void hf_server_connections_go_on(uv_timer_t *timer);

void hf_server_connections_destroyed(struct hf_server_connection *connection);

/* At WSI_CREATE: from now on lws destroys the connection. */
void hf_server_connections_created(struct hf_server_host *host, struct lws *wsi);

void hf_server_connections_refused(const struct hf_server *server, enum hf_server_refusal why);

void hf_server_connections_take_spare(struct hf_server *server);

/* ---- feed.c ---- */

bool hf_server_feed_is_full(const struct hf_server_feed *feed);
/* Before the upgrade. False: full, or not admitted. */
bool hf_server_feed_join(struct hf_server_feed *feed, struct hf_server_connection *connection, const char *protocols);
/* Does nothing for others than viewers. */
void hf_server_feed_leave(struct hf_server_connection *connection);
/* When writable. -1: close the connection. */
int hf_server_feed_write(struct hf_server_connection *connection);

/* ---- context.c ---- */

/* -ENOSYS: libwebsockets does not start. */
HF_MUST_USE int hf_server_context_create(struct hf_server_host *host, struct hf_err *err);
