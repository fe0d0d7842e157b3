/* SPDX-License-Identifier: Apache-2.0 */
/* A connection waits for its head, then for what its owner sends. Bytes go to the kernel when the descriptor is
 * writable, never inside _send(), so that a callback finds the exchange as it left it. What ends inside a callback is
 * freed by the turn that follows it: `over` marks it, and on_ready() and on_tick() free it. A tick of a second ends
 * what is late.
 *
 * A newcomer to a full server takes the place of a connection whose head is not here yet: the oldest of the user who
 * has most of these. So who connects, and sends nothing, keeps nobody out, and no answer ends for a newcomer. */
#include "loop/server/streamed.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/server/listener.h"
#include "loop/server/seats.h"
#include "os/fd.h"
#include "os/socket/peer.h"

enum exchange_state { HEAD, ANSWER, LAST, OVER };

struct hf_streamed_exchange {
    struct hf_accepted accepted;
    struct hf_streamed *server;
    uint64_t peer;             /* hf_peer.key */
    enum exchange_state state; /* LAST: ends after the bytes that wait; OVER: to be freed */
    bool full;                 /* the owner waits for `drained` */
    struct hf_buf out;
    size_t sent; /* of `out` */
    void *owner;
};

struct hf_streamed {
    struct hf_streamed_params p;
    struct hf_listener listener;
    struct hf_peer_lookup lookup;
    struct hf_peer_ends ends; /* .peer: of the newest connection */
};

static struct hf_streamed_exchange *exchange_of(struct hf_list *link)
{
    return hf_container_of(link, struct hf_streamed_exchange, accepted.link);
}

static void release(struct hf_streamed_exchange *exchange)
{
    void *owner = hf_steal(exchange->owner);

    if (owner != NULL)
        exchange->server->p.gone(owner);
    hf_listener_drop(&exchange->accepted);
    hf_buf_done(&exchange->out);
    free(exchange);
}

/* ---- the owner's side -------------------------------------------------------------------------------------------- */

void hf_streamed_attend(struct hf_streamed_exchange *exchange, void *owner)
{
    exchange->owner = owner;
}

int hf_streamed_send(struct hf_streamed_exchange *exchange, const void *bytes, size_t n)
{
    assert(exchange->state == ANSWER);
    if (exchange->sent > 0) {
        hf_buf_consume(&exchange->out, exchange->sent);
        exchange->sent = 0;
    }
    if (exchange->out.n == 0)
        hf_listener_extend(&exchange->accepted, HF_STREAMED_IDLE_S);
    int r = hf_buf_add(&exchange->out, bytes, n);
    if (r < 0)
        return r;
    hf_loop_rewatch_fd(exchange->accepted.watch, true, true);
    exchange->full = exchange->out.n > HF_STREAMED_AHEAD;
    return exchange->full;
}

/* The next turn of the loop closes it. */
static void close_soon(struct hf_streamed_exchange *exchange, enum exchange_state state)
{
    exchange->owner = NULL;
    exchange->state = state;
    hf_loop_rewatch_fd(exchange->accepted.watch, true, true);
}

void hf_streamed_end(struct hf_streamed_exchange *exchange)
{
    close_soon(exchange, LAST);
}

/* With bytes that wait dropped, and a reset for those on their way. */
void hf_streamed_abort(struct hf_streamed_exchange *exchange)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(exchange->accepted.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close_soon(exchange, OVER);
}

/* ---- the client's side ------------------------------------------------------------------------------------------- */

