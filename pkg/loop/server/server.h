/* SPDX-License-Identifier: Apache-2.0 */
/* Small local HTTP servers (libwebsockets), made once: only the loop's end frees their memory. Each reserves
 * connections. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "loop/loop.h"
#include "os/socket/peer.h"

struct hf_server;
struct hf_server_feed;

struct hf_server_request {
    struct hf_view method;
    struct hf_view path;  /* no query */
    struct hf_view query; /* after '?'; cut at 2 KiB */
    struct hf_view content_type;
    struct hf_view content_encoding; /* "gzip", "zstd", or empty */
    struct hf_view body;
    const struct hf_peer *peer;
    struct lws *lws; /* for hf_server_header() */
};

/* Copies the value of `name`, given in lower case with ':', or "". False: does not fit. */
HF_MUST_USE bool hf_server_header(const struct hf_server_request *request, const char *name, char *text, size_t n);

/* 200 and "text/plain; charset=utf-8" by default. */
struct hf_server_reply {
    int status;
    const char *content_type;
    const char *extra_headers[4]; /* "Name: value" */
    struct hf_buf body;           /* 4 MiB at most */
};

/* hf_server_answer() ends it. */
struct hf_server_exchange;

struct hf_server_route {
    const char *path;
    const char *method;
    size_t max_body; /* above: 413 */
    /* Set one of these. `handle` fills *reply at once. `start` needs one hf_server_answer(), inside or later, even if
     * the peer is gone. `request`: during the callback. */
    void (*handle)(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply);
    void (*start)(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange);
    void *arg;
    /* A GET that asks for a websocket joins it (feed.h); `handle` answers others. May be NULL. */
    struct hf_server_feed *feed;
};

enum {
    /* Of all servers: 512 TCP and 128 Unix connections of senders, and 512 others. */
    HF_SERVER_MAX_CONNECTIONS = 1152,
    HF_SERVER_MAX_HEADER_BYTES = 8192,
    HF_SERVER_IDLE_S = 30,
    HF_SERVER_BODY_S = 120,          /* to arrive */
    HF_SERVER_ANSWER_S = 300,        /* then the connection is closed */
    HF_SERVER_SMALL_BODY = 16 << 10, /* up to this a body does not count */
    /* A server's larger bodies together; above: 503 with Retry-After. */
    HF_SERVER_MAX_BODIES_BYTES = 8 << 20,
};

struct hf_server_limits {
    unsigned max_connections; /* to reserve; 0: all free ones */
    unsigned idle_s;          /* to a request's head; 0: HF_SERVER_IDLE_S */
    /* When full, always close an old connection (`replace` in seats.h), 50 ms old at least: for servers that answer at
     * once. */
    bool replace_oldest;
};

enum hf_server_refusal {
    HF_SERVER_REFUSED_HOST,   /* Host names another machine */
    HF_SERVER_REFUSED_ORIGIN, /* Origin is not allowed */
    HF_SERVER_REFUSED_FULL,   /* no place */
    HF_SERVER_REFUSED_SHARE,  /* closed for a new one */
    HF_SERVER_REFUSALS
};
const char *hf_server_refusal_name(enum hf_server_refusal refusal);

/* A Unix socket (os/socket/unix_socket.h). */
struct hf_server_name {
    const char *path;
    mode_t mode;
    gid_t gid; /* (gid_t)-1: process's */
};

struct hf_server_params {
    const char *address;               /* numeric; copied */
    uint16_t port;                     /* 0: any */
    const struct hf_server_name *name; /* in place of both; or NULL */
    /* More Host names, and hosts of pages that may send requests (guard.h). Must outlive the server; may be NULL. */
    const char *const *allowed_hosts;
    const struct hf_server_route *routes; /* copied, except what `arg` points to */
    size_t n_routes;
    struct hf_server_limits limits;
    void (*refused)(void *arg, enum hf_server_refusal why); /* may be NULL */
    void *refused_arg;
};

/* -EADDRINUSE; -EADDRNOTAVAIL; -EACCES; -EINVAL: address not numeric; -EMFILE: too few connections or descriptors free;
 * -ENOSYS: libwebsockets does not start; hf_unix_socket_listen()'s.
 *
 * Answers by itself, as JSON {"error": ...}: 404: path, 405: method, 400: HTTP/1.1 without Host, 403: guard.h, which
 * checks Host over loopback only. */
HF_MUST_USE int hf_server_new(struct hf_loop *loop, const struct hf_server_params *params,
                              struct hf_server **ret_server, struct hf_err *err);
/* Copies. Nothing is sent if peer or server is gone; a body above 4 MiB, or no memory, closes the connection.
 * `extra_headers`: 4 at most; or NULL. */
void hf_server_answer(struct hf_server_exchange *exchange, int status, const char *content_type,
                      const char *const *extra_headers, struct hf_view body);

/* 0: Unix socket. */
uint16_t hf_server_port(const struct hf_server *server);

/* Calls no handler any more. Call before hf_loop_free(). */
void hf_server_free(struct hf_server *server);
