#include "loop/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_HOST = 256, RECEIVE_BYTES = 16384, AT_ONCE = 16, MAX_ADDRESSES = 8 };

enum connection_state { RESOLVING, CONNECTING, HANDSHAKE, OPEN, CLOSED };

/* What the worker has; outlives the stream. */
struct connection_lookup {
    struct hf_job job;
    struct hf_connection *stream; /* NULL: closed meanwhile */
    char host[MAX_HOST], service[8];
    struct sockaddr_storage addresses[MAX_ADDRESSES];
    socklen_t lengths[MAX_ADDRESSES];
    size_t n;
};

struct hf_connection {
    struct hf_loop *loop;
    struct hf_connection_params params; /* its texts are not used after opening */
    char host[MAX_HOST];
    enum connection_state state;
    struct connection_lookup *lookup;
    struct sockaddr_storage addresses[MAX_ADDRESSES]; /* to be tried, the last one first */
    socklen_t lengths[MAX_ADDRESSES];
    size_t n_addresses;
    int fd;
    struct hf_loop_fd *watch;
    bool watch_read, watch_write, paused;
    struct hf_timer *timer;
    bool *gone; /* set when it is closed */
    struct hf_buf out;
    SSL_CTX *context;
    SSL *ssl;
};

static void on_ready(void *arg);

/* ---- watching -------------------------------------------------------------------------------------------------------- */

static int watch(struct hf_connection *stream, bool readable, bool writable)
{
    if (stream->watch != NULL && stream->watch_read == readable && stream->watch_write == writable)
        return 0;
    if (stream->watch != NULL)
        hf_loop_unwatch_fd(stream->watch);
    stream->watch = NULL;
    stream->watch_read = readable;
    stream->watch_write = writable;
    return readable || writable
               ? hf_loop_watch_fd(stream->loop, stream->fd, readable, writable, on_ready, stream, &stream->watch)
               : 0;
}

static void disconnect(struct hf_connection *stream)
{
    if (stream->watch != NULL)
        hf_loop_unwatch_fd(stream->watch);
    stream->watch = NULL;
    SSL_free(stream->ssl);
    stream->ssl = NULL;
    if (stream->fd >= 0)
        (void)close(stream->fd);
    stream->fd = -1;
}

/* Tells the owner, who closes it. */
static void end(struct hf_connection *stream, int r, const struct hf_err *err)
{
    disconnect(stream);
    stream->state = CLOSED;
    stream->params.closed(stream->params.arg, r, err);
}

static void end_with(struct hf_connection *stream, int r, const char *what)
{
    struct hf_err err = HF_ERR_INIT;

    (void)hf_err_sys(&err, r, "%s '%s' port %u", what, stream->host, stream->params.port);
    end(stream, r, &err);
}

/* ---- connecting ------------------------------------------------------------------------------------------------------ */

static int begin_connect(struct hf_connection *stream)
{
    size_t i = --stream->n_addresses;
    int on = 1;

    stream->fd = socket(stream->addresses[i].ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (stream->fd < 0)
        return -errno;
    (void)setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(stream->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    if (connect(stream->fd, (const struct sockaddr *)&stream->addresses[i], stream->lengths[i]) < 0 &&
        errno != EINPROGRESS)
        return -errno;
    return watch(stream, false, true);
}

/* The next address, or the end. */
static void try_next(struct hf_connection *stream, int r)
{
    while (stream->n_addresses > 0) {
        disconnect(stream);
        r = begin_connect(stream);
        if (r == 0)
            return;
    }
    end_with(stream, r, "connect to");
}

static void lookup_work(struct hf_job *job)
{
    struct connection_lookup *lookup = hf_container_of(job, struct connection_lookup, job);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *all = NULL;

    if (getaddrinfo(lookup->host, lookup->service, &hints, &all) != 0)
        return;
    for (const struct addrinfo *it = all; it != NULL && lookup->n < MAX_ADDRESSES; it = it->ai_next) {
        memcpy(&lookup->addresses[lookup->n], it->ai_addr, it->ai_addrlen);
        lookup->lengths[lookup->n++] = it->ai_addrlen;
    }
    freeaddrinfo(all);
}

static void lookup_done(struct hf_job *job, int cancelled)
{
    struct connection_lookup *lookup = hf_container_of(job, struct connection_lookup, job);
    struct hf_connection *stream = lookup->stream;

    if (stream != NULL && !cancelled) {
        stream->lookup = NULL;
        stream->state = CONNECTING;
        for (size_t i = 0; i < lookup->n; i++) { /* turned round: the last one is tried first */
            stream->addresses[i] = lookup->addresses[lookup->n - 1 - i];
            stream->lengths[i] = lookup->lengths[lookup->n - 1 - i];
        }
        stream->n_addresses = lookup->n;
        if (lookup->n == 0)
            end_with(stream, -EHOSTUNREACH, "find");
        else
            try_next(stream, -EHOSTUNREACH);
    } else if (stream != NULL) {
        stream->lookup = NULL;
    }
    free(lookup);
}

static void on_timer(void *arg)
{
    struct hf_connection *stream = arg;

    if (stream->state != OPEN && stream->state != CLOSED)
        end_with(stream, -ETIMEDOUT, "connect to");
}

/* ---- TLS ------------------------------------------------------------------------------------------------------------- */

static int add_trust(SSL_CTX *context, const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate;
    int n = 0;

    while (bio != NULL && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        n += X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate);
        X509_free(certificate);
    }
    BIO_free(bio);
    ERR_clear_error();
    return n > 0 ? 0 : -EBADMSG;
}

static int prepare_tls(struct hf_connection *stream, struct hf_err *err)
{
    const char *pem = stream->params.ca_pem;

    stream->context = SSL_CTX_new(TLS_client_method());
    if (stream->context == NULL)
        return hf_err_set(err, ENOMEM, "no memory for TLS");
    (void)SSL_CTX_set_min_proto_version(stream->context, TLS1_2_VERSION);
    (void)SSL_CTX_set_mode(stream->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(stream->context, SSL_VERIFY_PEER, NULL);
    if (pem != NULL ? add_trust(stream->context, pem) < 0 : SSL_CTX_set_default_verify_paths(stream->context) != 1)
        return hf_err_set(err, EBADMSG, "no certificate to trust can be read");
    return 0;
}

static bool is_address(const char *host)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST};
    struct addrinfo *info = NULL;

    if (getaddrinfo(host, NULL, &hints, &info) != 0)
        return false;
    freeaddrinfo(info);
    return true;
}

