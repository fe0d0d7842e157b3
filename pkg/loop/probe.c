/* SPDX-License-Identifier: Apache-2.0 */
/* TCP probes: resolve, then try each address in turn until one accepts or the time is up. Numeric addresses never
 * reach the resolver. A name takes a worker, so a dead DNS server can block one of the two for its own time-out. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/core.h"

#define DEFAULT_TIMEOUT_NS (10 * HF_NS_PER_S)

struct hf_probe_call {
    struct hf_loop_guest guest;
    struct hf_loop *loop;
    struct hf_loop_task step; /* begins or reports */
    uv_timer_t timer;
    uv_getaddrinfo_t resolve;
    uv_connect_t connect;
    uv_tcp_t *socket; /* handle of the current attempt; frees itself */
    struct addrinfo *addresses;
    const struct addrinfo *next;
    bool begun;
    bool resolving;
    bool over; /* result is set, or nobody wants it */
    bool timer_closed;
    int result;
    char host[256];
    char port[8];
    void (*done)(void *arg, int r);
    void *arg;
};

static void probe_free_if_idle(struct hf_probe_call *call)
{
    if (call->resolving || call->socket != NULL || !call->timer_closed)
        return;
    if (call->addresses != NULL)
        uv_freeaddrinfo(call->addresses);
    free(call);
}

static void closed_timer(uv_handle_t *handle)
{
    struct hf_probe_call *call = hf_container_of(handle, struct hf_probe_call, timer);

    call->timer_closed = true;
    probe_free_if_idle(call);
}

static void try_next(struct hf_probe_call *call);

static void closed_socket(uv_handle_t *handle)
{
    struct hf_probe_call *call = handle->data;

    free(handle);
    call->socket = NULL;
    if (call->over)
        probe_free_if_idle(call);
    else
        try_next(call);
}

static void close_socket(struct hf_probe_call *call)
{
    if (call->socket != NULL && !uv_is_closing((uv_handle_t *)call->socket))
        uv_close((uv_handle_t *)call->socket, closed_socket);
}

/* Closes everything that is open; the last handle to close frees the call. */
static void probe_close(struct hf_probe_call *call)
{
    call->over = true;
    hf_loop_guest_remove(&call->guest);
    hf_loop_task_drop(&call->step);
    if (call->resolving)
        (void)uv_cancel((uv_req_t *)&call->resolve);
    close_socket(call);
    uv_close((uv_handle_t *)&call->timer, closed_timer);
}

static void finish(struct hf_probe_call *call, int r)
{
    if (call->over)
        return;
    call->over = true;
    call->result = r;
    hf_loop_task_post(call->loop, &call->step);
}

static int probe_errno(int r)
{
    switch (r) {
    case -ENETUNREACH:
    case -EHOSTDOWN:
    case -ENETDOWN:
    case -EADDRNOTAVAIL:
    case -EAFNOSUPPORT:
        return -EHOSTUNREACH;
    default:
        return hf_loop_errno(r);
    }
}

static void on_connect(uv_connect_t *request, int status)
{
    struct hf_probe_call *call = hf_container_of(request, struct hf_probe_call, connect);

    if (call->over)
        return; /* closed_socket() follows */
    if (status == 0) {
        finish(call, 0);
        return;
    }
    call->result = probe_errno(status);
    close_socket(call);
}

static void try_next(struct hf_probe_call *call)
{
    int r = -ENOMEM;

    if (call->next == NULL) {
        finish(call, call->result);
        return;
    }
    const struct addrinfo *address = call->next;
    call->next = address->ai_next;
    call->socket = calloc(1, sizeof(*call->socket));
    if (call->socket != NULL) {
        (void)uv_tcp_init(&call->loop->uv, call->socket);
        call->socket->data = call;
        r = uv_tcp_connect(&call->connect, call->socket, address->ai_addr, on_connect);
        if (r < 0) {
            call->result = probe_errno(r);
            close_socket(call); /* continues with the next address */
        }
        return;
    }
    finish(call, r);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
    struct hf_probe_call *call = hf_container_of(request, struct hf_probe_call, resolve);

    call->resolving = false;
    call->addresses = addresses;
    if (call->over) {
        probe_free_if_idle(call);
        return;
    }
    call->result = -EHOSTUNREACH;
    if (status < 0) {
        finish(call, -EHOSTUNREACH);
        return;
    }
    call->next = addresses;
    try_next(call);
}

static void on_timeout(uv_timer_t *timer)
{
    finish(hf_container_of(timer, struct hf_probe_call, timer), -ETIMEDOUT);
}

/* Handles numeric addresses at once; cannot block. */
static bool resolve_numeric(struct hf_probe_call *call)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};

    if (getaddrinfo(call->host, call->port, &hints, &call->addresses) != 0)
        return false;
    call->next = call->addresses;
    call->result = -EHOSTUNREACH;
    try_next(call);
    return true;
}

static void begin(struct hf_probe_call *call)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG};

    if (resolve_numeric(call))
        return;
    int r = uv_getaddrinfo(&call->loop->uv, &call->resolve, on_resolved, call->host, call->port, &hints);
    if (r < 0)
        finish(call, hf_loop_errno(r));
    else
        call->resolving = true;
}

static void step(struct hf_loop_task *task)
{
    struct hf_probe_call *call = hf_container_of(task, struct hf_probe_call, step);

    if (!call->begun) {
        call->begun = true;
        begin(call);
        return;
    }
    void (*done)(void *, int) = call->done;
    void *arg = call->arg;
    int r = call->result;
    probe_close(call);
    done(arg, r);
}

static void end_probe(struct hf_loop_guest *guest)
{
    probe_close(hf_container_of(guest, struct hf_probe_call, guest));
}

static int probe_tcp(void *ctx, const char *host, uint16_t port, uint64_t timeout_ns, void (*done)(void *arg, int r),
                     void *arg, struct hf_probe_call **ret_call, struct hf_err *err)
{
    struct hf_loop *loop = ctx;

    if (loop->closing)
        return hf_err_set(err, ECANCELED, "the process is stopping");
    if (host[0] == '\0' || strlen(host) >= sizeof(((struct hf_probe_call *)0)->host) || port == 0)
        return hf_err_set(err, EINVAL, "cannot connect to '%.64s', port %u", host, port);
    struct hf_probe_call *call = calloc(1, sizeof(*call));
    if (call == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory to connect to '%s'", host);
    call->loop = loop;
    call->done = done;
    call->arg = arg;
    (void)snprintf(call->host, sizeof(call->host), "%s", host);
    (void)snprintf(call->port, sizeof(call->port), "%u", port);
    (void)uv_timer_init(&loop->uv, &call->timer);
    (void)uv_timer_start(&call->timer, on_timeout,
                         hf_loop_delay_ms(loop, timeout_ns > 0 ? timeout_ns : DEFAULT_TIMEOUT_NS), 0);
    hf_loop_guest_add(loop, &call->guest, end_probe);
    hf_loop_task_init(&call->step, step);
    hf_loop_task_post(loop, &call->step);
    *ret_call = call;
    return 0;
}

static void probe_cancel(HF_UNUSED void *ctx, struct hf_probe_call *call)
{
    if (call != NULL)
        probe_close(call);
}

void hf_probe_init(struct hf_loop *loop)
{
    loop->probe = (struct hf_probe_ops){.ctx = loop, .tcp = probe_tcp, .cancel = probe_cancel};
}
