/* SPDX-License-Identifier: Apache-2.0 */
/* Small local HTTP servers (libwebsockets). Make each once: only the loop's end frees its memory. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "loop/loop.h"
#include "os/socket/peer.h"

struct hf_server;
struct hf_server_feed;

struct hf_server_request {
    struct hf_view method;
    struct hf_view path;  /* without the query */
    struct hf_view query; /* after '?', cut at 2 KiB */
    struct hf_view content_type;
    struct hf_view content_encoding; /* such as "gzip"; or empty */
    struct hf_view body;
    const struct hf_peer *peer;
    struct lws *lws;
};

/* Copies the value of header `name`, given in lower case with ':'; "" if absent. Returns false if it does not fit. */
HF_MUST_USE bool hf_server_header(const struct hf_server_request *request, const char *name, char *text, size_t n);

/* By default 200 and "text/plain; charset=utf-8". */
struct hf_server_reply {
    int status;
    const char *content_type;
    const char *extra_headers[4]; /* "Name: value" */
    struct hf_buf body;           /* 4 MiB at most */
};

/* One request, until hf_server_answer(). */
struct hf_server_exchange;

struct hf_server_route {
    const char *path;
    const char *method;
    size_t max_body; /* bytes; a longer body gets 413 */
    /* Set one of these. `handle` fills *reply at once. `start` needs one hf_server_answer(), inside or later, even if
     * the peer is gone. `request` is valid during the callback. */
    void (*handle)(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply);
    void (*start)(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange);
    void *arg;
    /* A GET that asks for a websocket joins this feed (feed.h); `handle` answers others, unless the feed is full. May
     * be NULL. */
    struct hf_server_feed *feed;
};

enum {
    /* connections of all servers together */
    HF_SERVER_MAX_CONNECTIONS = 1152,
    HF_SERVER_MAX_HEADER_BYTES = 8192,
    HF_SERVER_IDLE_S = 30,
    HF_SERVER_BODY_S = 120,          /* seconds for a body to arrive */
    HF_SERVER_ANSWER_S = 300,        /* seconds for an answer, then the connection is closed */
    HF_SERVER_SMALL_BODY = 16 << 10, /* bytes; a body up to this does not count below */
    /* bytes of a server's larger bodies together; a further one gets 503 with Retry-After */
    HF_SERVER_MAX_BODIES_BYTES = 8 << 20,
};

struct hf_server_limits {
    unsigned max_connections; /* that the server reserves; 0: all free ones */
    unsigned idle_s;          /* seconds for a request's head; 0: HF_SERVER_IDLE_S */
    /* A full server closes an old connection (`replace` in seats.h), mostly at least 50 ms old: for servers that answer
     * at once. */
    bool replace_oldest;
};

enum hf_server_refusal {
    HF_SERVER_REFUSED_HOST,   /* Host names another machine */
    HF_SERVER_REFUSED_ORIGIN, /* Origin is not allowed */
    HF_SERVER_REFUSED_FULL,   /* no place is free */
    HF_SERVER_REFUSED_SHARE,  /* closed to make room for a new one */
    HF_SERVER_REFUSALS
};
const char *hf_server_refusal_name(enum hf_server_refusal refusal);

struct hf_server_name {
    const char *path;
    mode_t mode;
    gid_t gid; /* (gid_t)-1: the process's */
};

struct hf_server_params {
    const char *address;               /* numeric; copied */
    uint16_t port;                     /* 0: any */
    const struct hf_server_name *name; /* instead of both; or NULL */
    /* Further Host names, and hosts of pages that may send requests (guard.h). Must outlive the server; may be NULL. */
    const char *const *allowed_hosts;
    const struct hf_server_route *routes; /* copied, except what `arg` points to */
    size_t n_routes;
    struct hf_server_limits limits;
    void (*refused)(void *arg, enum hf_server_refusal why); /* may be NULL */
    void *refused_arg;
};

/* -EADDRINUSE; -EADDRNOTAVAIL; -EACCES; -EINVAL: address not numeric; -EMFILE: too few connections or descriptors free;
 * -ENOSYS: libwebsockets does not start; others of hf_unix_socket_listen().
 *
 * The server itself answers, as JSON {"error": ...}, 404 (unknown path), 405 (method), 400 (bad head) and
 * 403 (by guard.h; Host is checked over loopback only). */
HF_MUST_USE int hf_server_new(struct hf_loop *loop, const struct hf_server_params *params,
                              struct hf_server **ret_server, struct hf_err *err);
/* Copies its arguments. Sends nothing if peer or server is gone. A body above 4 MiB, or no memory, closes the
 * connection. `extra_headers`: 4 at most; or NULL. */
void hf_server_answer(struct hf_server_exchange *exchange, int status, const char *content_type,
                      const char *const *extra_headers, struct hf_view body);

/* 0 for a Unix socket. */
uint16_t hf_server_port(const struct hf_server *server);

/* No handler is called any more. Call before hf_loop_free(). */
void hf_server_free(struct hf_server *server);
