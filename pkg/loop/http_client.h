/* loop/http_client.h - what http_curl.c (connections) and http_call.c (requests) share. Nobody else includes it.
 *
 * A client has one current `pool`: a curl multi handle with its connections. A pool is retired, and a new one made for the next
 * call, when its connections must not be used again: the client's TLS identity changed, or they went silent; also when nothing
 * was asked for a while, since a pool costs about 100 KiB. Calls that run in a
 * retired pool end there; the pool goes with the last of them.
 *
 *     client --current--> pool <--- call, call        pool (retired) <--- call
 *        `--- all calls, running or queued or about to report
 */
#pragma once

#include <curl/curl.h>

#include "loop/core.h"
#include "loop/http_head.h"
#include "loop/http_tls.h"
#include "loop/http_url.h"

/* One peer's connections. Freed by the loop some time after it was retired and its last call is gone. */
struct hf_http_pool {
    struct hf_guest guest;
    struct hf_http_client *client; /* whose current pool this is; NULL when retired */
    struct hf_loop *loop;
    CURLM *multi;
    struct hf_tls *tls;
    struct hf_list sockets;
    struct hf_list aborted; /* calls cancelled inside a curl callback, to be taken out after it */
    struct hf_task kick;    /* curl's time-out of 0, and the pool's end */
    uv_timer_t timer;
    uv_timer_t idle;       /* runs while there is no call: then the connections are closed */
    uint64_t last_byte_ns; /* on any call; monotonic */
    unsigned n_calls;      /* easy handles inside */
    unsigned depth;        /* > 0: inside curl, where it must not be called again */
    bool kicked;           /* curl wants its time-outs handled now */
};

struct hf_http_pool *hf_http_pool_new(struct hf_http_client *client); /* NULL on OOM */
/* The client's current pool is it no more; NULL is fine. */
void hf_http_pool_retire(struct hf_http_pool *pool);
/* One call more or less in the pool. */
void hf_http_pool_count(struct hf_http_pool *pool, bool begun);
/* Around everything that may make curl call back. The outermost leave reads the finished transfers. */
void hf_http_pool_enter(struct hf_http_pool *pool);
void hf_http_pool_leave(struct hf_http_pool *pool);

struct hf_http_client {
    struct hf_guest guest;
    struct hf_loop *loop;
    struct hf_http_ops ops;
    struct hf_list calls;
    struct hf_tls *tls;
    struct hf_http_pool *pool; /* NULL until needed */
    unsigned char tls_digest[32];
    bool insecure;
    const struct hf_clock_ops *clock;
    char *user_agent;
    char *authorization; /* whole header line, NULL none */
    char *server_name;   /* NULL none */
    char origin[HF_URL_ORIGIN];
};

/* The pool for the next call; NULL on OOM. */
struct hf_http_pool *hf_http_client_pool(struct hf_http_client *client);

/* ---- http_call.c ---- */
int hf_http_call_start(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                       struct hf_err *err);
void hf_http_call_cancel(void *ctx, struct hf_http_call *call);
void hf_http_call_pause(void *ctx, struct hf_http_call *call, bool paused);
void hf_http_client_cancel_all(struct hf_http_client *client);

/* Called by the pool: a transfer has ended; calls cancelled inside curl can be taken out. */
void hf_http_call_ended(CURL *easy, CURLcode code);
void hf_http_call_reap(struct hf_http_pool *pool);
