/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: handshake, one request, one answer, end.
 *
 * The bytes of all connections come from one bucket, which a tick refills while there are connections: a connection
 * that finds it empty watches for nothing and goes on at the tick. The same tick ends connections that are late. An
 * idle server has no timer. Each connection gets a TLS context of its own, so that a new identity, and the clock's
 * range at this moment, count from the next one on; sessions are not resumed, so each connection shows a certificate.
 *
 * A process without a free descriptor cannot accept, and the listener stays readable: the server then looks away from
 * it until a tick.
 *
 * A file is read with pread() on the loop thread, 16 KiB at a time, after the kernel was asked to read ahead. */
#include "loop/server/certified.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "loop/core.h"
#include "loop/http/tls.h"
#include "os/fd.h"

enum { PIECE = 16384, AHEAD = 256 << 10, TURN = 16 * PIECE, BACKLOG = 64, ACCEPT_AT_ONCE = 16 };
#define TICK_NS (50 * HF_NS_PER_MS)

enum certified_state { HANDSHAKE, HEAD, ANSWER };

struct connection {
    struct hf_list link;
    struct hf_certified *server;
    struct sockaddr_storage from;
    char node[HF_HTTP_NODE];
    enum certified_state state;
    int fd, file;
    SSL_CTX *context;
    SSL *ssl;
    struct hf_loop_fd *watch;
    bool watch_read, watch_write, starved; /* the bucket was empty */
    uint64_t until_ns;
    struct hf_buf in;
    struct hf_certified_answer answer;
    size_t head_n, head_sent;
    unsigned char piece[PIECE]; /* what TLS has not taken yet: it must be offered again unchanged */
    size_t piece_n;
};

struct hf_certified {
    struct hf_loop *loop;
    struct hf_certified_params p;
    struct hf_tls *tls;
    int listen_fd;
    uint16_t port;
    struct hf_loop_fd *watch;
    struct hf_timer *timer;
    struct hf_list connections;
    unsigned n;
    uint64_t tokens, accepts, filled_ns;
};

const char *hf_certified_refusal_name(enum hf_certified_refusal refusal)
{
    static const char *const names[HF_CERTIFIED_REFUSALS] = {[HF_CERTIFIED_REFUSED_ADDRESS] = "address",
                                                             [HF_CERTIFIED_REFUSED_FULL] = "full",
                                                             [HF_CERTIFIED_REFUSED_CERTIFICATE] = "certificate",
                                                             [HF_CERTIFIED_REFUSED_REQUEST] = "request"};

    return names[refusal];
}

static void refused(const struct hf_certified *server, enum hf_certified_refusal why)
{
    if (server->p.refused != NULL)
        server->p.refused(server->p.arg, why);
}

/* ---- one connection ---------------------------------------------------------------------------------------------- */

static void on_ready(void *arg);

static int watch(struct connection *connection, bool readable, bool writable)
{
    if (connection->watch != NULL && connection->watch_read == readable && connection->watch_write == writable)
        return 0;
    if (connection->watch != NULL)
        hf_loop_unwatch_fd(connection->watch);
    connection->watch = NULL;
    connection->watch_read = readable;
    connection->watch_write = writable;
    return readable || writable ? hf_loop_watch_fd(connection->server->loop, connection->fd, readable, writable,
                                                   on_ready, connection, &connection->watch)
                                : 0;
}

static void end(struct connection *connection)
{
    struct hf_certified *server = connection->server;

    hf_list_remove(&connection->link);
    server->n--;
    if (connection->watch != NULL)
        hf_loop_unwatch_fd(connection->watch);
    if (connection->ssl != NULL && connection->state != HANDSHAKE)
        (void)SSL_shutdown(connection->ssl);
    SSL_free(connection->ssl);
    SSL_CTX_free(connection->context);
    ERR_clear_error();
    hf_closep(&connection->fd);
    hf_closep(&connection->file);
    hf_buf_done(&connection->in);
    free(connection);
}

static void end_refused(struct connection *connection, enum hf_certified_refusal why)
{
    const struct hf_certified *server = connection->server;

    end(connection);
    refused(server, why);
}

static void touch(struct connection *connection, unsigned seconds)
{
    connection->until_ns = uv_hrtime() + seconds * HF_NS_PER_S;
}

/* What TLS waits for. False: the connection is broken. */
static bool wait_for_tls(struct connection *connection, int result)
{
    int why = SSL_get_error(connection->ssl, result);

    ERR_clear_error();
    return (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) &&
           watch(connection, why == SSL_ERROR_WANT_READ, why == SSL_ERROR_WANT_WRITE) == 0;
}

/* ---- answering --------------------------------------------------------------------------------------------------- */

