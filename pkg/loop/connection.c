/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP connection with or without TLS on the loop: look up, connect, shake hands, open.
 *
 * The name is looked up on a worker, because the resolver blocks; the lookup outlives a connection that is closed
 * meanwhile. The addresses are tried one after the other. The end is reported with its reason, and the owner then
 * closes.
 *
 * An owner may close the connection inside any callback, so code after a callback looks at `gone` before it touches
 * the connection. TLS may hold bytes that the socket no longer has: after a pause the socket is watched for
 * "writable", which fires at once, so that they are delivered. A failed send ends the connection in a later turn,
 * never inside the call. */
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

/* Belongs to the worker; outlives the connection. */
struct connection_lookup {
    struct hf_job job;
    struct hf_connection *connection; /* NULL: closed meanwhile */
    char host[MAX_HOST], service[8];
    struct sockaddr_storage addresses[MAX_ADDRESSES];
    socklen_t lengths[MAX_ADDRESSES];
    size_t n;
};

struct hf_connection {
    struct hf_loop *loop;
    struct hf_connection_params params; /* its strings are not used after opening */
    char host[MAX_HOST];
    enum connection_state state;
    struct connection_lookup *lookup;
    struct sockaddr_storage addresses[MAX_ADDRESSES]; /* left to try; the last one first */
    socklen_t lengths[MAX_ADDRESSES];
    size_t n_addresses;
    int fd;
    struct hf_loop_fd *watch;
    bool paused;
    struct hf_timer *timer;
    bool *gone; /* set to true when the connection closes */
    struct hf_buf out;
    SSL_CTX *context;
    SSL *ssl;
};

static void on_ready(void *arg);

static void disconnect(struct hf_connection *connection)
{
    hf_loop_unwatch_fd(&connection->watch);
    SSL_free(hf_steal(connection->ssl));
    if (connection->fd >= 0)
        (void)close(connection->fd);
    connection->fd = -1;
}

/* Reports the end to the owner, who closes the connection. */
static void end(struct hf_connection *connection, int r, const struct hf_err *err)
{
    disconnect(connection);
    connection->state = CLOSED;
    connection->params.closed(connection->params.arg, r, err);
}

static void end_with(struct hf_connection *connection, int r, const char *what)
{
    struct hf_err err = HF_ERR_INIT;

    (void)hf_err_sys(&err, r, "%s '%s' port %u", what, connection->host, connection->params.port);
    end(connection, r, &err);
}

/* ---- connecting -------------------------------------------------------------------------------------------------- */

