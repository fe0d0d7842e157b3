/* loop/http/http.h - HTTP(S) client requests, as a table of functions.
 *
 * A client is the configuration of one peer: TLS trust, client certificate, bearer token, user agent, clock allowance.
 * The real client (loop/http/client.h) keeps one HTTP/2 connection per origin and multiplexes its calls. Threads: loop
 * thread only. hf_http_ops.start never runs a callback before it returns. No callback comes after `done` or cancel().
 *
 * `r` of `done` is 0 if a whole response came, whatever its HTTP status. Otherwise `r` is -ECONNREFUSED, -EHOSTUNREACH
 * (unknown name or no route), -ETIMEDOUT (deadline or silence), -EPROTO, -EKEYREJECTED (the certificate is not trusted,
 * has expired or has another name), -EPIPE (the connection broke before the end), -E2BIG (more than max_body_bytes) or
 * -ECANCELED. Requests use the proxy of the environment variables, but never for loopback. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

enum { HF_HTTP_MAX_HEADERS = 16, HF_HTTP_HEADER_VALUE = 256 };

struct hf_http_call; /* opaque; belongs to the table that started it */

struct hf_http_response {
    int status;                              /* 200 ... */
    uint64_t retry_after_ns;                 /* Retry-After, in seconds or as a date; 0 if absent */
    uint64_t date_unix_ns;                   /* Date; 0 if absent or unreadable */
    int64_t content_length;                  /* -1 if unknown */
    uint64_t range_start;                    /* offset of the body's first byte (Content-Range of a 206); else 0 */
    uint64_t range_total;                    /* complete length from Content-Range; 0 if unknown */
    char content_type[HF_HTTP_HEADER_VALUE]; /* "" if absent */
    char etag[HF_HTTP_HEADER_VALUE];         /* as sent, with its quotes; "" if absent */
    char last_modified[HF_HTTP_HEADER_VALUE];
};

struct hf_http_request {
    const char *method;                       /* "GET" ... */
    const char *url;                          /* absolute http:// or https:// */
    const char *headers[HF_HTTP_MAX_HEADERS]; /* "Name: value"; NULL ends the list; copied */
    struct hf_view body;                      /* copied; empty for no body */
    uint64_t connect_timeout_ns;              /* 0 means 10 s */
    uint64_t timeout_ns;                      /* limit of the whole call; 0: none (watches, downloads) */
    /* Limit of silence (0: none). If no byte of the response comes for this long, the call ends with -ETIMEDOUT. HTTP/2
     * pings do not count as bytes. */
    uint64_t idle_timeout_ns;
    /* Limit of silence of the *connection* (0: none). TCP keep-alive or HTTP/2 PING frames check that the peer is
     * alive, without a request. If the peer does not answer for this long, all calls on the connection end with
     * -ETIMEDOUT, and no new call uses the connection. For watches, which may be silent. */
    uint64_t keepalive_ns;
    uint64_t max_body_bytes;  /* limit of the body, else -E2BIG; 0 means 16 MiB, UINT64_MAX no limit */
    uint64_t bandwidth_limit; /* bytes per second; 0: none */
    /* follow up to 5 redirects, but never from https to http, nor closer to this machine: from a public to a private,
     * link-local or loopback address, and so on (base/net/address.h); other origins get no credentials */
    bool follow_redirects;
    /* Called once with status and headers; after redirects, those of the last response. If the callback returns -errno,
     * the call ends with that error. May be NULL. */
    int (*on_response)(void *arg, const struct hf_http_response *response);
    /* Called with each piece of the body. If the callback returns -errno, the call ends with that error. If on_body is
     * NULL, the call collects the body for `done`. */
    int (*on_body)(void *arg, const void *bytes, size_t n);
    /* Called at the end. `body` is the collected body (empty if on_body is set) and valid during the callback only. */
    void (*done)(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                 const struct hf_err *err);
    void *arg;
};

struct hf_http_ops {
    void *ctx;
    /* Returns 0 and sets *ret_call, or returns -errno if the call cannot start (`done` then does not come). */
    HF_MUST_USE int (*start)(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                             struct hf_err *err);
    void (*cancel)(void *ctx, struct hf_http_call *call); /* `call` may be NULL; `done` does not come */
    /* Stops or resumes receiving (back-pressure). idle_timeout_ns does not run while paused. */
    void (*pause)(void *ctx, struct hf_http_call *call, bool paused);
};

/* Trust and credentials for one peer. The client copies the strings; NULL: not used. */
struct hf_http_config {
    const char *user_agent;      /* "holdfast-agent/0.1.0" */
    const char *ca_pem;          /* PEM of the only certificates to trust; NULL: the system's store */
    const char *client_cert_pem; /* PEM of the client certificate, for mutual TLS with client_key_pem */
    const char *client_key_pem;
    const char *bearer_token;         /* bearer token; goes to URLs of `origin` only */
    const char *origin;               /* "https://host:port", the only origin that gets credentials; NULL: none */
    const char *tls_server_name;      /* name for SNI and the name check, instead of the URL's host */
    bool insecure_skip_verify;        /* from the kubeconfig field of this name only */
    uint64_t max_skew_ns;             /* accept certificates up to this long before and after their validity */
    const struct hf_clock_ops *clock; /* clock that judges certificates (node/clock.h); NULL: the system's */
};
