/* SPDX-License-Identifier: Apache-2.0 */
/* loop/http/internal.h - internal: the structures that client.c, pool.c (connections), call.c (requests) and easy.c
 * (curl's options for one hop of a request) share. Only loop/http includes this header.
 *
 * A client has one current `pool`: a curl multi handle with its connections. The client retires the pool when the
 * client's TLS identity has changed, when the pool's connections may be dead, or when no call has come for a while. The
 * last reason saves memory: a pool takes about 100 KiB. The next call makes a new pool. Running calls stay in the
 * retired pool until they end; the loop frees the pool after its last call.
 *
 *     client --current--> pool <--- call, call        pool (retired) <--- call
 *        `--- all calls, running or queued or about to report
 *
 * Threads: loop thread only. */
#pragma once

#include <curl/curl.h>

#include "base/net/address.h"
#include "loop/core.h"
#include "loop/http/client.h"
#include "loop/http/head.h"
#include "loop/http/peers.h"
#include "loop/http/tls.h"
#include "loop/http/url.h"

struct hf_http_pool;

/* Functions that a pool calls after curl has returned. */
struct hf_http_pool_owner {
    void (*free_aborted)(struct hf_http_pool *pool); /* frees the calls in pool->aborted */
    void (*ended)(CURL *easy, CURLcode code);        /* called when one transfer has ended */
};

/* The connections of one client. The loop frees a pool when the client has retired the pool and the pool's last call
 * has ended. */
struct hf_http_pool {
    struct hf_loop_guest guest;
    struct hf_http_client *client; /* the client whose current pool this is (NULL means that the pool is retired) */
    const struct hf_http_pool_owner *owner;
    struct hf_loop *loop;
    CURLM *multi;
    struct hf_tls *tls;
    struct hf_http_peers *peers;
    struct hf_list sockets;
    struct hf_list aborted;   /* calls that were cancelled inside a curl callback, to free after the callback */
    struct hf_loop_task kick; /* runs when curl asks for a time-out of 0, and at the pool's end */
    uv_timer_t timer;
    uv_timer_t idle;       /* runs while the pool has no call; when it fires, the client retires the pool */
    uint64_t last_byte_ns; /* time of the last byte on any call; monotonic */
    unsigned n_calls;      /* number of easy handles in the multi handle */
    /* nesting depth of hf_http_pool_enter(); above 0 means that curl runs, so that callbacks must not call curl */
    unsigned depth;
    bool kicked; /* true if curl wants to handle its time-outs now */
};

/* Detaches the pool from its client. `pool` may be NULL. */
void hf_http_pool_retire(struct hf_http_pool *pool);
/* Adjusts the pool's number of calls: adds 1 if `begun` is true (a call begins in the pool), otherwise subtracts 1 (a
 * call has ended). */
void hf_http_pool_count(struct hf_http_pool *pool, bool begun);
/* Call hf_http_pool_enter() before and hf_http_pool_leave() after each function of curl that may call back. Pairs may
 * nest; the outermost _leave reports the finished transfers. */
void hf_http_pool_enter(struct hf_http_pool *pool);
void hf_http_pool_leave(struct hf_http_pool *pool);

/* Returns the shortest round trip, in nanoseconds, that the kernel has measured on the pool's connections. Returns 0 if
 * there is none. */
uint64_t hf_http_pool_round_trip_ns(const struct hf_http_pool *pool);

struct hf_http_client {
    struct hf_loop_guest guest;
    struct hf_loop *loop;
    struct hf_http_ops ops;
    struct hf_list calls;
    struct hf_tls *tls;
    struct hf_http_peers *peers; /* NULL if the configuration has none */
    struct hf_http_pool *pool;   /* current pool; NULL until the first call needs it */
    const struct hf_http_pool_owner *pool_owner;
    unsigned char tls_digest[32];
    bool insecure, no_proxy;
    const struct hf_clock_ops *clock;
    char *user_agent;
    char *authorization; /* whole line of the header Authorization (NULL means none) */
    char *server_name;   /* name for SNI and the name check (NULL means the URL's host) */
    char origin[HF_URL_ORIGIN];
    uint64_t sent_bytes, received_bytes; /* of all calls since the start */
};