static int begin_connect(struct hf_connection *connection)
{
    size_t i = --connection->n_addresses;
    int on = 1;

    connection->fd = socket(connection->addresses[i].ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connection->fd < 0)
        return -errno;
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(connection->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    if (connect(connection->fd, (const struct sockaddr *)&connection->addresses[i], connection->lengths[i]) < 0 &&
        errno != EINPROGRESS)
        return -errno;
    return hf_loop_watch_fd(connection->loop, connection->fd, false, true, on_ready, connection, &connection->watch);
}

/* Connects to the next address, or ends. */
static void try_next(struct hf_connection *connection, int r)
{
    while (connection->n_addresses > 0) {
        disconnect(connection);
        r = begin_connect(connection);
        if (r == 0)
            return;
    }
    end_with(connection, r, "connect to");
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
    struct hf_connection *connection = lookup->connection;

    if (connection != NULL && !cancelled) {
        connection->lookup = NULL;
        connection->state = CONNECTING;
        for (size_t i = 0; i < lookup->n; i++) { /* reversed, because the last one comes first */
            connection->addresses[i] = lookup->addresses[lookup->n - 1 - i];
            connection->lengths[i] = lookup->lengths[lookup->n - 1 - i];
        }
        connection->n_addresses = lookup->n;
        if (lookup->n == 0)
            end_with(connection, -EHOSTUNREACH, "find");
        else
            try_next(connection, -EHOSTUNREACH);
    } else if (connection != NULL) {
        connection->lookup = NULL;
    }
    free(lookup);
}

static void on_timer(void *arg)
{
    struct hf_connection *connection = arg;

    if (connection->state != OPEN && connection->state != CLOSED)
        end_with(connection, -ETIMEDOUT, "connect to");
}

/* ---- TLS --------------------------------------------------------------------------------------------------------- */

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

static int prepare_tls(struct hf_connection *connection, struct hf_err *err)
{
    const char *pem = connection->params.ca_pem;

    connection->context = SSL_CTX_new(TLS_client_method());
    if (connection->context == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for TLS");
    (void)SSL_CTX_set_min_proto_version(connection->context, TLS1_2_VERSION);
    (void)SSL_CTX_set_mode(connection->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(connection->context, SSL_VERIFY_PEER, NULL);
    if (pem != NULL ? add_trust(connection->context, pem) < 0
                    : SSL_CTX_set_default_verify_paths(connection->context) != 1)
        return hf_err_set(err, EBADMSG, "found no readable CA certificate");
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

static int begin_tls(struct hf_connection *connection)
{
    connection->ssl = SSL_new(connection->context);
    if (connection->ssl == NULL || SSL_set_fd(connection->ssl, connection->fd) != 1)
        return -ENOMEM;
    if (is_address(connection->host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection->ssl), connection->host) == 1 ? 0 : -EINVAL;
    return SSL_set1_host(connection->ssl, connection->host) == 1 &&
                   SSL_set_tlsext_host_name(connection->ssl, connection->host) == 1
               ? 0
               : -EINVAL;
}

static void opened(struct hf_connection *connection)
{
    connection->state = OPEN;
    hf_timer_disarm(hf_loop_sched(connection->loop), connection->timer);
    hf_loop_rewatch_fd(connection->watch, !connection->paused, false);
    connection->params.opened(connection->params.arg);
}

static void shake_hands(struct hf_connection *connection)
{
    struct hf_err err = HF_ERR_INIT;

    ERR_clear_error();
    int r = SSL_connect(connection->ssl);
    int why = r == 1 ? SSL_ERROR_NONE : SSL_get_error(connection->ssl, r);
    if (r == 1) {
        opened(connection);
    } else if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        hf_loop_rewatch_fd(connection->watch, why == SSL_ERROR_WANT_READ, why == SSL_ERROR_WANT_WRITE);
    } else {
        long verdict = SSL_get_verify_result(connection->ssl);
        (void)hf_err_set(&err, EKEYREJECTED, "TLS with '%s': %s", connection->host,
                         verdict != X509_V_OK ? X509_verify_cert_error_string(verdict)
                                              : "the peer ended the handshake");
        end(connection, -EKEYREJECTED, &err);
    }
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

/* Returns > 0: bytes; -EAGAIN; any other error: the end. */
static ssize_t receive_some(struct hf_connection *connection, void *bytes, size_t n)
{
    if (connection->ssl == NULL) {
        ssize_t got = recv(connection->fd, bytes, n, 0);
        return got > 0 ? got : got == 0 ? -EPIPE : -errno;
    }
    ERR_clear_error();
    int got = SSL_read(connection->ssl, bytes, (int)n);
    int why = got > 0 ? SSL_ERROR_NONE : SSL_get_error(connection->ssl, got);
    return got > 0 ? got : why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -EAGAIN : -EPIPE;
}

static ssize_t send_some(struct hf_connection *connection, const void *bytes, size_t n)
{
    if (connection->ssl == NULL) {
        ssize_t put = send(connection->fd, bytes, n, MSG_NOSIGNAL);
        return put >= 0 ? put : -errno;
    }
    ERR_clear_error();
    int put = SSL_write(connection->ssl, bytes, (int)HF_MIN(n, (size_t)16384));
    int why = put > 0 ? SSL_ERROR_NONE : SSL_get_error(connection->ssl, put);
    return put > 0 ? put : why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -EAGAIN : -EPIPE;
}

/* Sends what waits. 0, or the error that ends the connection. */
static int flush(struct hf_connection *connection)
{
    while (connection->out.n > 0) {
        ssize_t n = send_some(connection, connection->out.p, connection->out.n);
        if (n == -EAGAIN || n == 0)
            break;
        if (n < 0)
            return (int)n;
        hf_buf_consume(&connection->out, (size_t)n);
    }
    if (connection->out.n == 0)
        hf_buf_done(&connection->out);
    return 0;
}

static void receive(struct hf_connection *connection)
{
    char bytes[RECEIVE_BYTES];
    bool gone = false; /* closed inside `received` */

    for (int i = 0; i < AT_ONCE && !connection->paused; i++) {
        ssize_t n = receive_some(connection, bytes, sizeof(bytes));
        if (n == -EAGAIN || n == -EINTR)
            return;
        if (n < 0) {
            end_with(connection, (int)n, "receive from");
            return;
        }
        connection->gone = &gone;
        connection->params.received(connection->params.arg, bytes, (size_t)n);
        if (gone)
            return;
        connection->gone = NULL;
    }
}

static void on_ready(void *arg)
{
    struct hf_connection *connection = arg;
    int error = 0;
    socklen_t n = sizeof(error);

    if (connection->state == CONNECTING) {
        if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error != 0) {
            try_next(connection, -error);
            return;
        }
        if (!connection->params.tls) {
            opened(connection);
            return;
        }
        connection->state = HANDSHAKE;
        int r = begin_tls(connection);
        if (r < 0) {
            end_with(connection, r, "begin TLS with");
            return;
        }
    }
    if (connection->state == HANDSHAKE) {
        shake_hands(connection);
        return;
    }
    int r = flush(connection);
    if (r < 0) {
        end_with(connection, r, "send to");
        return;
    }
    hf_loop_rewatch_fd(connection->watch, !connection->paused, connection->out.n > 0);
    if (!connection->paused)
        receive(connection);
}

int hf_connection_send(struct hf_connection *connection, const void *bytes, size_t n)
{
    int r = connection->state != OPEN ? -ENOTCONN : hf_buf_add(&connection->out, bytes, n);

    /* Send in a later turn, so that an error ends the connection outside of this call. */
    if (r == 0)
        hf_loop_rewatch_fd(connection->watch, !connection->paused, true);
    return r;
}

void hf_connection_pause(struct hf_connection *connection, bool paused)
{
    connection->paused = paused;
    if (connection->state != OPEN)
        return;
    /* TLS may hold bytes that it has read already: watch for "writable", which fires at once, to deliver them. */
    hf_loop_rewatch_fd(connection->watch, !paused, connection->out.n > 0 || (!paused && connection->ssl != NULL));
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static int begin_lookup(struct hf_connection *connection, struct hf_err *err)
{
    struct connection_lookup *lookup = calloc(1, sizeof(*lookup));

    if (lookup == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    *lookup = (struct connection_lookup){.job = {.work = lookup_work, .done = lookup_done}, .connection = connection};
    (void)snprintf(lookup->host, sizeof(lookup->host), "%s", connection->host);
    (void)snprintf(lookup->service, sizeof(lookup->service), "%u", connection->params.port);
    int r = hf_job_submit(hf_loop_sched(connection->loop), &lookup->job);
    if (r < 0) {
        free(lookup);
        return hf_err_sys(err, r, "find '%s'", connection->host);
    }
    connection->lookup = lookup;
    return 0;
}

int hf_connection_open(struct hf_loop *loop, const struct hf_connection_params *params,
                       struct hf_connection **ret_connection, struct hf_err *err)
{
    const struct hf_sched_ops *sched = hf_loop_sched(loop);
    struct hf_connection *connection = calloc(1, sizeof(*connection));
    int r = 0;

    if (connection == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    connection->loop = loop;
    connection->params = *params;
    connection->fd = -1;
    connection->out = (struct hf_buf)HF_BUF_INIT(HF_CONNECTION_MAX_SEND);
    if (strlen(params->host) >= sizeof(connection->host))
        r = hf_err_set(err, EINVAL, "the name of the host is too long");
    else
        (void)snprintf(connection->host, sizeof(connection->host), "%s", params->host);
    connection->timer = hf_timer_new(sched, on_timer, connection);
    if (r == 0 && connection->timer == NULL)
        r = hf_err_set(err, ENOMEM, "out of memory");
    if (r == 0 && params->tls)
        r = prepare_tls(connection, err);
    if (r == 0)
        r = begin_lookup(connection, err);
    if (r < 0) {
        hf_connection_close(connection);
        return r;
    }
    hf_timer_arm(sched, connection->timer, HF_CONNECTION_CONNECT_S * HF_NS_PER_S);
    *ret_connection = connection;
    return 0;
}

void hf_connection_close(struct hf_connection *connection)
{
    if (connection == NULL)
        return;
    if (connection->gone != NULL)
        *connection->gone = true;
    if (connection->lookup != NULL)
        connection->lookup->connection = NULL;
    disconnect(connection);
    hf_timer_free(hf_loop_sched(connection->loop), connection->timer);
    SSL_CTX_free(connection->context);
    hf_buf_done(&connection->out);
    free(connection);
}
