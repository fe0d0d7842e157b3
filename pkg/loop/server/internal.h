/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to this folder, with types of libwebsockets (lws). */
#pragma once

#include <libwebsockets.h>

#include "loop/core.h"
#include "loop/server/server.h"
#include "os/socket/unix_socket.h"

/* Shared by all servers of a loop, which frees it. */
struct hf_server_host {
    struct hf_loop_guest guest;
    struct hf_loop *loop;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct hf_list servers;
    int descriptors;
    struct hf_peer_lookup peer_lookup;
    struct hf_server_connection *adopting;
    unsigned reserved; /* connections reserved of HF_SERVER_MAX_CONNECTIONS */
};

/* connections.c frees a connection at WSI_DESTROY, or at once if lws cannot take it. */
struct hf_server_connection {
    struct hf_server *server;
    struct lws *wsi;
    struct hf_peer peer;
    uint64_t since_ns;
    bool answering;              /* its complete request has no answer yet; or it is a viewer */
    struct hf_server_feed *feed; /* joined as a websocket; or NULL */
    struct hf_list viewing;
    uint64_t seen; /* version of the text that the viewer has */
    uint64_t heard;
    bool unwanted; /* the feed wants it closed */
};

struct hf_server {
    struct hf_list link;
    struct hf_server_host *host;
    struct hf_loop *loop;
    uv_poll_t *listener;
    /* Runs while a full server waits to close a young connection, and accepts nothing. */
    uv_timer_t *pause;
    int held_fd; /* the newcomer that waits for `pause`; or -1 */
    struct hf_peer held_peer;
    int listen_fd;
    struct hf_peer_ends ends;
    int spare_fd; /* closed when the process has no other, in order to accept; or -1 */
    uint16_t port;
    char address[64]; /* "": Unix socket */
    struct hf_unix_socket name;
    const char *const *allowed_hosts;
    void (*refused)(void *arg, enum hf_server_refusal why);
    void *refused_arg;
    struct hf_server_limits limits;
    struct hf_server_connection **connections; /* oldest first */
    unsigned n_connections;
    size_t bodies_bytes; /* bytes of long bodies that are arriving */
    bool closed;
    struct hf_server_route *routes;
    size_t n_routes;
};

/* ---- exchange.c ---- */

extern const struct lws_protocols hf_server_exchange_protocols[];

/* ---- connections.c ---- */

/* poll->data is the server. */
void hf_server_connections_accept(uv_poll_t *poll, int status, int events);

void hf_server_connections_go_on(uv_timer_t *timer);

void hf_server_connections_destroyed(struct hf_server_connection *connection);

/* Call at WSI_CREATE: from now on lws destroys the connection. */
void hf_server_connections_created(struct hf_server_host *host, struct lws *wsi);

void hf_server_connections_refused(const struct hf_server *server, enum hf_server_refusal why);

void hf_server_connections_take_spare(struct hf_server *server);

/* ---- feed.c ---- */

bool hf_server_feed_is_full(const struct hf_server_feed *feed);
/* Call before the upgrade. Returns false if the feed is full or does not admit the peer. */
bool hf_server_feed_join(struct hf_server_feed *feed, struct hf_server_connection *connection, const char *protocols);
void hf_server_feed_leave(struct hf_server_connection *connection);
/* Call when writable. Returns -1 to close the connection. */
int hf_server_feed_write(struct hf_server_connection *connection);

/* ---- context.c ---- */

/* -ENOSYS: libwebsockets does not start. */
HF_MUST_USE int hf_server_context_create(struct hf_server_host *host, struct hf_err *err);
