/* loop/server_core.h - what the two files of the local server share. Nobody else includes it: this is where lws shows. */
#pragma once

#include <libwebsockets.h>

#include "loop/core.h"
#include "loop/server.h"

struct hf_server {
    struct hf_guest guest;
    struct hf_loop *loop;
    struct lws_context *context;
    struct lws_vhost *vhost;
    uv_poll_t *listener; /* frees itself */
    int listen_fd;
    uint16_t port;
    unsigned n_connections;
    size_t bodies_bytes;            /* of the long bodies that are arriving */
    bool closed;                    /* handlers are not called any more */
    struct hf_server_route *routes; /* paths and methods are copies */
    size_t n_routes;
};

/* What lws calls for each connection (server_lws.c); an entry without a callback ends it. */
extern const struct lws_protocols hf_server_protocols[];
