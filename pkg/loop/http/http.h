/* SPDX-License-Identifier: Apache-2.0 */
/* loop/http/http.h - HTTP(S) client requests, as a table of functions.
 *
 * A client is the configuration of one peer: TLS trust, client certificate, bearer token, user agent, allowed clock
 * skew. If the peer speaks HTTP/2, the real client (loop/http/client.h) keeps one connection per origin and multiplexes
 * its calls. Threads: loop thread only. hf_http_ops.start never runs a callback before it returns. No callback comes
 * after `done` or cancel().
 *
 * Values of the argument `r` of `done`:
 *   0              a whole response came, whatever its HTTP status
 *   -ECONNREFUSED  the peer refused the connection
 *   -EDESTADDRREQ  the name of the host or of the proxy has no address
 *   -EHOSTUNREACH  there is no route to the peer
 *   -ETIMEDOUT     the deadline passed, or the peer was silent for too long
 *   -EKEYREJECTED  the certificate of the peer is not trusted, has expired or has another name; or the peer refuses
 *                  the client certificate
 *   -EREMCHG       no trusted authority signed the certificate of the peer, and the certificate is for another name, so
 *                  another machine answers in the peer's place
 *   -ECONNABORTED  the proxy refuses to connect to the peer
 *   -EPIPE         the connection broke before the end of the response
 *   -E2BIG         the body is longer than max_body_bytes, or the head is too long
 *   -EPROTO        the peer violated the protocol, a redirect was not allowed, or the failure has no other code
 *   -ENOMEM        memory ran out
 *   other -errno   a callback of the request returned this error
 *
 * Requests use the proxy of the environment variables HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY (in upper or
 * lower case; lower case wins), but never for loopback. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

enum {
    HF_HTTP_MAX_HEADERS = 16,
    HF_HTTP_HEADER_VALUE = 256,
    /* Seconds of silence after which the client knows that the peer's machine no longer answers. The client checks
     * every connection by TCP keep-alive, also during a response that may be silent for long, such as that of a watch.
     * All calls on a dead connection end with -ETIMEDOUT, and no new call uses it. */
    HF_HTTP_KEEPALIVE_S = 50,
    HF_HTTP_KEEPALIVE_IDLE_S = 26, /* seconds of silence after which the first TCP keep-alive probe goes out */
};

struct hf_http_call; /* opaque; belongs to the table that started it */

struct hf_http_response {
    int status; /* HTTP status, such as 200 */
    /* delay that the header Retry-After (a number of seconds, or a date) requests, but at most 24 h; 0 if absent */
    uint64_t retry_after_ns;
    uint64_t date_unix_ns;  /* time in the header Date; 0 if absent or unreadable */
    bool has_audit_id;      /* true if the response has the header Audit-Id, which API servers of Kubernetes send */
    int64_t content_length; /* length of the body in bytes; -1 if unknown */
    uint64_t range_start;   /* offset of the body's first byte (Content-Range of a 206); otherwise 0 */
    uint64_t range_total;   /* complete length of the content, from Content-Range; 0 if unknown */
    bool redirected;        /* true if a redirect has led to another origin, which then sent this response */
    /* header Content-Type; like the next three fields, "" if absent or too long */
    char content_type[HF_HTTP_HEADER_VALUE];
    char content_encoding[HF_HTTP_HEADER_VALUE]; /* Content-Encoding, which no request asks for; the body is as sent */
    char etag[HF_HTTP_HEADER_VALUE];             /* ETag as the server sent it, with its quotes */
    char last_modified[HF_HTTP_HEADER_VALUE];
};

struct hf_http_request {
    const char *method;                       /* method of the request, such as "GET" */
    const char *url;                          /* absolute http:// or https:// */
    const char *headers[HF_HTTP_MAX_HEADERS]; /* header lines, each "Name: value"; NULL ends the list; copied */
    /* header line with a secret, which goes to the origin of `url` alone: once a redirect has led to another origin,
     * the call no longer sends it; copied; NULL: none */
    const char *credential;
    struct hf_view body;         /* body of the request, copied; empty if the request has no body */
    uint64_t connect_timeout_ns; /* limit for making the connection (0 means 10 s) */
    uint64_t timeout_ns;         /* limit of the whole call (0 means none, as for watches and downloads) */
    /* Limit of silence in nanoseconds (0 means none). If no byte of the response comes for this long, the call ends
     * with -ETIMEDOUT. HTTP/2 pings do not count as bytes. */
    uint64_t idle_timeout_ns;
    /* limit of the body in bytes (0 means 16 MiB, UINT64_MAX no limit); a longer body ends the call with -E2BIG */
    uint64_t max_body_bytes;
    uint64_t bandwidth_limit; /* limit in bytes per second (0 means none) */
    /* True to follow up to 5 redirects. The call fails if a redirect leads from https to http, or to an address closer
     * to this machine (enum hf_address_class in base/net/address.h), such as from a public to a private address. Other
     * origins get no credentials. */
    bool follow_redirects;
    /* Called once, with status and headers of the response. If the call follows redirects, this is the last response.
     * If the callback returns -errno, the call ends with that error. May be NULL. */
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
    /* Returns 0 and sets *ret_call. If the call cannot start, returns -errno and does not call `done`. -EINVAL: the
     * URL, the method or a header is invalid. -ECANCELED: the process is stopping. -ENOMEM: out of memory. */
    HF_MUST_USE int (*start)(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                             struct hf_err *err);
    /* cancels `call` (may be NULL), so that `done` does not come */
    void (*cancel)(void *ctx, struct hf_http_call *call);
    /* Stops or resumes receiving (back-pressure). idle_timeout_ns does not run while paused. */
    void (*pause)(void *ctx, struct hf_http_call *call, bool paused);
};

/* TLS of one origin, where a client speaks with several. */
struct hf_http_peer {
    const char *origin;  /* "https://host:port", as struct hf_url_parts has it */
    const char *problem; /* why the other fields are not known; calls to the origin then fail with -EKEYREJECTED */
    const char *ca_pem, *client_cert_pem, *client_key_pem; /* as in struct hf_http_config */
};

/* Trust and credentials for one peer. The client copies the strings. A string that is NULL is not used. */
struct hf_http_config {
    const char *user_agent;      /* header User-Agent, such as "holdfast-agent/0.1.0" (NULL means "holdfast") */
    const char *ca_pem;          /* PEM of the certificate authorities to trust (NULL means the system's store) */
    const char *client_cert_pem; /* PEM of the client certificate, for mutual TLS with client_key_pem */
    const char *client_key_pem;
    const char *bearer_token; /* bearer token, which goes to URLs of `origin` only */
    /* the only origin that gets credentials, "https://host:port" (NULL means that no origin gets them) */
    const char *origin;
    /* name for SNI and the name check, instead of the URL's host; for URLs of `origin` only */
    const char *tls_server_name;
    /* true to accept any certificate; only the kubeconfig field of the same name sets this */
    bool insecure_skip_verify;
    bool no_proxy; /* true for peers on this machine: never use a proxy */
    /* Origins with a TLS of their own, in place of the fields above, also for a hop to which a redirect leads. A peer
     * with an unusable PEM text does not fail the client: calls to this origin fail with -EKEYREJECTED. */
    const struct hf_http_peer *peers;
    size_t n_peers;
    /* time before and after the validity of a certificate during which the client still accepts it */
    uint64_t max_skew_ns;
    /* clock that judges certificates, see node/clock.h (NULL means the system's clock) */
    const struct hf_clock_ops *clock;
};
