/* SPDX-License-Identifier: Apache-2.0 */
/* Accepts some connections in each turn. A process without a free descriptor cannot accept, and the socket stays
 * readable: the listener then looks away from it until the tick. */
#include "loop/server/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "os/fd.h"

enum { BACKLOG = 64, ACCEPT_AT_ONCE = 16 };

int hf_listener_open(const char *address, uint16_t port, int backlog, uint16_t *ret_port, struct hf_err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    _cleanup_(hf_closep) int fd = -1;
    struct addrinfo *info = NULL;
    struct sockaddr_storage bound;
    socklen_t n = sizeof(bound);
    char service[8];
    int on = 1;

    (void)snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(address, service, &hints, &info) != 0)
        return hf_err_set(err, EINVAL, "'%.64s' is not an address", address);
    fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
                    bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, backlog) < 0 ||
                    getsockname(fd, (struct sockaddr *)&bound, &n) < 0
                ? -errno
                : 0;
    freeaddrinfo(info);
    if (r < 0)
        return hf_err_sys(err, r, "listen on %s:%u", address, port);
    *ret_port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                  : ((struct sockaddr_in *)&bound)->sin_port);
    return hf_steal_fd(&fd);
}

static void tick_later(struct hf_listener *listener)
{
    hf_timer_arm(hf_loop_sched(listener->loop), listener->timer, listener->tick_ns);
}

static void on_waiting(void *arg)
{
    struct hf_listener *listener = arg;

    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
        socklen_t n = sizeof(from);
        int fd = accept4(listener->fd, (struct sockaddr *)&from, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
            hf_loop_rewatch_fd(listener->watch, false, false);
            tick_later(listener);
        }
        if (fd < 0)
            return;
        listener->accepted(listener->arg, fd, &from);
    }
}

static void on_tick(void *arg)
{
    struct hf_listener *listener = arg;

    listener->tick(listener->arg);
    hf_loop_rewatch_fd(listener->watch, true, false);
    if (listener->n > 0)
        tick_later(listener);
}

int hf_listener_init(struct hf_listener *listener, const char *address, uint16_t port, struct hf_err *err)
{
    hf_list_init(&listener->connections);
    listener->timer = hf_timer_new(hf_loop_sched(listener->loop), on_tick, listener);
    listener->fd = hf_listener_open(address, port, BACKLOG, &listener->port, err);
    if (listener->fd < 0)
        return listener->fd;
    int r = listener->timer == NULL
                ? -ENOMEM
                : hf_loop_watch_fd(listener->loop, listener->fd, true, false, on_waiting, listener, &listener->watch);
    return r < 0 ? hf_err_sys(err, r, "watch the server") : 0;
}

void hf_listener_done(struct hf_listener *listener)
{
    hf_loop_unwatch_fd(&listener->watch);
    hf_closep(&listener->fd);
    hf_timer_free(hf_loop_sched(listener->loop), listener->timer);
}

int hf_listener_admit(struct hf_accepted *accepted, struct hf_listener *listener, int fd, void (*ready)(void *arg),
                      void *arg)
{
    int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    accepted->listener = listener;
    accepted->fd = fd;
    hf_list_append(&listener->connections, &accepted->link);
    if (listener->n++ == 0)
        tick_later(listener);
    return hf_loop_watch_fd(listener->loop, fd, true, false, ready, arg, &accepted->watch);
}

void hf_listener_drop(struct hf_accepted *accepted)
{
    hf_list_remove(&accepted->link);
    accepted->listener->n--;
    hf_loop_unwatch_fd(&accepted->watch);
    hf_closep(&accepted->fd);
    hf_buf_done(&accepted->in);
}

void hf_listener_extend(struct hf_accepted *accepted, unsigned seconds)
{
    accepted->until_ns = uv_hrtime() + seconds * HF_NS_PER_S;
}
