/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP(S) client requests, as a table of functions.
 *
 * A client (loop/http/client.h) is for one peer. With HTTP/2, it multiplexes calls on one connection per origin. Loop
 * thread only. No callback comes before start() returns, after `done`, or after cancel().
 *
 * Values of the argument `r` of `done`:
 *   0              a whole response, whatever its HTTP status
 *   -ECONNREFUSED  the peer refused the connection
 *   -EDESTADDRREQ  host or proxy has no address
 *   -EHOSTUNREACH  no route
 *   -ETIMEDOUT     deadline, or silence for too long
 *   -EKEYREJECTED  the peer's certificate is not trusted, expired or for another name; or the peer refuses ours
 *   -EREMCHG       the certificate is neither trusted nor for this name: another machine answers in the peer's place
 *   -ECONNABORTED  the proxy refuses to connect to the peer
 *   -EPIPE         broken before the end of the response
 *   -E2BIG         the body is longer than max_body_bytes, or the head too long
 *   -EPROTO        protocol violated, redirect not allowed, or another failure
 *   -ENOMEM
 *   other          from a callback of the request
 *
 * Uses the proxy of HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY (lower case wins), but never for loopback. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

enum {
    HF_HTTP_MAX_HEADERS = 16,
    HF_HTTP_HEADER_VALUE = 256,
    HF_HTTP_CHALLENGE = 1024,
    /* Silence after which TCP keep-alive finds a dead machine, also during a watch: all calls on the connection end
     * with -ETIMEDOUT. */
    HF_HTTP_KEEPALIVE_S = 50,
    HF_HTTP_KEEPALIVE_IDLE_S = 26, /* until the first probe */
};

struct hf_http_call;

struct hf_http_response {
    int status;
    uint64_t retry_after_ns;                     /* seconds or a date, at most 24 h; 0: absent */
    uint64_t date_unix_ns;                       /* header Date; 0: absent or unreadable */
    bool has_audit_id;                           /* sent by API servers of Kubernetes */
    int64_t content_length;                      /* -1: unknown */
    uint64_t range_start;                        /* Content-Range of a 206 */
    uint64_t range_total;                        /* Content-Range; 0: unknown */
    bool redirected;                             /* another origin has sent it */
    char content_type[HF_HTTP_HEADER_VALUE];     /* these four are "" if absent or too long */
    char content_encoding[HF_HTTP_HEADER_VALUE]; /* no request asks for one; the body is as sent */
    char etag[HF_HTTP_HEADER_VALUE];             /* with its quotes */
    char last_modified[HF_HTTP_HEADER_VALUE];
    char content_digest[HF_HTTP_HEADER_VALUE]; /* Docker-Content-Digest; both "" if absent or too long */
    const char *location;                      /* as sent; valid during the callback; NULL: absent */
    char challenge[HF_HTTP_CHALLENGE];         /* WWW-Authenticate: the first of the scheme Bearer, or else the first */
};

struct hf_http_request {
    const char *method;
    const char *url;                          /* absolute */
    const char *headers[HF_HTTP_MAX_HEADERS]; /* "Name: value"; copied */
    /* secret header line, for the origin of `url` only, not after a redirect to another; copied; or NULL */
    const char *credential;
    struct hf_view body;         /* copied; may be empty */
    uint64_t connect_timeout_ns; /* 0: 10 s */
    uint64_t timeout_ns;         /* for the whole call; 0: none, as for watches and downloads */
    uint64_t idle_timeout_ns;    /* silence before -ETIMEDOUT; 0: none. HTTP/2 pings are no bytes. */
    uint64_t max_body_bytes;     /* then -E2BIG; 0: 16 MiB, UINT64_MAX: none */
    uint64_t bandwidth_limit;    /* 0: none */
    /* Up to 5. Fails from https to http, or to an address closer to this machine (enum hf_address_class), as from
     * public to private. Other origins get no credentials. */
    bool follow_redirects;
    /* Once; -errno ends the call. May be NULL. */
    int (*on_response)(void *arg, const struct hf_http_response *response);
    /* Each piece; -errno ends the call. NULL: collected for `done`. */
    int (*on_body)(void *arg, const void *bytes, size_t n);
    /* `body` is valid during the callback. */
    void (*done)(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                 const struct hf_err *err);
    void *arg;
};

struct hf_http_ops {
    void *ctx;
    /* -EINVAL: URL, method or header. -ECANCELED: the process is stopping. -ENOMEM. Then `done` does not come. */
    HF_MUST_USE int (*start)(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                             struct hf_err *err);
    void (*cancel)(void *ctx, struct hf_http_call *call); /* accepts NULL */
    /* Back-pressure; idle_timeout_ns does not run meanwhile. */
    void (*pause)(void *ctx, struct hf_http_call *call, bool paused);
};

/* The TLS of an origin that has its own. */
struct hf_http_peer {
    const char *origin;  /* "https://host:port" as in struct hf_url_parts */
    const char *problem; /* reason for calls to fail with -EKEYREJECTED, without the rest */
    const char *ca_pem, *client_cert_pem, *client_key_pem; /* as in struct hf_http_config */
};

/* The peers are agents of one cluster, which show their certificates for clients: no host name, but the authority
 * `ca_pem`, client authentication and the subject of an agent are checked (struct hf_tls). */
enum { HF_HTTP_NODE = 254 }; /* longest name of a node, with its end */
struct hf_http_agents {
    /* As a client: the agent of `node`, which has proved its key, answers at `host`; inside a call's handshake. May be
     * NULL. */
    void (*met)(void *arg, const char *host, const char *node);
    void *arg;
};

/* Copied; NULL: unused. */
struct hf_http_config {
    const char *user_agent;      /* "holdfast-agent/0.1.0" */
    const char *ca_pem;          /* authorities; NULL: the system's store */
    const char *client_cert_pem; /* for mutual TLS */
    const char *client_key_pem;
    const char *bearer_token;            /* for `origin` only */
    const char *origin;                  /* "https://host:port", which alone gets credentials */
    const char *tls_server_name;         /* for SNI and the check of names, with `origin` only */
    bool insecure_skip_verify;           /* any certificate; only the kubeconfig field of this name sets it */
    bool no_proxy;                       /* for peers on this machine or in its subnet */
    const struct hf_http_agents *agents; /* with ca_pem and a client certificate; NULL: servers with names */
    /* Also for a hop of a redirect. An unusable one fails only its calls, with -EKEYREJECTED. */
    const struct hf_http_peer *peers;
    size_t n_peers;
    uint64_t max_skew_ns;             /* accepted before and after a certificate's validity */
    const struct hf_clock_ops *clock; /* judges certificates (node/clock.h); NULL: the system's */
};
