/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP(S) client requests.
 *
 * A client (loop/http/client.h) is for one peer. Loop thread only. No callback comes before start() returns, after
 * `done`, or after cancel().
 *
 * `r` of `done`:
 *   0              a whole response of any status
 *   -ECONNREFUSED  connecting failed, usually refused
 *   -EDESTADDRREQ  no address of host or proxy found
 *   -EHOSTUNREACH  no route, or forbidden
 *   -ETIMEDOUT     deadline, or silence for too long
 *   -EKEYREJECTED  a certificate fails: the peer's (untrusted, expired, another name ...) or ours
 *   -EREMCHG       the certificate is neither trusted nor for this name: probably another machine
 *   -ECONNABORTED  the proxy refuses to connect to the peer
 *   -EPIPE         connection or stream broke before the end of the response
 *   -E2BIG         body above max_body_bytes, or too long a head or Location
 *   -EPROTO        protocol violated, forbidden redirect, other failures
 *   -ENOMEM
 *   other          what a callback returned
 *
 * Uses HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY (lower case wins), except for loopback or no_proxy. */
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
    /* seconds of silence; then TCP keep-alive ends the connection's calls with -ETIMEDOUT */
    HF_HTTP_KEEPALIVE_S = 50,
    HF_HTTP_KEEPALIVE_IDLE_S = 26, /* seconds before the first probe */
};

struct hf_http_call;

struct hf_http_response {
    int status;
    uint64_t retry_after_ns; /* 24 h at most */
    uint64_t date_unix_ns;   /* 0: absent or unreadable */
    bool has_audit_id;       /* the header Audit-Id, as of an API server */
    int64_t content_length;  /* -1: unknown */
    uint64_t range_start;    /* Content-Range of a 206 */
    uint64_t range_total;
    bool redirected;                             /* to another origin */
    char content_type[HF_HTTP_HEADER_VALUE];     /* "" if absent or too long, like the arrays below */
    char content_encoding[HF_HTTP_HEADER_VALUE]; /* never requested; the body is as sent */
    char etag[HF_HTTP_HEADER_VALUE];             /* with quotes */
    char last_modified[HF_HTTP_HEADER_VALUE];
    char content_digest[HF_HTTP_HEADER_VALUE]; /* Docker-Content-Digest */
    const char *location;                      /* as sent, valid during the callback; or NULL */
    char challenge[HF_HTTP_CHALLENGE];         /* first Bearer line of WWW-Authenticate, else the first line */
};

struct hf_http_request {
    const char *method;
    const char *url;                          /* absolute */
    const char *headers[HF_HTTP_MAX_HEADERS]; /* "Name: value"; copied */
    /* secret header line, only for the origin of `url`; copied; or NULL */
    const char *credential;
    struct hf_view body;         /* copied; may be empty */
    uint64_t connect_timeout_ns; /* 0: 10 s */
    uint64_t timeout_ns;         /* for the whole call; 0: none, as for watches and downloads */
    uint64_t idle_timeout_ns;    /* longest silence, then -ETIMEDOUT; 0: no limit. HTTP/2 pings do not end it. */
    uint64_t max_body_bytes;     /* 0: 16 MiB; UINT64_MAX: no limit */
    uint64_t bandwidth_limit;    /* bytes per second; 0: no limit */
    /* Follows up to 5 redirects, never from https to http, or to an address closer to this machine (enum
     * hf_address_class). Other origins get no credentials of the request. */
    bool follow_redirects;
    /* Called once at most, with the head; -errno ends the call. May be NULL. */
    int (*on_response)(void *arg, const struct hf_http_response *response);
    /* Called with a piece of the body; -errno ends the call. NULL: the body is collected for `done`. */
    int (*on_body)(void *arg, const void *bytes, size_t n);
    /* `body` is valid during the callback. */
    void (*done)(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                 const struct hf_err *err);
    void *arg;
};

struct hf_http_ops {
    void *ctx;
    /* -EINVAL: bad URL, method or header. -ECANCELED: the process stops. After -errno `done` is not called. */
    HF_MUST_USE int (*start)(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                             struct hf_err *err);
    void (*cancel)(void *ctx, struct hf_http_call *call); /* accepts NULL */
    /* Stops or resumes receiving the body; idle_timeout_ns does not run in a pause. */
    void (*pause)(void *ctx, struct hf_http_call *call, bool paused);
};

/* An origin with TLS settings of its own. */
struct hf_http_peer {
    const char *origin;                                    /* as in struct hf_url_parts */
    const char *problem;                                   /* why its calls fail with -EKEYREJECTED; or NULL */
    const char *ca_pem, *client_cert_pem, *client_key_pem; /* as in struct hf_http_config */
};

enum { HF_HTTP_NODE = 254 }; /* bytes of a node's name with terminator */

/* The peers are a cluster's agents: a certificate is checked for authority `ca_pem`, client authentication and an
 * agent's subject (hf_tls_agent_node()), not for the host's name. */
struct hf_http_agents {
    /* For a client: the agent of `node` at `host` has proved its key in a handshake. May be NULL. */
    void (*met)(void *arg, const char *host, const char *node);
    void *arg;
};

struct hf_http_config {
    const char *user_agent;      /* "holdfast-agent/0.1.0" */
    const char *ca_pem;          /* NULL: the system's store */
    const char *client_cert_pem; /* for mutual TLS */
    const char *client_key_pem;
    const char *bearer_token;    /* only for `origin` */
    const char *origin;          /* "https://host:port"; without `agents`, no other gets the credentials above */
    const char *tls_server_name; /* for SNI and the certificate's name, only at `origin` */
    bool insecure_skip_verify;
    bool no_proxy; /* all peers are on this machine or subnet */
    /* with ca_pem and client certificate; NULL: the peers are servers with names */
    const struct hf_http_agents *agents;
    /* An unusable peer fails only its own calls, with -EKEYREJECTED. */
    const struct hf_http_peer *peers;
    size_t n_peers;
    uint64_t max_skew_ns;             /* tolerance before and after a certificate's validity */
    const struct hf_clock_ops *clock; /* for certificates (node/clock.h); NULL: the system's */
};