/* False: the connection is broken. */
static bool put(struct hf_streamed_exchange *exchange)
{
    size_t left = exchange->out.n - exchange->sent;
    ssize_t n =
        left > 0 ? send(exchange->accepted.fd, exchange->out.p + exchange->sent, left, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    exchange->sent += (size_t)n;
    if (n > 0)
        hf_listener_extend(&exchange->accepted, HF_STREAMED_IDLE_S);
    if (exchange->sent < exchange->out.n)
        return true;
    hf_buf_clear(&exchange->out);
    exchange->sent = 0;
    if (exchange->state == LAST)
        return false;
    hf_loop_rewatch_fd(exchange->accepted.watch, true, false);
    if (exchange->full && exchange->owner != NULL) {
        exchange->full = false;
        exchange->server->p.drained(exchange->owner);
    }
    return exchange->state != OVER;
}

/* The head; later only the end of the client, whose other bytes mean nothing. */
static bool take(struct hf_streamed_exchange *exchange)
{
    char bytes[4096];
    ssize_t n = recv(exchange->accepted.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0)
        return false;
    if (exchange->state != HEAD)
        return true;
    if (hf_buf_add(&exchange->accepted.in, bytes, (size_t)n) < 0)
        return false;
    if (memmem(exchange->accepted.in.p, exchange->accepted.in.n, "\r\n\r\n", 4) == NULL)
        return exchange->accepted.in.n < HF_STREAMED_HEAD;
    exchange->state = ANSWER;
    exchange->accepted.until_ns = UINT64_MAX; /* the owner's time */
    exchange->server->p.asked(exchange->server->p.arg, exchange, hf_buf_view(&exchange->accepted.in));
    hf_buf_done(&exchange->accepted.in);
    return exchange->state != OVER;
}

static void on_ready(void *arg)
{
    struct hf_streamed_exchange *exchange = arg;

    if (exchange->state == OVER || !take(exchange) || (exchange->state != HEAD && !put(exchange)))
        release(exchange);
}

/* False: all are being answered. */
static bool make_room(struct hf_streamed *server, uint64_t peer)
{
    struct hf_streamed_exchange *waiting[HF_STREAMED_CONNECTIONS];
    struct hf_server_seat seats[HF_STREAMED_CONNECTIONS];
    struct hf_list *it, *next;
    size_t n = 0;

    if (server->listener.n < HF_STREAMED_CONNECTIONS)
        return true;
    hf_list_each(it, next, &server->listener.connections) {
        struct hf_streamed_exchange *exchange = exchange_of(it);
        if (exchange->state != HEAD)
            continue;
        seats[n] = (struct hf_server_seat){.peer = exchange->peer};
        waiting[n++] = exchange;
    }
    int i = hf_server_seats_choose(seats, n, peer, true);
    if (i >= 0)
        release(waiting[i]);
    return i >= 0;
}

static void on_accepted(void *arg, int fd, const struct sockaddr_storage *from)
{
    struct hf_streamed *server = arg;
    struct hf_streamed_exchange *exchange;
    struct hf_peer peer;

    server->ends.peer = *from;
    hf_peer_of(&server->lookup, fd, &server->ends, &peer);
    exchange = make_room(server, peer.key) ? calloc(1, sizeof(*exchange)) : NULL;
    if (exchange == NULL) {
        (void)close(fd);
        return;
    }
    exchange->server = server;
    exchange->peer = peer.key;
    exchange->accepted.in.max = HF_STREAMED_HEAD;
    exchange->out.max = HF_STREAMED_MOST;
    hf_listener_extend(&exchange->accepted, HF_STREAMED_HEAD_S);
    if (hf_listener_admit(&exchange->accepted, &server->listener, fd, on_ready, exchange) < 0)
        release(exchange);
}

static void on_tick(void *arg)
{
    struct hf_streamed *server = arg;
    uint64_t now_ns = uv_hrtime();
    struct hf_list *it, *next;

    hf_list_each(it, next, &server->listener.connections) {
        struct hf_streamed_exchange *exchange = exchange_of(it);
        bool waits = exchange->state == HEAD || exchange->state == LAST || exchange->out.n > exchange->sent;
        if (exchange->state == OVER || (waits && now_ns >= exchange->accepted.until_ns))
            release(exchange);
    }
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

int hf_streamed_new(struct hf_loop *loop, const struct hf_streamed_params *params, struct hf_streamed **ret_server,
                    struct hf_err *err)
{
    struct hf_streamed *server = calloc(1, sizeof(*server));

    if (server == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for a server");
    server->p = *params;
    hf_peer_lookup_open(&server->lookup);
    server->listener = (struct hf_listener){
        .loop = loop, .tick_ns = HF_NS_PER_S, .accepted = on_accepted, .tick = on_tick, .arg = server};
    int r = hf_listener_init(&server->listener, params->address, params->port, err);
    if (r < 0) {
        hf_streamed_free(server);
        return r;
    }
    server->p.address = NULL; /* borrowed until here */
    hf_peer_ends_of_listener(server->listener.fd, &server->ends);
    *ret_server = server;
    return 0;
}

uint16_t hf_streamed_port(const struct hf_streamed *server)
{
    return server->listener.port;
}

size_t hf_streamed_holds(const struct hf_streamed *server)
{
    size_t bytes = 0;

    for (struct hf_list *it = server->listener.connections.next; it != &server->listener.connections; it = it->next)
        bytes += exchange_of(it)->out.cap;
    return bytes;
}

void hf_streamed_free(struct hf_streamed *server)
{
    if (server == NULL)
        return;
    while (!hf_list_empty(&server->listener.connections))
        release(exchange_of(server->listener.connections.next));
    hf_listener_done(&server->listener);
    hf_peer_lookup_close(&server->lookup);
    free(server);
}