/* Reads the next piece, as much as the bucket has. 0: there is none, or the bucket is empty (`starved`). */
static ssize_t next_piece(struct connection *connection)
{
    struct hf_certified *server = connection->server;
    struct hf_certified_answer *answer = &connection->answer;
    size_t n = (size_t)HF_MIN(HF_MIN(answer->n, (uint64_t)PIECE), server->tokens);

    connection->starved = answer->n > 0 && n == 0;
    if (n == 0)
        return 0;
    if (answer->at % AHEAD < PIECE)
        (void)posix_fadvise(connection->file, (off_t)answer->at, AHEAD, POSIX_FADV_WILLNEED);
    ssize_t got = pread(connection->file, connection->piece, n, (off_t)answer->at);
    if (got <= 0)
        return got < 0 ? -errno : -EIO; /* the file was cut short */
    answer->at += (uint64_t)got;
    answer->n -= (uint64_t)got;
    server->tokens -= (uint64_t)got;
    connection->piece_n = (size_t)got;
    return got;
}

/* Offers bytes to TLS. 1: taken, 0: waits, < 0: broken. */
static int offer(struct connection *connection, const void *bytes, size_t n)
{
    ERR_clear_error();
    int put = SSL_write(connection->ssl, bytes, (int)n);

    if (put > 0) {
        touch(connection, HF_CERTIFIED_IDLE_S);
        return 1;
    }
    return wait_for_tls(connection, put) ? 0 : -EPIPE;
}

/* Sends what it may in this turn. False: the connection has ended. */
static bool go_on(struct connection *connection)
{
    struct hf_certified *server = connection->server;
    int r = 1;

    connection->starved = false;
    if (connection->head_sent < connection->head_n) {
        r = offer(connection, connection->answer.head, connection->head_n);
        connection->head_sent = r == 1 ? connection->head_n : 0;
    }
    for (size_t sent = 0; r == 1 && sent < TURN;) {
        ssize_t n = connection->piece_n > 0 ? (ssize_t)connection->piece_n : next_piece(connection);
        if (n <= 0) {
            r = n < 0 ? (int)n : connection->starved ? 0 : -ENODATA;
            break;
        }
        r = offer(connection, connection->piece, connection->piece_n);
        if (r == 1) {
            if (server->p.sent != NULL)
                server->p.sent(server->p.arg, connection->piece_n);
            sent += connection->piece_n;
            connection->piece_n = 0;
        }
    }
    if (r == 1)
        r = watch(connection, false, true) < 0 ? -ENOMEM : 0;
    else if (connection->starved)
        r = watch(connection, false, false) < 0 ? -ENOMEM : 0;
    if (r < 0)
        end(connection);
    return r >= 0;
}

static void answer(struct connection *connection)
{
    struct hf_certified *server = connection->server;
    const struct hf_certified_request request = {
        .node = connection->node, .from = &connection->from, .head = hf_buf_view(&connection->in)};

    connection->answer = (struct hf_certified_answer){.fd = -1};
    server->p.asked(server->p.arg, &request, &connection->answer);
    connection->head_n = strlen(connection->answer.head);
    connection->state = ANSWER;
    touch(connection, HF_CERTIFIED_IDLE_S);
    if (connection->answer.n > 0)
        connection->file = fcntl(connection->answer.fd, F_DUPFD_CLOEXEC, 0);
    if (connection->answer.n > 0 && connection->file < 0)
        end(connection);
    else
        (void)go_on(connection);
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

static void read_head(struct connection *connection)
{
    char bytes[HF_CERTIFIED_HEAD];

    ERR_clear_error();
    int n = SSL_read(connection->ssl, bytes, (int)sizeof(bytes));
    if (n <= 0) {
        if (!wait_for_tls(connection, n))
            end(connection);
        return;
    }
    if (hf_buf_add(&connection->in, bytes, (size_t)n) < 0 ||
        (connection->in.n == HF_CERTIFIED_HEAD && memmem(connection->in.p, connection->in.n, "\r\n\r\n", 4) == NULL)) {
        end_refused(connection, HF_CERTIFIED_REFUSED_REQUEST);
        return;
    }
    if (memmem(connection->in.p, connection->in.n, "\r\n\r\n", 4) != NULL)
        answer(connection);
    else if (watch(connection, true, SSL_pending(connection->ssl) > 0) < 0)
        end(connection);
}

static void shake_hands(struct connection *connection)
{
    ERR_clear_error();
    int r = SSL_accept(connection->ssl);

    if (r != 1) {
        if (!wait_for_tls(connection, r))
            end_refused(connection, HF_CERTIFIED_REFUSED_CERTIFICATE);
        return;
    }
    X509 *certificate = SSL_get1_peer_certificate(connection->ssl);
    r = certificate != NULL && SSL_get_verify_result(connection->ssl) == X509_V_OK
            ? hf_tls_agent_node(certificate, connection->node)
            : -EACCES;
    X509_free(certificate);
    if (r < 0) {
        end_refused(connection, HF_CERTIFIED_REFUSED_CERTIFICATE);
        return;
    }
    connection->state = HEAD;
    read_head(connection);
}

static void on_ready(void *arg)
{
    struct connection *connection = arg;

    if (connection->state == HANDSHAKE)
        shake_hands(connection);
    else if (connection->state == HEAD)
        read_head(connection);
    else
        (void)go_on(connection);
}

/* ---- accepting --------------------------------------------------------------------------------------------------- */

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    if (a->ss_family != b->ss_family)
        return false;
    if (a->ss_family == AF_INET)
        return ((const struct sockaddr_in *)a)->sin_addr.s_addr == ((const struct sockaddr_in *)b)->sin_addr.s_addr;
    return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr, &((const struct sockaddr_in6 *)b)->sin6_addr, 16) == 0;
}

