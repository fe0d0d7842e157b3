/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to the HTTP client. A pool is a curl multi handle with its connections. It retires when its client's TLS
 * settings change, connections may be dead, or no call came for a while; running calls stay in it, and the loop frees
 * it after the last one. */
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

/* Called after curl has returned. */
struct hf_http_pool_owner {
    void (*free_aborted)(struct hf_http_pool *pool);
    void (*ended)(CURL *easy, CURLcode code);
};

struct hf_http_pool {
    struct hf_loop_guest guest;
    struct hf_http_client *client; /* NULL: retired */
    const struct hf_http_pool_owner *owner;
    struct hf_loop *loop;
    CURLM *multi;
    struct hf_tls *tls;
    struct hf_http_peers *peers;
    struct hf_list sockets;
    struct hf_list aborted; /* calls cancelled inside a curl callback */
    struct hf_loop_task kick;
    uv_timer_t timer;
    uv_timer_t idle;
    uint64_t last_byte_ns;
    unsigned n_calls;
    unsigned depth; /* of hf_http_pool_enter(); above 0, callbacks must not call curl */
    bool kicked;
};

void hf_http_pool_retire(struct hf_http_pool *pool);
void hf_http_pool_count(struct hf_http_pool *pool, bool begun);
/* Call around curl functions that may call back; they nest. The outermost _leave() reports finished transfers. */
void hf_http_pool_enter(struct hf_http_pool *pool);
void hf_http_pool_leave(struct hf_http_pool *pool);

uint64_t hf_http_pool_round_trip_ns(const struct hf_http_pool *pool);

struct hf_http_client {
    struct hf_loop_guest guest;
    struct hf_loop *loop;
    struct hf_http_ops ops;
    struct hf_list calls;
    struct hf_tls *tls;
    struct hf_http_peers *peers;
    struct hf_http_pool *pool;
    const struct hf_http_pool_owner *pool_owner;
    unsigned char tls_digest[32];
    bool insecure, no_proxy, agents;
    const struct hf_clock_ops *clock;
    char *user_agent;
    char *authorization; /* header line, or NULL */
    char *server_name;   /* NULL: the URL's host */
    char origin[HF_URL_ORIGIN];
    uint64_t sent_bytes, received_bytes;
};

struct hf_http_pool *hf_http_pool_current(struct hf_http_client *client);

/* ---- one request ---- */

enum hf_http_call_state { ST_QUEUED, ST_RUNNING, ST_ENDED, ST_REPORTED };

struct hf_http_call {
    struct hf_list link;
    struct hf_http_client *client;
    struct hf_loop *loop;
    struct hf_http_pool *pool;
    CURL *easy;
    struct hf_loop_task step;
    struct hf_loop_task resume;
    uv_timer_t timer;
    enum hf_http_call_state state;

    struct hf_http_request request; /* its texts are NULL: the copies below replace them */
    char *method;
    char *url;
    char *headers[HF_HTTP_MAX_HEADERS + 1];
    char *credential;
    struct hf_buf body;

    struct curl_slist *sent_headers;
    struct curl_slist *connect_to;
    struct hf_url_parts to;
    bool to_origin;   /* goes to the client's origin, which gets its credentials */
    bool left_origin; /* redirected to another origin: send no credentials of the caller */
    unsigned redirects;
    bool proxied;
    /* class of the server's address (behind a proxy, public unless in the URL); a redirect may lead no closer */
    enum hf_address_class reached;
    enum hf_address_class allowed; /* closest class that this hop may reach */
    bool refused;                  /* the server is closer than allowed; see `err` */

    struct hf_http_head head;
    struct hf_buf collected;
    uint64_t received_bytes;
    uint64_t start_ns;
    uint64_t last_byte_ns;
    uint64_t paid_ns; /* when bandwidth_limit allows the next byte */
    bool throttled;   /* until paid_ns */
    bool paused;
    bool aborted;
    bool skip_body;
    int result; /* our -errno; 0: curl's result counts */
    struct hf_err err;
    char curl_text[CURL_ERROR_SIZE];
};

/* Returns the TLS of this hop's origin, else the pool's. */
struct hf_tls *hf_http_easy_tls(const struct hf_http_call *call);

/* Makes call->easy. Returns false after an error. */
bool hf_http_easy_make(struct hf_http_call *call);
/* ---- call.c ---- */
int hf_http_call_start(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                       struct hf_err *err);
void hf_http_call_cancel(void *ctx, struct hf_http_call *call);
void hf_http_call_pause(void *ctx, struct hf_http_call *call, bool paused);
void hf_http_call_cancel_all(struct hf_http_client *client);

extern const struct hf_http_pool_owner hf_http_call_owner;