/* Returns the pool for the next call. Makes a pool if the client has none. Returns NULL if memory runs out. */
struct hf_http_pool *hf_http_pool_current(struct hf_http_client *client);

/* ---- one request ------------------------------------------------------------------------------------------------- */

enum hf_http_call_state { ST_QUEUED, ST_RUNNING, ST_ENDED, ST_REPORTED };

struct hf_http_call {
    struct hf_list link; /* entry in client->calls or, after a cancel inside curl, in pool->aborted */
    struct hf_http_client *client;
    struct hf_loop *loop;
    struct hf_http_pool *pool; /* pool of the call; set while the state is ST_RUNNING */
    CURL *easy;
    struct hf_loop_task step;   /* task that begins the call or reports its end */
    struct hf_loop_task resume; /* task that resumes receiving */
    uv_timer_t timer;
    enum hf_http_call_state state;

    struct hf_http_request request; /* the request, without its strings, which the copies in the next fields replace */
    char *method;
    char *url; /* URL of the current hop */
    char *headers[HF_HTTP_MAX_HEADERS + 1];
    char *credential; /* NULL if there is none */
    struct hf_buf body;

    struct curl_slist *sent_headers;
    struct curl_slist *connect_to;
    struct hf_url_parts to; /* parts of the URL of the current hop */
    bool to_origin;         /* true if credentials may go to the current hop */
    /* true once a redirect has led to another origin; the call then no longer sends the caller's own credentials */
    bool left_origin;
    unsigned redirects;
    bool proxied; /* true if a proxy asks the server of the current hop for us */
    /* class of the address of this hop's server, which is public for a name behind a proxy; a redirect may lead only to
     * this class or to a class before it in enum hf_address_class */
    enum hf_address_class reached;
    /* last class of the enum to which this hop may connect; the first hop may connect to all classes */
    enum hf_address_class allowed;
    bool refused; /* true if the call refused an address whose class is beyond `allowed`; `err` names the address */

    struct hf_http_head head;
    struct hf_buf collected;
    uint64_t received_bytes;
    uint64_t start_ns; /* uv_hrtime() at the start of the call */
    /* uv_hrtime() of the last byte, or of the end of the last pause if that was later; before the first byte,
     * start_ns */
    uint64_t last_byte_ns;
    uint64_t paid_ns; /* uv_hrtime() at which bandwidth_limit allows the next byte */
    bool throttled;   /* true while bandwidth_limit pauses the call until paid_ns */
    bool paused;      /* true while the caller pauses the call */
    bool aborted;     /* true if the caller has cancelled the call inside a curl callback */
    bool skip_body;   /* true while the call drops the body of a redirect that it follows */
    int result;       /* -errno if our code ended the call (0 means to use curl's result) */
    struct hf_err err;
    char curl_text[CURL_ERROR_SIZE];
};

/* easy.c: returns the TLS of the current hop: that of its origin, or else that of the pool. */
struct hf_tls *hf_http_easy_tls(const struct hf_http_call *call);

/* easy.c: makes the easy handle of the current hop, ready to start, and stores the handle in call->easy. Returns false
 * if memory runs out; the caller then frees the existing parts. */
bool hf_http_easy_make(struct hf_http_call *call);
/* ---- call.c ------------------------------------------------------------------------------------------------- */
int hf_http_call_start(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                       struct hf_err *err);
void hf_http_call_cancel(void *ctx, struct hf_http_call *call);
void hf_http_call_pause(void *ctx, struct hf_http_call *call, bool paused);
void hf_http_call_cancel_all(struct hf_http_client *client);

/* the functions of call.c that a pool calls */
extern const struct hf_http_pool_owner hf_http_call_owner;