static bool has_place(const struct hf_certified *server, const struct sockaddr_storage *from)
{
    struct hf_list *it, *next;
    unsigned own = 0;

    hf_list_each(it, next, &server->connections)
        own += same_address(&hf_container_of(it, struct connection, link)->from, from);
    return server->n < HF_CERTIFIED_CONNECTIONS && own < HF_CERTIFIED_OF_ADDRESS;
}

static bool begin_tls(struct connection *connection)
{
    connection->context = SSL_CTX_new(TLS_server_method());
    if (connection->context == NULL)
        return false;
    (void)SSL_CTX_set_min_proto_version(connection->context, TLS1_2_VERSION);
    (void)SSL_CTX_set_mode(connection->context, SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_cache_mode(connection->context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_num_tickets(connection->context, 0);
    (void)SSL_CTX_set_options(connection->context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    if (hf_tls_apply_server(connection->server->tls, connection->context) < 0)
        return false;
    connection->ssl = SSL_new(connection->context);
    return connection->ssl != NULL && SSL_set_fd(connection->ssl, connection->fd) == 1;
}

static void on_waiting(void *arg);

static void tick_later(struct hf_certified *server)
{
    const struct hf_sched_ops *sched = hf_loop_sched(server->loop);

    sched->timer_arm(sched->ctx, server->timer, TICK_NS);
}

static int look_at_listener(struct hf_certified *server)
{
    return server->watch != NULL
               ? 0
               : hf_loop_watch_fd(server->loop, server->listen_fd, true, false, on_waiting, server, &server->watch);
}

static void look_away(struct hf_certified *server)
{
    hf_loop_unwatch_fd(server->watch);
    server->watch = NULL;
    tick_later(server);
}

/* Both buckets hold what comes in a second, the one of bytes a quarter of it. */
static void refill(struct hf_certified *server)
{
    uint64_t now_ns = uv_hrtime(), passed_ns = HF_MIN(now_ns - server->filled_ns, HF_NS_PER_S);
    uint64_t most = HF_MAX(server->p.bytes_per_s / 4, (uint64_t)PIECE);

    server->tokens = HF_MIN(most, server->tokens + server->p.bytes_per_s / 1000 * (passed_ns / HF_NS_PER_MS));
    server->accepts =
        HF_MIN((uint64_t)HF_CERTIFIED_PER_S * 1000, server->accepts + HF_CERTIFIED_PER_S * (passed_ns / HF_NS_PER_MS));
    server->filled_ns = passed_ns < HF_NS_PER_S ? server->filled_ns + passed_ns / HF_NS_PER_MS * HF_NS_PER_MS : now_ns;
}

static void take(struct hf_certified *server, int fd, const struct sockaddr_storage *from)
{
    struct connection *connection;
    int on = 1;

    refill(server);
    if (server->p.admits != NULL && !server->p.admits(server->p.arg, from)) {
        (void)close(fd);
        refused(server, HF_CERTIFIED_REFUSED_ADDRESS);
        return;
    }
    connection = server->accepts >= 1000 && has_place(server, from) ? calloc(1, sizeof(*connection)) : NULL;
    if (connection == NULL) {
        (void)close(fd);
        refused(server, HF_CERTIFIED_REFUSED_FULL);
        return;
    }
    server->accepts -= 1000;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connection->server = server;
    connection->from = *from;
    connection->fd = fd;
    connection->file = -1;
    connection->in.max = HF_CERTIFIED_HEAD;
    touch(connection, HF_CERTIFIED_HEAD_S);
    hf_list_append(&server->connections, &connection->link);
    if (server->n++ == 0)
        tick_later(server);
    if (begin_tls(connection) && watch(connection, true, false) == 0)
        return;
    ERR_clear_error();
    end(connection);
}

static void on_waiting(void *arg)
{
    struct hf_certified *server = arg;

    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
        socklen_t n = sizeof(from);
        int fd = accept4(server->listen_fd, (struct sockaddr *)&from, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
            look_away(server);
        if (fd < 0)
            return;
        take(server, fd, &from);
    }
}

/* Each tick another connection is the first at the bucket. */
static void on_tick(void *arg)
{
    struct hf_certified *server = arg;
    uint64_t now_ns = uv_hrtime();
    struct hf_list *first = server->connections.next, *it, *next;

    refill(server);
    if (first != &server->connections) {
        hf_list_remove(first);
        hf_list_append(&server->connections, first);
    }
    hf_list_each(it, next, &server->connections) {
        struct connection *connection = hf_container_of(it, struct connection, link);
        if (now_ns >= connection->until_ns && !connection->starved)
            connection->state == ANSWER ? end(connection) : end_refused(connection, HF_CERTIFIED_REFUSED_REQUEST);
        else if (connection->starved)
            (void)go_on(connection);
    }
    if (look_at_listener(server) < 0 || server->n > 0)
        tick_later(server);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static int open_listener(struct hf_certified *server, struct hf_err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct sockaddr_storage bound;
    socklen_t n = sizeof(bound);
    struct addrinfo *info = NULL;
    char service[8];
    int on = 1;

    (void)snprintf(service, sizeof(service), "%u", server->p.port);
    if (getaddrinfo(server->p.address, service, &hints, &info) != 0)
        return hf_err_set(err, EINVAL, "'%.64s' is not an address", server->p.address);
    server->listen_fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = server->listen_fd < 0 || setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
                    bind(server->listen_fd, info->ai_addr, info->ai_addrlen) < 0 ||
                    listen(server->listen_fd, BACKLOG) < 0 ||
                    getsockname(server->listen_fd, (struct sockaddr *)&bound, &n) < 0
                ? -errno
                : 0;
    freeaddrinfo(info);
    if (r < 0)
        return hf_err_sys(err, r, "listen on %s:%u", server->p.address, server->p.port);
    server->port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                     : ((struct sockaddr_in *)&bound)->sin_port);
    return 0;
}

int hf_certified_new(struct hf_loop *loop, const struct hf_certified_params *params, const struct hf_http_config *tls,
                     struct hf_certified **ret_server, struct hf_err *err)
{
    const struct hf_sched_ops *sched = hf_loop_sched(loop);
    struct hf_certified *server = calloc(1, sizeof(*server));

    if (server == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for a server");
    server->loop = loop;
    server->p = *params;
    server->listen_fd = -1;
    server->filled_ns = uv_hrtime() - HF_NS_PER_S;
    hf_list_init(&server->connections);
    server->timer = sched->timer_new(sched->ctx, on_tick, server);
    int r = server->timer == NULL ? hf_err_set(err, ENOMEM, "not enough memory for a server")
                                  : hf_tls_new(tls, &server->tls, err);
    if (r == 0)
        r = open_listener(server, err);
    if (r == 0) {
        r = look_at_listener(server);
        r = r < 0 ? hf_err_sys(err, r, "watch the server") : 0;
    }
    if (r < 0) {
        hf_certified_free(server);
        return r;
    }
    server->p.address = NULL; /* borrowed until here */
    *ret_server = server;
    return 0;
}

int hf_certified_identify(struct hf_certified *server, const struct hf_http_config *config, struct hf_err *err)
{
    struct hf_tls *tls = NULL;
    int r = hf_tls_new(config, &tls, err);

    if (r < 0)
        return r;
    /* the connections that began with the old one have their own references to its parts, but not to it */
    while (!hf_list_empty(&server->connections))
        end(hf_container_of(server->connections.next, struct connection, link));
    hf_tls_unref(server->tls);
    server->tls = tls;
    return 0;
}

uint16_t hf_certified_port(const struct hf_certified *server)
{
    return server->port;
}

void hf_certified_free(struct hf_certified *server)
{
    if (server == NULL)
        return;
    const struct hf_sched_ops *sched = hf_loop_sched(server->loop);

    while (!hf_list_empty(&server->connections))
        end(hf_container_of(server->connections.next, struct connection, link));
    if (server->watch != NULL)
        hf_loop_unwatch_fd(server->watch);
    hf_closep(&server->listen_fd);
    if (server->timer != NULL)
        sched->timer_free(sched->ctx, server->timer);
    hf_tls_unref(server->tls);
    free(server);
}
