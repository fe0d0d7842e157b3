/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTPS server of files for a cluster's agents.
 *
 * A client shows an agent's certificate of the same authority (loop/http/tls.h), sends one GET, gets one answer, and is
 * disconnected. All clients share one limit of bytes a second. */
#pragma once

#include <sys/socket.h>

#include "base/buf.h"
#include "loop/http/http.h"
#include "loop/loop.h"

enum {
    HF_CERTIFIED_CONNECTIONS = 64,
    HF_CERTIFIED_OF_ADDRESS = 6,
    HF_CERTIFIED_PER_S = 50,  /* connections accepted a second, on average */
    HF_CERTIFIED_HEAD = 2048, /* bytes of a request */
    HF_CERTIFIED_HEAD_S = 10, /* seconds for handshake and request */
    HF_CERTIFIED_IDLE_S = 30, /* seconds for a byte of the answer to leave */
};

struct hf_certified;

struct hf_certified_request {
    const char *node;
    const struct sockaddr_storage *from;
    struct hf_view head; /* with its empty line */
};

/* `head` may contain a short body. After it `n` bytes of `fd`, which is duplicated, are sent from offset `at`. */
struct hf_certified_answer {
    char head[512];
    int fd;
    uint64_t at, n;
};

enum hf_certified_refusal {
    HF_CERTIFIED_REFUSED_ADDRESS,     /* by `admits` */
    HF_CERTIFIED_REFUSED_FULL,        /* too many connections: in all, from one address, or per second */
    HF_CERTIFIED_REFUSED_CERTIFICATE, /* the handshake failed */
    HF_CERTIFIED_REFUSED_REQUEST,     /* too long, or too late */
    HF_CERTIFIED_REFUSALS
};
const char *hf_certified_refusal_name(enum hf_certified_refusal refusal);

struct hf_certified_params {
    const char *address; /* numeric */
    uint16_t port;       /* 0: any */
    uint64_t bytes_per_s;
    bool (*admits)(void *arg, const struct sockaddr_storage *from); /* called before any byte; NULL: all are admitted */
    /* Fills *ret_answer at once. */
    void (*asked)(void *arg, const struct hf_certified_request *request, struct hf_certified_answer *ret_answer);
    void (*refused)(void *arg, enum hf_certified_refusal why);
    void (*sent)(void *arg, size_t bytes); /* counts bytes of files; may be NULL */
    void *arg;
};

/* Copies these fields of `tls`: ca_pem, client_cert_pem, client_key_pem, agents, max_skew_ns, clock. -EADDRINUSE,
 * -EACCES; -EINVAL: not an address; -EBADMSG: bad PEM. */
HF_MUST_USE int hf_certified_new(struct hf_loop *loop, const struct hf_certified_params *params,
                                 const struct hf_http_config *tls, struct hf_certified **ret_server,
                                 struct hf_err *err);
uint16_t hf_certified_port(const struct hf_certified *server);
/* Closes all connections. Not allowed in a callback. */
void hf_certified_free(struct hf_certified *server);
