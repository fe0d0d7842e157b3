/* loop/server.h - small local HTTP servers (libwebsockets on the loop). Loop thread only.
 *
 * A process makes each of its servers once; they go with the loop: lws contexts on a foreign loop do not like to be torn down early.
 * A server has connections of its own, which no other server can use up. */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

struct hf_server;

struct hf_server_request {
    struct hf_view method; /* "GET" */
    struct hf_view path;   /* without query */
    struct hf_view query;  /* after '?', may be empty */
    struct hf_view content_type;
    struct hf_view content_encoding; /* "gzip", "zstd"; empty: as it is */
    struct hf_view idempotency_key;  /* header Idempotency-Key */
    struct hf_view checksum;         /* header X-Payload-Checksum */
    struct hf_view device_key;       /* header X-Device-Key */
    struct hf_view body;             /* whole, at most max_body of the route */
};

/* The answer; the server copies. Defaults: 200, text/plain; charset=utf-8. */
struct hf_server_reply {
    int status;
    const char *content_type;
    const char *extra_headers[4]; /* "Name: value", NULL ends */
    struct hf_buf body;           /* given by the server, filled by the handler */
};

/* A request that is answered later: hf_server_answer() ends it. */
struct hf_server_exchange;

struct hf_server_route {
    const char *path; /* exact */
    const char *method;
    size_t max_body; /* 413 above */
    /* One of the two. handle: the reply is filled during the call. start: hf_server_answer() is called then or later, exactly once,
     * also when the peer has gone meanwhile (then nothing is sent). `request` is valid during the call only. */
    void (*handle)(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply);
    void (*start)(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange);
    void *arg;
};

enum {
    HF_SERVER_MAX_CONNECTIONS = 560, /* of all servers: 512 senders with something in flight, and those who watch */
    HF_SERVER_MAX_HEADER_BYTES = 8192,
    HF_SERVER_IDLE_S = 30,
    HF_SERVER_BODY_S = 120,          /* a body that takes longer to arrive is given up */
    HF_SERVER_ANSWER_S = 300,        /* an exchange that is not answered by then loses its connection */
    HF_SERVER_SMALL_BODY = 16 << 10, /* bodies up to this are always taken */
    HF_SERVER_MAX_BODIES_BYTES =
        8 << 20, /* of the longer ones, together, as far as they came; 503 with Retry-After above */
};

struct hf_server_limits {
    unsigned max_connections; /* reserved; 0: all that is left of HF_SERVER_MAX_CONNECTIONS */
    unsigned idle_s;          /* until the first request is there whole, and between two; 0: HF_SERVER_IDLE_S */
    /* One connection too many ends the oldest instead of itself: for pages that are answered at once, where only an idle or a slow
     * client can be the oldest. */
    bool replace_oldest;
};

struct hf_server_params {
    const char *address;                  /* numeric */
    uint16_t port;                        /* 0: pick one, see hf_server_port() */
    const struct hf_server_route *routes; /* copied, but not their args */
    size_t n_routes;
    struct hf_server_limits limits;
};

/* Listen. -EADDRINUSE: the port is taken; -EADDRNOTAVAIL: the address is not this machine's; -EACCES: not allowed to listen there;
 * -EMFILE: other servers of this loop have reserved the connections. Unknown paths get 404, other methods 405, both as JSON
 * {"error": ...}. */
HF_MUST_USE int hf_server_new(struct hf_loop *loop, const struct hf_server_params *params,
                              struct hf_server **ret_server, struct hf_err *err);
/* End an exchange; everything is copied. Nothing happens when the server was freed meanwhile. extra_headers: NULL ends, at most 4; may be NULL. */
void hf_server_answer(struct hf_server_exchange *exchange, int status, const char *content_type,
                      const char *const *extra_headers, struct hf_view body);

uint16_t hf_server_port(const struct hf_server *server);

/* Stop listening and call no handler any more. What lws holds goes with the loop, which must still be there. */
void hf_server_free(struct hf_server *server);
