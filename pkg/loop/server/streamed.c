/* SPDX-License-Identifier: Apache-2.0 */
/* A connection waits for its head, then for what its owner sends. Bytes go to the kernel when the descriptor is
 * writable, never inside _send(), so that a callback finds the exchange as it left it. What ends inside a callback is
 * freed by the turn that follows it: `over` marks it, and on_ready() and on_tick() free it.
 *
 * A tick of a second ends what is late; without connections there is no timer. A process without a free descriptor
 * looks away from the listener until the tick. */
#include "loop/server/streamed.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"
#include "loop/core.h"
#include "os/fd.h"

enum { BACKLOG = 64, ACCEPT_AT_ONCE = 16 };
#define TICK_NS HF_NS_PER_S

enum exchange_state { HEAD, ANSWER, LAST, OVER };

struct hf_streamed_exchange {
    struct hf_list link;
    struct hf_streamed *server;
    enum exchange_state state; /* LAST: ends after the bytes that wait; OVER: to be freed */
    int fd;
    struct hf_loop_fd *watch;
    bool watch_read, watch_write;
    bool full; /* the owner waits for `drained` */
    uint64_t until_ns;
    struct hf_buf in, out;
    size_t sent; /* of `out` */
    void *owner;
};

struct hf_streamed {
    struct hf_loop *loop;
    struct hf_streamed_params p;
    int listen_fd;
    uint16_t port;
    struct hf_loop_fd *watch;
    struct hf_timer *timer;
    struct hf_list exchanges;
    unsigned n;
};

static void on_ready(void *arg);
static void on_waiting(void *arg);

static int watch(struct hf_streamed_exchange *exchange, bool readable, bool writable)
{
    if (exchange->watch != NULL && exchange->watch_read == readable && exchange->watch_write == writable)
        return 0;
    if (exchange->watch != NULL)
        hf_loop_unwatch_fd(exchange->watch);
    exchange->watch = NULL;
    exchange->watch_read = readable;
    exchange->watch_write = writable;
    return hf_loop_watch_fd(exchange->server->loop, exchange->fd, readable, writable, on_ready, exchange,
                            &exchange->watch);
}

static void touch(struct hf_streamed_exchange *exchange, unsigned seconds)
{
    exchange->until_ns = uv_hrtime() + seconds * HF_NS_PER_S;
}

static void release(struct hf_streamed_exchange *exchange)
{
    void *owner = hf_steal(exchange->owner);

    if (owner != NULL)
        exchange->server->p.gone(owner);
    hf_list_remove(&exchange->link);
    exchange->server->n--;
    if (exchange->watch != NULL)
        hf_loop_unwatch_fd(exchange->watch);
    hf_closep(&exchange->fd);
    hf_buf_done(&exchange->in);
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
        touch(exchange, HF_STREAMED_IDLE_S);
    int r = hf_buf_add(&exchange->out, bytes, n);
    if (r == 0)
        r = watch(exchange, true, true);
    if (r < 0)
        return r;
    exchange->full = exchange->out.n > HF_STREAMED_AHEAD;
    return exchange->full;
}

/* The next turn of the loop closes it. */
static void close_soon(struct hf_streamed_exchange *exchange, enum exchange_state state)
{
    exchange->owner = NULL;
    exchange->state = state;
    if (watch(exchange, true, true) < 0)
        exchange->until_ns = 0; /* the tick does */
}

void hf_streamed_end(struct hf_streamed_exchange *exchange)
{
    close_soon(exchange, LAST);
}

/* With bytes that wait dropped, and a reset for those on their way. */
void hf_streamed_abort(struct hf_streamed_exchange *exchange)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(exchange->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close_soon(exchange, OVER);
}

/* ---- the client's side ------------------------------------------------------------------------------------------- */

