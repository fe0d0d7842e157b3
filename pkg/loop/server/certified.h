/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTPS server of files for the agents of one cluster, over OpenSSL.
 *
 * A client shows the certificate of an agent of the same authority (loop/http/tls.h), sends one GET, gets one answer,
 * and is closed. All connections share one limit of bytes a second. */
#pragma once

#include <sys/socket.h>

#include "base/buf.h"
#include "loop/http/http.h"
#include "loop/loop.h"

enum {
    HF_CERTIFIED_CONNECTIONS = 64,
    HF_CERTIFIED_OF_ADDRESS = 6, /* connections of one address */
    HF_CERTIFIED_PER_S = 50,     /* accepted connections */
    HF_CERTIFIED_HEAD = 2048,    /* bytes of a request */
    HF_CERTIFIED_HEAD_S = 10,    /* for the handshake and the request */
    HF_CERTIFIED_IDLE_S = 30,    /* for the next byte of an answer to leave */
};

struct hf_certified;

struct hf_certified_request {
    const char *node; /* of the client's certificate */
    const struct sockaddr_storage *from;
    struct hf_view head; /* with the empty line at its end */
};

/* `head` is the whole head and a short body; `n` bytes of `fd`, which is duplicated, from `at` follow. */
struct hf_certified_answer {
    char head[512];
    int fd;
    uint64_t at, n;
};

enum hf_certified_refusal {
    HF_CERTIFIED_REFUSED_ADDRESS,     /* `admits` said no */
    HF_CERTIFIED_REFUSED_FULL,        /* connections, of all or of one address, or new ones a second */
    HF_CERTIFIED_REFUSED_CERTIFICATE, /* the handshake failed */
    HF_CERTIFIED_REFUSED_REQUEST,     /* too long, too late */
    HF_CERTIFIED_REFUSALS
};
const char *hf_certified_refusal_name(enum hf_certified_refusal refusal);

struct hf_certified_params {
    const char *address; /* numeric */
    uint16_t port;       /* 0: any free one */
    uint64_t bytes_per_s;
    bool (*admits)(void *arg, const struct sockaddr_storage *from); /* before any byte; NULL: all */
    /* Must answer at once. */
    void (*asked)(void *arg, const struct hf_certified_request *request, struct hf_certified_answer *ret_answer);
    void (*refused)(void *arg, enum hf_certified_refusal why); /* may be NULL */
    void (*sent)(void *arg, size_t bytes);                     /* of files; may be NULL */
    void *arg;
};

/* `tls`: ca_pem, client_cert_pem, client_key_pem, agents and clock count; copied. -EADDRINUSE, -EACCES; -EINVAL: not an
 * address; -EBADMSG: unusable PEM. */
HF_MUST_USE int hf_certified_new(struct hf_loop *loop, const struct hf_certified_params *params,
                                 const struct hf_http_config *tls, struct hf_certified **ret_server,
                                 struct hf_err *err);
uint16_t hf_certified_port(const struct hf_certified *server);
/* Closes all connections. Not from within a callback. */
void hf_certified_free(struct hf_certified *server);
