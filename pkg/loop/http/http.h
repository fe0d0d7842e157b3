/* loop/http/http.h - HTTP(S) client requests, as a table of functions.
 *
 * A client is the configuration of one peer: TLS trust, client certificate, bearer token, user agent, clock
 * allowance. The real client (loop/http/client.h) keeps one HTTP/2 connection per origin and multiplexes its calls.
 * Threads: loop thread only. Callbacks never run inside hf_http_ops.start; nothing is called after `done` or
 * cancel().
 *
 * Errors that `done` gets (r < 0): -ECONNREFUSED -EHOSTUNREACH (name or route) -ETIMEDOUT (deadline or silence)
 * -EPROTO -EKEYREJECTED (TLS: not trusted, expired, wrong name) -EPIPE (connection lost in the middle) -E2BIG
 * (max_body_bytes) -ECANCELED. Any HTTP status is r = 0. Requests use the proxy that the environment names, but
 * never for loopback. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

enum { HF_HTTP_MAX_HEADERS = 16, HF_HTTP_HEADER_VALUE = 256 };

struct hf_http_call; /* opaque; belongs to the table that made it */

struct hf_http_response {
    int status;                              /* 200 ... */
    uint64_t retry_after_ns;                 /* Retry-After, in seconds or as a date; 0 if absent */
    uint64_t date_unix_ns;                   /* Date; 0 if absent or unreadable */
    int64_t content_length;                  /* -1 if unknown */
    uint64_t range_start;                    /* first byte of Content-Range on 206, else 0 */
    uint64_t range_total;                    /* complete length from Content-Range; 0 if unknown */
    char content_type[HF_HTTP_HEADER_VALUE]; /* "" if absent */
    char etag[HF_HTTP_HEADER_VALUE];         /* as sent, with its quotes; "" if absent */
    char last_modified[HF_HTTP_HEADER_VALUE];
};

struct hf_http_request {
    const char *method;                       /* "GET" ... */
    const char *url;                          /* absolute http:// or https:// */
    const char *headers[HF_HTTP_MAX_HEADERS]; /* "Name: value", NULL ends; copied */
    struct hf_view body;                      /* copied; empty for no body */
    uint64_t connect_timeout_ns;              /* 0: 10 s */
    uint64_t timeout_ns;                      /* deadline of the whole call; 0: none (watches, downloads) */
    /* Limit of silence: without a byte for this long the call ends with -ETIMEDOUT. 0: none. HTTP/2 pings do not
     * count. */
    uint64_t idle_timeout_ns;
    /* Limit for the *connection* of this call: without a sign of life from its peer for this long (TCP keep-alive,
     * HTTP/2 PING; no request), every call on it ends with -ETIMEDOUT and no call uses it again. 0: none. For
     * watches, which may be silent. */
    uint64_t keepalive_ns;
    uint64_t max_body_bytes;  /* -E2BIG above this total; 0: 16 MiB; UINT64_MAX: no limit (watches) */
    uint64_t bandwidth_limit; /* bytes per second; 0: none */
    /* number of redirects to follow: at most 5, never from https to http, no credentials to another origin */
    bool follow_redirects;
    /* Called once, with status and headers (of the last response if redirected). A non-zero return cancels the call
     * with that -errno. May be NULL. */
    int (*on_response)(void *arg, const struct hf_http_response *response);
    /* Called with each piece of the body. A negative errno cancels the call with it. NULL: the call collects the
     * body for `done`. */
    int (*on_body)(void *arg, const void *bytes, size_t n);
    /* Called at the end. `body` is the collected one (empty with on_body) and valid during the call only. */
    void (*done)(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                 const struct hf_err *err);
    void *arg;
};

struct hf_http_ops {
    void *ctx;
    /* 0 and *ret_call, or -errno if the call cannot start (`done` will not come). */
    HF_MUST_USE int (*start)(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                             struct hf_err *err);
    void (*cancel)(void *ctx, struct hf_http_call *call); /* NULL is fine; `done` will not come */
    /* Stops or resumes receiving (back-pressure). idle_timeout_ns does not run while paused. */
    void (*pause)(void *ctx, struct hf_http_call *call, bool paused);
};

/* Trust and credentials for one peer. Strings are copied; NULL: not used. */
struct hf_http_config {
    const char *user_agent;      /* "holdfast-agent/0.1.0" */
    const char *ca_pem;          /* PEM of the only certificates to trust; NULL: the system's store */
    const char *client_cert_pem; /* PEM of the client certificate, for mutual TLS with client_key_pem */
    const char *client_key_pem;
    const char *bearer_token;         /* bearer token; goes to URLs of `origin` only */
    const char *origin;               /* "https://host:port": credentials may go there; NULL: nowhere */
    const char *tls_server_name;      /* name for SNI and the name check, instead of the URL's host */
    bool insecure_skip_verify;        /* set only by the same field of a kubeconfig */
    uint64_t max_skew_ns;             /* accept certificates not yet valid, or expired, by up to this much */
    const struct hf_clock_ops *clock; /* clock that judges certificates (the floor clock); NULL: the system's clock */
};
