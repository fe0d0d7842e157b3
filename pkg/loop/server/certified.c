/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: handshake, one request, one answer, end.
 *
 * The bytes of all connections come from one bucket, which a tick refills while there are connections: a connection
 * that finds it empty watches for nothing and goes on at the tick. The same tick ends connections that are late. Each
 * connection gets a TLS context of its own, so that a new identity, and the clock's range at this moment, count from
 * the next one on; sessions are not resumed, so each connection shows a certificate.
 *
 * A file is read with pread() on the loop thread, 16 KiB at a time, after the kernel was asked to read ahead. */
#include "loop/server/certified.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bucket.h"
#include "loop/http/tls.h"
#include "loop/server/listener.h"
#include "os/fd.h"

enum { PIECE = 16384, AHEAD = 256 << 10, TURN = 16 * PIECE };
#define TICK_NS (50 * HF_NS_PER_MS)

enum certified_state { HANDSHAKE, HEAD, ANSWER };

struct connection {
    struct hf_accepted accepted;
    struct hf_certified *server;
    struct sockaddr_storage from;
    char node[HF_HTTP_NODE];
    enum certified_state state;
    int file;
    SSL_CTX *context;
    SSL *ssl;
    bool starved; /* the bucket was empty */
    struct hf_certified_answer answer;
    size_t head_n, head_sent;
    unsigned char piece[PIECE]; /* what TLS has not taken yet: it must be offered again unchanged */
    size_t piece_n;
};

