/* loop/http.h - HTTP(S) client requests, as a table of functions.
 *
 * One client is one peer configuration: TLS trust, client certificate, bearer token, user agent, clock allowance. The real
 * one (loop/http_curl) keeps one HTTP/2 connection per origin (curl multi, multiplexed). Loop thread only; callbacks never
 * run inside hf_http_ops.start; after `done` or cancel() nothing more is called.
 *
 * Errors handed to `done` (r < 0): -ECONNREFUSED -EHOSTUNREACH (name or route) -ETIMEDOUT (deadline or silence) -EPROTO
 * -EKEYREJECTED (TLS: peer not trusted, expired, wrong name) -EPIPE (cut in the middle) -E2BIG (max_body) -ECANCELED.
 * An HTTP status of any value is r = 0. The proxy that the environment names is used, but never for loopback. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

enum { HF_HTTP_MAX_HEADERS = 16, HF_HTTP_HEADER_VALUE = 256 };

struct hf_http_call; /* opaque, of the table that made it */

struct hf_http_response {
    int status;                              /* 200 ... */
    uint64_t retry_after_ns;                 /* Retry-After, seconds or date form; 0 when absent */
    uint64_t date_unix_ns;                   /* Date; 0 when absent or unreadable */
    int64_t content_length;                  /* -1 unknown */
    uint64_t range_start;                    /* first byte of Content-Range on 206, else 0 */
    uint64_t range_total;                    /* complete length of Content-Range, 0 unknown */
    char content_type[HF_HTTP_HEADER_VALUE]; /* "" when absent */
    char etag[HF_HTTP_HEADER_VALUE];         /* as sent, quotes included; "" when absent */
    char last_modified[HF_HTTP_HEADER_VALUE];
};

struct hf_http_request {
    const char *method;                       /* "GET" ... */
    const char *url;                          /* absolute http:// or https:// */
    const char *headers[HF_HTTP_MAX_HEADERS]; /* "Name: value", NULL ends; copied */
    struct hf_view body;                      /* copied; empty for none */
    uint64_t connect_timeout_ns;              /* 0: 10 s */
    uint64_t timeout_ns;                      /* whole call; 0 none (watches, downloads) */
    uint64_t idle_timeout_ns; /* no byte received for this long: -ETIMEDOUT; 0 none. HTTP/2 pings do not count */
    uint64_t keepalive_ns;    /* the *connection* of this call must be alive: when its peer gave no sign of life (TCP
                                 keepalive, HTTP/2 PING; no request is made) for this long, every call on it ends with
                                 -ETIMEDOUT and the connection is not used again; 0 none. For watches, which may be silent */
    uint64_t max_body_bytes;  /* more than this in all is -E2BIG; 0: 16 MiB; UINT64_MAX: none (watches) */
    uint64_t bandwidth_limit; /* bytes per second, 0 none */
    bool follow_redirects;    /* at most 5, https never to http; credentials are not carried to another origin */
    /* Status and headers are here, once (the last response when redirected). Non-zero return cancels with that -errno. May be NULL. */
    int (*on_response)(void *arg, const struct hf_http_response *response);
    /* A piece of body. 0, or -errno to cancel with it. NULL: the body is collected and handed to `done`. */
    int (*on_body)(void *arg, const void *bytes, size_t n);
    /* The end. `body` is the collected one (empty when on_body was given), valid during the call only. */
    void (*done)(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                 const struct hf_err *err);
    void *arg;
};

struct hf_http_ops {
    void *ctx;
    /* 0 and *ret_call, or -errno when it could not even be started (done is then not called). */
    HF_MUST_USE int (*start)(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                             struct hf_err *err);
    void (*cancel)(void *ctx, struct hf_http_call *call); /* NULL is fine; `done` is not called */
    /* Stop / go on receiving (back-pressure); idle_timeout does not run while paused. */
    void (*pause)(void *ctx, struct hf_http_call *call, bool paused);
};

/* What a peer is trusted by and what we show it. Strings are copied; NULL for what is not used. */
struct hf_http_config {
    const char *user_agent;      /* "holdfast-agent/0.1.0" */
    const char *ca_pem;          /* trust exactly these; NULL: the system's store */
    const char *client_cert_pem; /* with client_key_pem, mutual TLS */
    const char *client_key_pem;
    const char *bearer_token;         /* sent to every URL of `origin` only */
    const char *origin;               /* "https://host:port": where credentials may go; NULL: nowhere */
    const char *tls_server_name;      /* SNI and name check instead of the URL's host */
    bool insecure_skip_verify;        /* only kubeconfig's own field may set it */
    uint64_t max_skew_ns;             /* certificates not yet valid or expired by up to this much are accepted */
    const struct hf_clock_ops *clock; /* judges certificates with the floor clock; NULL: the system's */
};
