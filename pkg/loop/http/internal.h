/* loop/http_client.h - what http_curl.c (connections), http_call.c (requests) and http_easy.c (requests as curl wants
 * them) share. Nobody else includes it.
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
#include "loop/http/client.h"
#include "loop/http/head.h"
#include "loop/http/tls.h"
#include "loop/http/url.h"

struct hf_http_pool;

/* The functions that a pool calls when curl has returned. */
struct hf_http_pool_owner {
    void (*free_aborted)(struct hf_http_pool *pool); /* frees the calls in pool->aborted */
    void (*ended)(CURL *easy, CURLcode code);        /* a transfer has ended */
};

/* One peer's connections. Freed by the loop some time after it was retired and its last call is gone. */
struct hf_http_pool {
    struct hf_loop_guest guest;
    struct hf_http_client *client; /* whose current pool this is; NULL when retired */
    const struct hf_http_pool_owner *owner;
    struct hf_loop *loop;
    CURLM *multi;
    struct hf_tls *tls;
    struct hf_list sockets;
    struct hf_list aborted;   /* calls cancelled inside a curl callback, to be taken out after it */
    struct hf_loop_task kick; /* curl's time-out of 0, and the pool's end */
    uv_timer_t timer;
    uv_timer_t idle;       /* runs while there is no call: then the connections are closed */
    uint64_t last_byte_ns; /* on any call; monotonic */
    unsigned n_calls;      /* easy handles inside */
    unsigned depth;        /* > 0: inside curl, where it must not be called again */
    bool kicked;           /* curl wants its time-outs handled now */
};

/* The client's current pool is it no more; NULL is fine. */
void hf_http_pool_retire(struct hf_http_pool *pool);
/* One call more or less in the pool. */
void hf_http_pool_count(struct hf_http_pool *pool, bool begun);
/* Around everything that may make curl call back. The outermost leave reads the finished transfers. */
void hf_http_pool_enter(struct hf_http_pool *pool);
void hf_http_pool_leave(struct hf_http_pool *pool);

struct hf_http_client {
    struct hf_loop_guest guest;
    struct hf_loop *loop;
    struct hf_http_ops ops;
    struct hf_list calls;
    struct hf_tls *tls;
    struct hf_http_pool *pool; /* NULL until needed */
    const struct hf_http_pool_owner *pool_owner;
    unsigned char tls_digest[32];
    bool insecure;
    const struct hf_clock_ops *clock;
    char *user_agent;
    char *authorization; /* whole header line, NULL none */
    char *server_name;   /* NULL none */
    char origin[HF_URL_ORIGIN];
};

/* The pool for the next call; NULL on OOM. */
struct hf_http_pool *hf_http_pool_current(struct hf_http_client *client);

/* ---- one request ---- */

enum hf_http_call_state { ST_QUEUED, ST_RUNNING, ST_ENDED, ST_REPORTED };

struct hf_http_call {
    struct hf_list link; /* in client->calls; when cancelled inside curl, in pool->aborted */
    struct hf_http_client *client;
    struct hf_loop *loop;
    struct hf_http_pool *pool; /* while RUNNING */
    CURL *easy;
    struct hf_loop_task step;   /* begins, or reports */
    struct hf_loop_task resume; /* goes on receiving */
    uv_timer_t timer;
    enum hf_http_call_state state;

    struct hf_http_request request; /* strings are ours, see below */
    char *method;
    char *url; /* of the current hop */
    char *headers[HF_HTTP_MAX_HEADERS + 1];
    struct hf_buf body;

    struct curl_slist *sent_headers;
    struct curl_slist *connect_to;
    struct hf_url_parts to; /* where this hop goes */
    bool to_origin;         /* credentials may go there */
    bool left_origin;       /* a redirect went elsewhere: the caller's own credentials stay behind */
    unsigned redirects;

    struct hf_http_head head;
    struct hf_buf collected;
    uint64_t received_bytes;
    uint64_t start_ns;     /* uv_hrtime() */
    uint64_t last_byte_ns; /* of the response; begins as start_ns */
    uint64_t paid_ns;      /* until when the bytes received so far are paid for, at bandwidth_limit */
    bool throttled;        /* held back until then */
    bool paused;           /* held back by the caller */
    bool aborted;          /* cancelled inside curl */
    bool skip_body;        /* of a redirect that is followed */
    int result;            /* -errno that we ended it with; 0: curl's word counts */
    struct hf_err err;
    char curl_text[CURL_ERROR_SIZE];
};

/* http_easy.c: the easy handle of this hop, ready to go, in call->easy; false on OOM (what was made is there to be freed). */
bool hf_http_easy_make(struct hf_http_call *call);
/* ---- http_call.c ---- */
int hf_http_call_start(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                       struct hf_err *err);
void hf_http_call_cancel(void *ctx, struct hf_http_call *call);
void hf_http_call_pause(void *ctx, struct hf_http_call *call, bool paused);
void hf_http_call_cancel_all(struct hf_http_client *client);

/* The calls of a pool. */
extern const struct hf_http_pool_owner hf_http_call_owner;