struct hf_certified {
    struct hf_certified_params p;
    struct hf_listener listener;
    struct hf_tls *tls;
    uint64_t tokens, filled_ns; /* bytes */
    struct hf_bucket accepts;
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

static struct connection *connection_of(struct hf_list *link)
{
    return hf_container_of(link, struct connection, accepted.link);
}

static void end(struct connection *connection)
{
    if (connection->ssl != NULL && connection->state != HANDSHAKE)
        (void)SSL_shutdown(connection->ssl);
    SSL_free(connection->ssl);
    SSL_CTX_free(connection->context);
    ERR_clear_error();
    hf_listener_drop(&connection->accepted);
    hf_closep(&connection->file);
    free(connection);
}

static void end_all(struct hf_certified *server)
{
    while (!hf_list_empty(&server->listener.connections))
        end(connection_of(server->listener.connections.next));
}

static void end_refused(struct connection *connection, enum hf_certified_refusal why)
{
    const struct hf_certified *server = connection->server;

    end(connection);
    refused(server, why);
}

/* What TLS waits for. False: the connection is broken. */
static bool wait_for_tls(struct connection *connection, int result)
{
    int why = SSL_get_error(connection->ssl, result);

    ERR_clear_error();
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        return false;
    hf_loop_rewatch_fd(connection->accepted.watch, why == SSL_ERROR_WANT_READ, why == SSL_ERROR_WANT_WRITE);
    return true;
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
        hf_listener_extend(&connection->accepted, HF_CERTIFIED_IDLE_S);
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
    if (r < 0)
        end(connection);
    else if (r == 1 || connection->starved)
        hf_loop_rewatch_fd(connection->accepted.watch, false, r == 1);
    return r >= 0;
}

static void answer(struct connection *connection)
{
    struct hf_certified *server = connection->server;
    const struct hf_certified_request request = {
        .node = connection->node, .from = &connection->from, .head = hf_buf_view(&connection->accepted.in)};

    connection->answer = (struct hf_certified_answer){.fd = -1};
    server->p.asked(server->p.arg, &request, &connection->answer);
    connection->head_n = strlen(connection->answer.head);
    connection->state = ANSWER;
    hf_listener_extend(&connection->accepted, HF_CERTIFIED_IDLE_S);
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
    if (hf_buf_add(&connection->accepted.in, bytes, (size_t)n) < 0 ||
        (connection->accepted.in.n == HF_CERTIFIED_HEAD &&
         memmem(connection->accepted.in.p, connection->accepted.in.n, "\r\n\r\n", 4) == NULL)) {
        end_refused(connection, HF_CERTIFIED_REFUSED_REQUEST);
        return;
    }
    if (memmem(connection->accepted.in.p, connection->accepted.in.n, "\r\n\r\n", 4) != NULL)
        answer(connection);
    else
        hf_loop_rewatch_fd(connection->accepted.watch, true, SSL_pending(connection->ssl) > 0);
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

    hf_list_each(it, next, &server->listener.connections)
        own += same_address(&connection_of(it)->from, from);
    return server->listener.n < HF_CERTIFIED_CONNECTIONS && own < HF_CERTIFIED_OF_ADDRESS;
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
    return connection->ssl != NULL && SSL_set_fd(connection->ssl, connection->accepted.fd) == 1;
}

/* A quarter of what a second allows. */
static void refill(struct hf_certified *server)
{
    uint64_t now_ns = uv_hrtime(), passed_ns = HF_MIN(now_ns - server->filled_ns, HF_NS_PER_S);
    uint64_t most = HF_MAX(server->p.bytes_per_s / 4, (uint64_t)PIECE);

    server->tokens = HF_MIN(most, server->tokens + server->p.bytes_per_s / 1000 * (passed_ns / HF_NS_PER_MS));
    server->filled_ns = passed_ns < HF_NS_PER_S ? server->filled_ns + passed_ns / HF_NS_PER_MS * HF_NS_PER_MS : now_ns;
}

static void on_accepted(void *arg, int fd, const struct sockaddr_storage *from)
{
    struct hf_certified *server = arg;
    struct connection *connection;

    refill(server);
    if (server->p.admits != NULL && !server->p.admits(server->p.arg, from)) {
        (void)close(fd);
        refused(server, HF_CERTIFIED_REFUSED_ADDRESS);
        return;
    }
    uint64_t gap_ns = HF_NS_PER_S / HF_CERTIFIED_PER_S, now_ns = uv_hrtime();
    bool may = hf_bucket_wait_ns(&server->accepts, HF_CERTIFIED_PER_S, gap_ns, now_ns) == 0 && has_place(server, from);
    connection = may ? calloc(1, sizeof(*connection)) : NULL;
    if (connection == NULL) {
        (void)close(fd);
        refused(server, HF_CERTIFIED_REFUSED_FULL);
        return;
    }
    hf_bucket_spend(&server->accepts, gap_ns, now_ns);
    connection->server = server;
    connection->from = *from;
    connection->file = -1;
    connection->accepted.in.max = HF_CERTIFIED_HEAD;
    hf_listener_extend(&connection->accepted, HF_CERTIFIED_HEAD_S);
    if (hf_listener_admit(&connection->accepted, &server->listener, fd, on_ready, connection) == 0 &&
        begin_tls(connection))
        return;
    ERR_clear_error();
    end(connection);
}

/* Each tick another connection is the first at the bucket. */
static void on_tick(void *arg)
{
    struct hf_certified *server = arg;
    uint64_t now_ns = uv_hrtime();
    struct hf_list *all = &server->listener.connections, *first = all->next, *it, *next;

    refill(server);
    if (first != all) {
        hf_list_remove(first);
        hf_list_append(all, first);
    }
    hf_list_each(it, next, all) {
        struct connection *connection = connection_of(it);
        if (now_ns >= connection->accepted.until_ns && !connection->starved)
            connection->state == ANSWER ? end(connection) : end_refused(connection, HF_CERTIFIED_REFUSED_REQUEST);
        else if (connection->starved)
            (void)go_on(connection);
    }
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

int hf_certified_new(struct hf_loop *loop, const struct hf_certified_params *params, const struct hf_http_config *tls,
                     struct hf_certified **ret_server, struct hf_err *err)
{
    struct hf_certified *server = calloc(1, sizeof(*server));

    if (server == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for a server");
    server->p = *params;
    server->filled_ns = uv_hrtime() - HF_NS_PER_S;
    server->listener =
        (struct hf_listener){.loop = loop, .tick_ns = TICK_NS, .accepted = on_accepted, .tick = on_tick, .arg = server};
    int r = hf_listener_init(&server->listener, params->address, params->port, err);
    if (r == 0)
        r = hf_tls_new(tls, &server->tls, err);
    if (r < 0) {
        hf_certified_free(server);
        return r;
    }
    server->p.address = NULL; /* borrowed until here */
    *ret_server = server;
    return 0;
}

uint16_t hf_certified_port(const struct hf_certified *server)
{
    return server->listener.port;
}

void hf_certified_free(struct hf_certified *server)
{
    if (server == NULL)
        return;
    end_all(server);
    hf_listener_done(&server->listener);
    hf_tls_unref(server->tls);
    free(server);
}
