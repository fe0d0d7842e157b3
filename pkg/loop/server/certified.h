/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTPS server of files for a cluster's agents, over OpenSSL.
 *
 * A client shows an agent's certificate of the same authority (loop/http/tls.h), sends one GET, gets one answer, and is
 * closed. All share one limit of bytes a second. */
#pragma once

#include <sys/socket.h>

#include "base/buf.h"
#include "loop/http/http.h"
#include "loop/loop.h"

enum {
    HF_CERTIFIED_CONNECTIONS = 64,
    HF_CERTIFIED_OF_ADDRESS = 6,
    HF_CERTIFIED_PER_S = 50,  /* accepted */
    HF_CERTIFIED_HEAD = 2048, /* bytes of a request */
    HF_CERTIFIED_HEAD_S = 10, /* for handshake and request */
    HF_CERTIFIED_IDLE_S = 30, /* for a byte of the answer to leave */
};

struct hf_certified;

struct hf_certified_request {
    const char *node; /* of the certificate */
    const struct sockaddr_storage *from;
    struct hf_view head; /* with its empty line */
};

/* `head`: with a short body; then `n` bytes of `fd`, which is duplicated, from `at`. */
struct hf_certified_answer {
    char head[512];
    int fd;
    uint64_t at, n;
};

enum hf_certified_refusal {
    HF_CERTIFIED_REFUSED_ADDRESS,     /* by `admits` */
    HF_CERTIFIED_REFUSED_FULL,        /* too many: in all, of one address, or per second */
    HF_CERTIFIED_REFUSED_CERTIFICATE, /* failed handshake */
    HF_CERTIFIED_REFUSED_REQUEST,     /* too long, too late */
    HF_CERTIFIED_REFUSALS
};
const char *hf_certified_refusal_name(enum hf_certified_refusal refusal);

struct hf_certified_params {
    const char *address; /* numeric */
    uint16_t port;       /* 0: any */
    uint64_t bytes_per_s;
    bool (*admits)(void *arg, const struct sockaddr_storage *from); /* before any byte; NULL: all */
    /* Answers at once. */
    void (*asked)(void *arg, const struct hf_certified_request *request, struct hf_certified_answer *ret_answer);
    void (*refused)(void *arg, enum hf_certified_refusal why); /* may be NULL */
    void (*sent)(void *arg, size_t bytes);                     /* of files; may be NULL */
    void *arg;
};

/* `tls`: ca_pem, client_cert_pem, client_key_pem, agents, clock; copied. -EADDRINUSE, -EACCES; -EINVAL: not an address;
 * -EBADMSG: bad PEM. */
HF_MUST_USE int hf_certified_new(struct hf_loop *loop, const struct hf_certified_params *params,
                                 const struct hf_http_config *tls, struct hf_certified **ret_server,
                                 struct hf_err *err);
uint16_t hf_certified_port(const struct hf_certified *server);
/* Closes all connections. Not within a callback. */
void hf_certified_free(struct hf_certified *server);
