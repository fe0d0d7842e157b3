/* SPDX-License-Identifier: Apache-2.0 */
/* Small local HTTP servers (libwebsockets).
 *
 * Made once: libwebsockets frees their memory only with the loop. Each reserves its connections. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "loop/loop.h"
#include "os/socket/peer.h"

struct hf_server;
struct hf_server_feed;

struct hf_server_request {
    struct hf_view method;
    struct hf_view path;  /* without query */
    struct hf_view query; /* after '?', no parameters beyond 2 KiB */
    struct hf_view content_type;
    struct hf_view content_encoding; /* "gzip", "zstd", or empty */
    struct hf_view body;
    const struct hf_peer *peer;
    struct lws *lws; /* for hf_server_header() */
};

/* Copies the value of `name` (lower case, with ':'), or "", to `text` of `n` bytes. Returns false if it is longer. */
HF_MUST_USE bool hf_server_header(const struct hf_server_request *request, const char *name, char *text, size_t n);

/* Default: 200 and "text/plain; charset=utf-8". */
struct hf_server_reply {
    int status;
    const char *content_type;
    const char *extra_headers[4]; /* "Name: value" */
    struct hf_buf body;           /* at most 4 MiB */
};

/* Ends with hf_server_answer(). */
struct hf_server_exchange;

struct hf_server_route {
    const char *path;
    const char *method;
    size_t max_body; /* bytes; above: 413 */
    /* Either one. `handle` fills *reply at once. Each `start` needs exactly one hf_server_answer(), inside or later,
     * even if the peer is gone. `request` is valid until the callback returns. */
    void (*handle)(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply);
    void (*start)(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange);
    void *arg;
    /* A GET that asks for a websocket joins it (feed.h); `handle` answers others. May be NULL. */
    struct hf_server_feed *feed;
};

enum {
    /* For all servers: 512 TCP and 128 Unix connections of senders, and 512 others. */
    HF_SERVER_MAX_CONNECTIONS = 1152,
    HF_SERVER_MAX_HEADER_BYTES = 8192,
    HF_SERVER_IDLE_S = 30,
    HF_SERVER_BODY_S = 120,          /* for a body to arrive */
    HF_SERVER_ANSWER_S = 300,        /* for an answer; then the connection is closed */
    HF_SERVER_SMALL_BODY = 16 << 10, /* smaller bodies are free */
    /* Bytes of one server's larger bodies; above: 503 with Retry-After. */
    HF_SERVER_MAX_BODIES_BYTES = 8 << 20,
};

struct hf_server_limits {
    unsigned max_connections; /* to reserve; 0: all that are free */
    unsigned idle_s;          /* until the first request's head, and between requests; 0: HF_SERVER_IDLE_S */
    /* When full, always close an old connection (`replace` in seats.h), once it is 50 ms old: for servers that answer
     * at once, whose oldest client is idle or slow. */
    bool replace_oldest;
};

enum hf_server_refusal {
    HF_SERVER_REFUSED_HOST,   /* Host of another machine */
    HF_SERVER_REFUSED_ORIGIN, /* Origin of a page that is not allowed */
    HF_SERVER_REFUSED_FULL,   /* no place */
    HF_SERVER_REFUSED_SHARE,  /* an old connection closed for a new one */
    HF_SERVER_REFUSALS
};
const char *hf_server_refusal_name(enum hf_server_refusal refusal);

/* A Unix socket (os/socket/unix_socket.h). */
struct hf_server_name {
    const char *path;
    mode_t mode;
    gid_t gid; /* (gid_t)-1: the process's */
};

struct hf_server_params {
    const char *address;               /* numeric; copied */
    uint16_t port;                     /* 0: any free one, hf_server_port() */
    const struct hf_server_name *name; /* instead of address and port; or NULL */
    /* More names for Host, and hosts of pages that may send requests (guard.h). May be NULL; must outlive the
     * server. */
    const char *const *allowed_hosts;
    const struct hf_server_route *routes; /* copied, except what `arg` points to */
    size_t n_routes;
    struct hf_server_limits limits;
    void (*refused)(void *arg, enum hf_server_refusal why); /* may be NULL */
    void *refused_arg;
};

/* -EADDRINUSE; -EADDRNOTAVAIL; -EACCES; -EINVAL: not a numeric address; -EMFILE: not enough connections or descriptors
 * free; -ENOMEM; -ENOSYS: libwebsockets does not start; those of hf_unix_socket_listen().
 *
 * Answers by itself, as JSON {"error": ...}: 404 for an unknown path, 405 for another method, 400 for a request of
 * HTTP/1.1 without a Host, 403 for guard.h, which checks Host only over loopback. */
HF_MUST_USE int hf_server_new(struct hf_loop *loop, const struct hf_server_params *params,
                              struct hf_server **ret_server, struct hf_err *err);
/* Copies all. Sends nothing if the peer is gone or the server closed; closes the connection for a body above 4 MiB, or
 * without memory. `extra_headers`: at most 4; or NULL. */
void hf_server_answer(struct hf_server_exchange *exchange, int status, const char *content_type,
                      const char *const *extra_headers, struct hf_view body);

/* 0: Unix socket. */
uint16_t hf_server_port(const struct hf_server *server);

/* Calls no handler any more. Before hf_loop_free(), which frees the memory. */
void hf_server_free(struct hf_server *server);
