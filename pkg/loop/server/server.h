/* SPDX-License-Identifier: Apache-2.0 */
/* loop/server/server.h - small local HTTP servers (libwebsockets on the loop).
 *
 * A process makes each of its servers once. The memory of a server stays until the loop ends, because libwebsockets
 * cannot free a context on another library's loop earlier. Each server reserves its connections, so other servers
 * cannot use them. Threads: loop thread only. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "loop/loop.h"
#include "os/socket/peer.h"

struct hf_server;

struct hf_server_request {
    struct hf_view method; /* method of the route, such as "GET", which also answers HEAD */
    struct hf_view path;   /* path of the URL, without query */
    struct hf_view query;  /* text after '?' in the URL, without parameters beyond 2 KiB; may be empty */
    struct hf_view content_type;
    /* header Content-Encoding, such as "gzip" or "zstd"; empty if the body is not compressed */
    struct hf_view content_encoding;
    struct hf_view idempotency_key; /* header Idempotency-Key */
    struct hf_view checksum;        /* header X-Payload-Checksum */
    struct hf_view device_key;      /* header X-Device-Key */
    struct hf_view body;            /* the whole body, at most max_body bytes of the route */
    const struct hf_peer *peer;     /* the process or machine that sent the request */
};

/* The reply of a handler. The defaults are status 200 and "text/plain; charset=utf-8". */
struct hf_server_reply {
    int status;
    const char *content_type;
    const char *extra_headers[4]; /* header lines, each "Name: value"; NULL ends the list */
    /* body of the reply, at most 4 MiB; the server makes this buffer, and the handler fills it */
    struct hf_buf body;
};

/* A request that the handler answers later: hf_server_answer() sends the answer and ends the exchange. */
struct hf_server_exchange;

struct hf_server_route {
    const char *path; /* path of the URLs to which this route applies */
    const char *method;
    size_t max_body; /* maximum length of a body in bytes; a longer body gets 413 */
    /* Set either `handle` or `start`. `handle` must fill *reply before it returns. For each call of `start`, the owner
     * must call hf_server_answer() exactly once, inside `start` or later. The owner must do so even if the peer has
     * disconnected, although the server then sends nothing. `request` is valid only until the callback returns. */
    void (*handle)(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply);
    void (*start)(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange);
    void *arg;
};

enum {
    /* Maximum number of connections of all servers together. It is the sum of 512 TCP connections of senders, 128 Unix
     * socket connections of senders, and 512 connections of other clients. */
    HF_SERVER_MAX_CONNECTIONS = 1152,
    HF_SERVER_MAX_HEADER_BYTES = 8192,
    HF_SERVER_IDLE_S = 30,
    HF_SERVER_BODY_S = 120,          /* limit in seconds for a body to arrive */
    HF_SERVER_ANSWER_S = 300,        /* limit in seconds for an answer; the server then closes the connection */
    HF_SERVER_SMALL_BODY = 16 << 10, /* size in bytes up to which HF_SERVER_MAX_BODIES_BYTES does not count a body */
    /* Limit of received bytes, for each server by itself. A server adds up the bytes of all its bodies that are longer
     * than HF_SERVER_SMALL_BODY. Beyond the limit, requests get 503 with Retry-After. */
    HF_SERVER_MAX_BODIES_BYTES = 8 << 20,
};

struct hf_server_limits {
    /* number of connections to reserve (0 means all connections of HF_SERVER_MAX_CONNECTIONS that no server has
     * reserved) */
    unsigned max_connections;
    /* limit in seconds until the head of the first request is complete, and between two requests (0 means
     * HF_SERVER_IDLE_S) */
    unsigned idle_s;
    /* Selects the rule for a new connection that exceeds max_connections. If true, the server always closes an old
     * connection (the parameter `replace` in seats.h), but waits until the old connection has existed for 50 ms. If
     * false, the server closes an old connection only if another peer has at least two connections more than the peer
     * of the new connection; otherwise it turns the new connection away. Set this field for servers that answer at
     * once, because the oldest connection of such a server belongs to an idle or slow client. */
    bool replace_oldest;
};

/* Why a server turned a client away, or closed its connection. */
enum hf_server_refusal {
    HF_SERVER_REFUSED_HOST,   /* the Host header names another machine */
    HF_SERVER_REFUSED_ORIGIN, /* the Origin header names a web page that is not allowed */
    HF_SERVER_REFUSED_FULL,   /* there was no place for a new connection */
    HF_SERVER_REFUSED_SHARE,  /* the server closed an old connection to accept a new one */
    HF_SERVER_REFUSALS
};
const char *hf_server_refusal_name(enum hf_server_refusal refusal); /* "host", "origin", "full", "share" */

/* The name of a server that listens on a Unix socket (os/socket/unix_socket.h). */
struct hf_server_name {
    const char *path;
    mode_t mode;
    gid_t gid; /* group of the socket; (gid_t)-1 means the group of the process */
};

struct hf_server_params {
    const char *address; /* numeric address to listen on; copied */
    /* port to listen on (0 means any free port; hf_server_port() returns its number) */
    uint16_t port;
    const struct hf_server_name *name; /* Unix socket to listen on instead of address and port; NULL if there is none */
    /* Names of hosts, for two uses (guard.h): a Host header may have these names in addition to the names of loopback,
     * and web pages on these hosts may send requests to this server. NULL ends the list; the list itself may be NULL.
     * The caller must keep the list as long as the server is open. */
    const char *const *allowed_hosts;
    const struct hf_server_route *routes; /* routes, which the server copies; `arg` of a route stays the caller's */
    size_t n_routes;
    struct hf_server_limits limits;
    /* called for each client that the server turns away, and for each connection that it closes to accept a new one;
     * may be NULL */
    void (*refused)(void *arg, enum hf_server_refusal why);
    void *refused_arg;
};

/* Makes a server that listens. -EADDRINUSE: the port is in use; -EADDRNOTAVAIL: this machine does not have the address;
 * -EACCES: no permission to listen there; -EINVAL: `address` is not a numeric address; -EMFILE: fewer than
 * max_connections of HF_SERVER_MAX_CONNECTIONS are free, or the process has no free descriptor; -ENOMEM; -ENOSYS:
 * libwebsockets does not start. For a Unix socket, also the errors of hf_unix_socket_listen(). The server answers 404
 * to a request for an unknown path, 405 to a request with another method than the route's, and 403 to a request that
 * fails the checks of guard.h, each with the JSON {"error": ...}. It checks the Host header only for requests over
 * loopback. A route for GET also answers HEAD. */
HF_MUST_USE int hf_server_new(struct hf_loop *loop, const struct hf_server_params *params,
                              struct hf_server **ret_server, struct hf_err *err);
/* Sends the answer and ends the exchange. Copies all arguments. Sends nothing if the peer has disconnected or the
 * server is closed. Closes the connection instead if the body is longer than 4 MiB, or if memory runs out.
 * `extra_headers` has at most 4 entries and ends with NULL, or is NULL. */
void hf_server_answer(struct hf_server_exchange *exchange, int status, const char *content_type,
                      const char *const *extra_headers, struct hf_view body);

/* Returns the port on which the server listens, or 0 for a server on a Unix socket. */
uint16_t hf_server_port(const struct hf_server *server);

/* Stops listening. The server calls no handler from then on. Call this function before hf_loop_free(), which frees the
 * server's memory. */
void hf_server_free(struct hf_server *server);
