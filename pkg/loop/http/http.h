/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP(S) client requests, as a table of functions.
 *
 * A client (loop/http/client.h) is for one peer; HTTP/2 has one connection per origin. Loop
 * thread only. No callback comes before start() returns, after `done`, or after cancel().
 *
 * `r` of `done`:
 *   0              a whole response of any status
 *   -ECONNREFUSED  the peer refused the connection
 *   -EDESTADDRREQ  host or proxy has no address
 *   -EHOSTUNREACH  no route
 *   -ETIMEDOUT     deadline, or silence for too long
 *   -EKEYREJECTED  the peer's certificate is not trusted, expired or another name's; or it refuses ours
 *   -EREMCHG       certificate neither trusted nor for this name: another machine answers
 *   -ECONNABORTED  the proxy refuses to connect to the peer
 *   -EPIPE         broken before the end of the response
 *   -E2BIG         body above max_body_bytes, or too long a head
 *   -EPROTO        protocol violated, forbidden redirect, other failures
 *   -ENOMEM
 *   other          a callback's
 *
 * Heeds HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY (lower case wins), not for loopback. */
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
    /* Silence after which TCP keep-alive finds a dead machine: all calls of the connection end with -ETIMEDOUT. */
    HF_HTTP_KEEPALIVE_S = 50,
    HF_HTTP_KEEPALIVE_IDLE_S = 26, /* to the first probe */
};

struct hf_http_call;

struct hf_http_response {
    int status;
    uint64_t retry_after_ns; /* 24 h at most */
    uint64_t date_unix_ns;   /* 0: absent or unreadable */
    bool has_audit_id;       /* as API servers send */
    int64_t content_length;  /* -1: unknown */
    uint64_t range_start;    /* of a 206's Content-Range */
    uint64_t range_total;
    bool redirected;                             /* another origin answered */
    char content_type[HF_HTTP_HEADER_VALUE];     /* "" if absent or too long, as the other texts */
    char content_encoding[HF_HTTP_HEADER_VALUE]; /* never asked for; the body is as sent */
    char etag[HF_HTTP_HEADER_VALUE];             /* with quotes */
    char last_modified[HF_HTTP_HEADER_VALUE];
    char content_digest[HF_HTTP_HEADER_VALUE]; /* Docker-Content-Digest */
    const char *location;                      /* as sent; during the callback; or NULL */
    char challenge[HF_HTTP_CHALLENGE];         /* WWW-Authenticate: first Bearer, else the first */
};

struct hf_http_request {
    const char *method;
    const char *url;                          /* absolute */
    const char *headers[HF_HTTP_MAX_HEADERS]; /* "Name: value"; copied */
    /* secret header line for the origin of `url` alone; copied; or NULL */
    const char *credential;
    struct hf_view body;         /* copied; may be empty */
    uint64_t connect_timeout_ns; /* 0: 10 s */
    uint64_t timeout_ns;         /* of the call; 0: none, as for watches and downloads */
    uint64_t idle_timeout_ns;    /* silence before -ETIMEDOUT; 0: any. HTTP/2 pings are no bytes. */
    uint64_t max_body_bytes;     /* 0: 16 MiB, UINT64_MAX: none */
    uint64_t bandwidth_limit;    /* bytes per second */
    /* Up to 5. Never from https to http, or to an address closer to this machine (enum hf_address_class). Other origins
     * get no credentials. */
    bool follow_redirects;
    /* Once; -errno ends the call. May be NULL. */
    int (*on_response)(void *arg, const struct hf_http_response *response);
    /* A piece; -errno ends the call. NULL: collected for `done`. */
    int (*on_body)(void *arg, const void *bytes, size_t n);
    /* `body`: during the callback. */
    void (*done)(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                 const struct hf_err *err);
    void *arg;
};

struct hf_http_ops {
    void *ctx;
    /* -EINVAL: URL, method or header. -ECANCELED: the process stops. Then no `done`. */
    HF_MUST_USE int (*start)(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                             struct hf_err *err);
    void (*cancel)(void *ctx, struct hf_http_call *call); /* accepts NULL */
    /* Back-pressure; idle_timeout_ns does not run. */
    void (*pause)(void *ctx, struct hf_http_call *call, bool paused);
};

/* TLS of an origin. */
struct hf_http_peer {
    const char *origin;                                    /* "https://host:port", struct hf_url_parts */
    const char *problem;                                   /* or NULL; why its calls fail with -EKEYREJECTED */
    const char *ca_pem, *client_cert_pem, *client_key_pem; /* struct hf_http_config */
};

/* Peers are a cluster's agents: checked are authority `ca_pem`, client authentication and an agent's subject
 * (hf_tls_agent_node()), not the host's name. */
enum { HF_HTTP_NODE = 254 }; /* a node's name with terminator */
struct hf_http_agents {
    /* Client: in a handshake, the agent of `node` at `host` has proved its key. May be NULL. */
    void (*met)(void *arg, const char *host, const char *node);
    void *arg;
};

/* NULL members are unused. */
struct hf_http_config {
    const char *user_agent;      /* "holdfast-agent/0.1.0" */
    const char *ca_pem;          /* NULL: the system's store */
    const char *client_cert_pem; /* mutual TLS */
    const char *client_key_pem;
    const char *bearer_token;            /* for `origin` alone */
    const char *origin;                  /* "https://host:port", which alone gets credentials */
    const char *tls_server_name;         /* for SNI and the certificate's name, of `origin` alone */
    bool insecure_skip_verify;           /* only by the kubeconfig's field */
    bool no_proxy;                       /* peers on this machine or subnet */
    const struct hf_http_agents *agents; /* with ca_pem and client certificate; NULL: servers with names */
    /* Also for redirects. An unusable peer fails only its own calls, with -EKEYREJECTED. */
    const struct hf_http_peer *peers;
    size_t n_peers;
    uint64_t max_skew_ns;             /* before and after a certificate's validity */
    const struct hf_clock_ops *clock; /* judges certificates (node/clock.h); NULL: the system's */
};