/* False: the connection is broken. */
static bool put(struct hf_streamed_exchange *exchange)
{
    size_t left = exchange->out.n - exchange->sent;
    ssize_t n = left > 0 ? send(exchange->fd, exchange->out.p + exchange->sent, left, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    exchange->sent += (size_t)n;
    if (n > 0)
        touch(exchange, HF_STREAMED_IDLE_S);
    if (exchange->sent < exchange->out.n)
        return true;
    hf_buf_clear(&exchange->out);
    exchange->sent = 0;
    if (exchange->state == LAST)
        return false;
    if (watch(exchange, true, false) < 0)
        return false;
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
    ssize_t n = recv(exchange->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0)
        return false;
    if (exchange->state != HEAD)
        return true;
    if (hf_buf_add(&exchange->in, bytes, (size_t)n) < 0)
        return false;
    if (memmem(exchange->in.p, exchange->in.n, "\r\n\r\n", 4) == NULL)
        return exchange->in.n < HF_STREAMED_HEAD;
    exchange->state = ANSWER;
    exchange->until_ns = UINT64_MAX; /* the owner's time */
    exchange->server->p.asked(exchange->server->p.arg, exchange, hf_buf_view(&exchange->in));
    hf_buf_done(&exchange->in);
    return exchange->state != OVER;
}

static void on_ready(void *arg)
{
    struct hf_streamed_exchange *exchange = arg;

    if (exchange->state == OVER || !take(exchange) || (exchange->state != HEAD && !put(exchange)))
        release(exchange);
}

static void tick_later(struct hf_streamed *server)
{
    const struct hf_sched_ops *sched = hf_loop_sched(server->loop);

    sched->timer_arm(sched->ctx, server->timer, TICK_NS);
}

static int look_at_listener(struct hf_streamed *server)
{
    return server->watch != NULL
               ? 0
               : hf_loop_watch_fd(server->loop, server->listen_fd, true, false, on_waiting, server, &server->watch);
}

static void admit(struct hf_streamed *server, int fd)
{
    struct hf_streamed_exchange *exchange = server->n < HF_STREAMED_CONNECTIONS ? calloc(1, sizeof(*exchange)) : NULL;
    int on = 1;

    if (exchange == NULL) {
        (void)close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    *exchange = (struct hf_streamed_exchange){
        .server = server, .fd = fd, .in = {.max = HF_STREAMED_HEAD}, .out = {.max = HF_STREAMED_MOST}};
    touch(exchange, HF_STREAMED_HEAD_S);
    hf_list_append(&server->exchanges, &exchange->link);
    if (server->n++ == 0)
        tick_later(server);
    if (watch(exchange, true, false) < 0)
        release(exchange);
}

static void on_waiting(void *arg)
{
    struct hf_streamed *server = arg;

    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
            hf_loop_unwatch_fd(server->watch);
            server->watch = NULL;
            tick_later(server);
        }
        if (fd < 0)
            return;
        admit(server, fd);
    }
}

static void on_tick(void *arg)
{
    struct hf_streamed *server = arg;
    uint64_t now_ns = uv_hrtime();
    struct hf_list *it, *next;

    hf_list_each(it, next, &server->exchanges) {
        struct hf_streamed_exchange *exchange = hf_container_of(it, struct hf_streamed_exchange, link);
        bool waits = exchange->state == HEAD || exchange->state == LAST || exchange->out.n > exchange->sent;
        if (exchange->state == OVER || (waits && now_ns >= exchange->until_ns))
            release(exchange);
    }
    if (look_at_listener(server) < 0 || server->n > 0)
        tick_later(server);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static int open_listener(struct hf_streamed *server, struct hf_err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct sockaddr_storage bound;
    socklen_t n = sizeof(bound);
    struct addrinfo *info = NULL;
    char service[8];
    int on = 1;

    (void)snprintf(service, sizeof(service), "%u", server->p.port);
    if (getaddrinfo(server->p.address, service, &hints, &info) != 0 || info == NULL)
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

int hf_streamed_new(struct hf_loop *loop, const struct hf_streamed_params *params, struct hf_streamed **ret_server,
                    struct hf_err *err)
{
    const struct hf_sched_ops *sched = hf_loop_sched(loop);
    struct hf_streamed *server = calloc(1, sizeof(*server));

    if (server == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for a server");
    *server = (struct hf_streamed){.loop = loop, .p = *params, .listen_fd = -1};
    hf_list_init(&server->exchanges);
    server->timer = sched->timer_new(sched->ctx, on_tick, server);
    int r = server->timer == NULL ? hf_err_set(err, ENOMEM, "not enough memory for a server") : 0;
    if (r == 0)
        r = open_listener(server, err);
    if (r == 0 && (r = look_at_listener(server)) < 0)
        r = hf_err_sys(err, r, "watch the server");
    if (r < 0) {
        hf_streamed_free(server);
        return r;
    }
    server->p.address = NULL; /* borrowed until here */
    *ret_server = server;
    return 0;
}

uint16_t hf_streamed_port(const struct hf_streamed *server)
{
    return server->port;
}

void hf_streamed_free(struct hf_streamed *server)
{
    if (server == NULL)
        return;
    const struct hf_sched_ops *sched = hf_loop_sched(server->loop);

    while (!hf_list_empty(&server->exchanges))
        release(hf_container_of(server->exchanges.next, struct hf_streamed_exchange, link));
    if (server->watch != NULL)
        hf_loop_unwatch_fd(server->watch);
    hf_closep(&server->listen_fd);
    if (server->timer != NULL)
        sched->timer_free(sched->ctx, server->timer);
    free(server);
}