static int begin_tls(struct hf_connection *stream)
{
    stream->ssl = SSL_new(stream->context);
    if (stream->ssl == NULL || SSL_set_fd(stream->ssl, stream->fd) != 1)
        return -ENOMEM;
    if (is_address(stream->host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(stream->ssl), stream->host) == 1 ? 0 : -EINVAL;
    return SSL_set1_host(stream->ssl, stream->host) == 1 && SSL_set_tlsext_host_name(stream->ssl, stream->host) == 1
               ? 0
               : -EINVAL;
}

static void opened(struct hf_connection *stream)
{
    stream->state = OPEN;
    hf_loop_sched(stream->loop)->timer_disarm(hf_loop_sched(stream->loop)->ctx, stream->timer);
    if (watch(stream, !stream->paused, false) < 0) {
        end_with(stream, -ENOMEM, "watch");
        return;
    }
    stream->params.opened(stream->params.arg);
}

static void shake_hands(struct hf_connection *stream)
{
    struct hf_err err = HF_ERR_INIT;

    ERR_clear_error();
    int r = SSL_connect(stream->ssl);
    int why = r == 1 ? SSL_ERROR_NONE : SSL_get_error(stream->ssl, r);
    if (r == 1) {
        opened(stream);
    } else if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        if (watch(stream, why == SSL_ERROR_WANT_READ, why == SSL_ERROR_WANT_WRITE) < 0)
            end_with(stream, -ENOMEM, "watch");
    } else {
        long verdict = SSL_get_verify_result(stream->ssl);
        (void)hf_err_set(&err, EKEYREJECTED, "TLS with '%s': %s", stream->host,
                         verdict != X509_V_OK ? X509_verify_cert_error_string(verdict)
                                              : "the peer ended the handshake");
        end(stream, -EKEYREJECTED, &err);
    }
}

/* ---- bytes ----------------------------------------------------------------------------------------------------------- */

/* > 0: bytes, -EAGAIN, other: the end. */
static ssize_t receive_some(struct hf_connection *stream, void *bytes, size_t n)
{
    if (stream->ssl == NULL) {
        ssize_t got = recv(stream->fd, bytes, n, 0);
        return got > 0 ? got : got == 0 ? -EPIPE : -errno;
    }
    ERR_clear_error();
    int got = SSL_read(stream->ssl, bytes, (int)n);
    int why = got > 0 ? SSL_ERROR_NONE : SSL_get_error(stream->ssl, got);
    return got > 0 ? got : why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -EAGAIN : -EPIPE;
}

static ssize_t send_some(struct hf_connection *stream, const void *bytes, size_t n)
{
    if (stream->ssl == NULL) {
        ssize_t put = send(stream->fd, bytes, n, MSG_NOSIGNAL);
        return put >= 0 ? put : -errno;
    }
    ERR_clear_error();
    int put = SSL_write(stream->ssl, bytes, (int)HF_MIN(n, (size_t)16384));
    int why = put > 0 ? SSL_ERROR_NONE : SSL_get_error(stream->ssl, put);
    return put > 0 ? put : why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -EAGAIN : -EPIPE;
}

/* 0, or why it ended. */
static int flush(struct hf_connection *stream)
{
    while (stream->out.n > 0) {
        ssize_t n = send_some(stream, stream->out.p, stream->out.n);
        if (n == -EAGAIN || n == 0)
            break;
        if (n < 0)
            return (int)n;
        hf_buf_consume(&stream->out, (size_t)n);
    }
    if (stream->out.n == 0)
        hf_buf_done(&stream->out);
    return 0;
}

static void receive(struct hf_connection *stream)
{
    char bytes[RECEIVE_BYTES];
    bool gone = false; /* closed inside `received` */

    for (int i = 0; i < AT_ONCE && !stream->paused; i++) {
        ssize_t n = receive_some(stream, bytes, sizeof(bytes));
        if (n == -EAGAIN || n == -EINTR)
            return;
        if (n < 0) {
            end_with(stream, (int)n, "receive from");
            return;
        }
        stream->gone = &gone;
        stream->params.received(stream->params.arg, bytes, (size_t)n);
        if (gone)
            return;
        stream->gone = NULL;
    }
}

static void on_ready(void *arg)
{
    struct hf_connection *stream = arg;
    int error = 0;
    socklen_t n = sizeof(error);

    if (stream->state == CONNECTING) {
        if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error != 0) {
            try_next(stream, -error);
            return;
        }
        if (!stream->params.tls) {
            opened(stream);
            return;
        }
        stream->state = HANDSHAKE;
        int r = begin_tls(stream);
        if (r < 0) {
            end_with(stream, r, "begin TLS with");
            return;
        }
    }
    if (stream->state == HANDSHAKE) {
        shake_hands(stream);
        return;
    }
    int r = flush(stream);
    if (r == 0)
        r = watch(stream, !stream->paused, stream->out.n > 0);
    if (r < 0)
        end_with(stream, r, "send to");
    else if (!stream->paused)
        receive(stream);
}

int hf_connection_send(struct hf_connection *stream, const void *bytes, size_t n)
{
    int r = stream->state != OPEN ? -ENOTCONN : hf_buf_add(&stream->out, bytes, n);

    /* Written when the loop turns: an error then ends it in its own time. */
    return r < 0 ? r : watch(stream, !stream->paused, true);
}

void hf_connection_pause(struct hf_connection *stream, bool paused)
{
    stream->paused = paused;
    if (stream->state != OPEN)
        return;
    /* What TLS has read already is seen at once: being writable wakes it up. */
    (void)!watch(stream, !paused, stream->out.n > 0 || (!paused && stream->ssl != NULL));
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

static int begin_lookup(struct hf_connection *stream, struct hf_err *err)
{
    const struct hf_sched_ops *sched = hf_loop_sched(stream->loop);
    struct connection_lookup *lookup = calloc(1, sizeof(*lookup));

    if (lookup == NULL)
        return hf_err_set(err, ENOMEM, "no memory");
    *lookup = (struct connection_lookup){.job = {.work = lookup_work, .done = lookup_done}, .stream = stream};
    (void)snprintf(lookup->host, sizeof(lookup->host), "%s", stream->host);
    (void)snprintf(lookup->service, sizeof(lookup->service), "%u", stream->params.port);
    int r = sched->submit(sched->ctx, &lookup->job);
    if (r < 0) {
        free(lookup);
        return hf_err_sys(err, r, "find '%s'", stream->host);
    }
    stream->lookup = lookup;
    return 0;
}

int hf_connection_open(struct hf_loop *loop, const struct hf_connection_params *params,
                       struct hf_connection **ret_stream, struct hf_err *err)
{
    const struct hf_sched_ops *sched = hf_loop_sched(loop);
    struct hf_connection *stream = calloc(1, sizeof(*stream));
    int r = 0;

    if (stream == NULL)
        return hf_err_set(err, ENOMEM, "no memory");
    stream->loop = loop;
    stream->params = *params;
    stream->fd = -1;
    stream->out = (struct hf_buf)HF_BUF_INIT(HF_CONNECTION_MAX_SEND);
    if (strlen(params->host) >= sizeof(stream->host))
        r = hf_err_set(err, EINVAL, "the name of the host is too long");
    else
        (void)snprintf(stream->host, sizeof(stream->host), "%s", params->host);
    stream->timer = sched->timer_new(sched->ctx, on_timer, stream);
    if (r == 0 && stream->timer == NULL)
        r = hf_err_set(err, ENOMEM, "no memory");
    if (r == 0 && params->tls)
        r = prepare_tls(stream, err);
    if (r == 0)
        r = begin_lookup(stream, err);
    if (r < 0) {
        hf_connection_close(stream);
        return r;
    }
    sched->timer_arm(sched->ctx, stream->timer, HF_CONNECTION_CONNECT_S * HF_NS_PER_S);
    *ret_stream = stream;
    return 0;
}

void hf_connection_close(struct hf_connection *stream)
{
    if (stream == NULL)
        return;
    if (stream->gone != NULL)
        *stream->gone = true;
    if (stream->lookup != NULL)
        stream->lookup->stream = NULL;
    disconnect(stream);
    if (stream->timer != NULL)
        hf_loop_sched(stream->loop)->timer_free(hf_loop_sched(stream->loop)->ctx, stream->timer);
    SSL_CTX_free(stream->context);
    hf_buf_done(&stream->out);
    free(stream);
}
