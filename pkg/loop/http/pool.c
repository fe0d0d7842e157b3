/* SPDX-License-Identifier: Apache-2.0 */
/* Pools of connections: curl's multi socket interface on the uv loop.
 *
 * curl reports the sockets to watch (on_socket_wanted) and its next deadline (on_timer_wanted); we must not call
 * curl from within either. Each finished transfer goes to its call, which reports from a task. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "loop/http/client.h"
#include "loop/http/internal.h"

enum { MAX_CONNECTIONS = 32, MAX_IDLE_CONNECTIONS = 4, IDLE_POOL_MS = 30000 };

struct pool_socket {
    struct hf_list link;
    struct hf_http_pool *pool;
    uv_poll_t poll;
    curl_socket_t fd;
};

/* ---- sockets and time -------------------------------------------------------------------------------------------- */

static void free_socket(uv_handle_t *handle)
{
    free(hf_container_of(handle, struct pool_socket, poll));
}

static void socket_close(struct pool_socket *socket)
{
    hf_list_remove(&socket->link);
    /* Stop now, without waiting for uv_close(): curl closes the descriptor next, and its number may return as
     * another socket. */
    (void)uv_poll_stop(&socket->poll);
    uv_close((uv_handle_t *)&socket->poll, free_socket);
}

static void act(struct hf_http_pool *pool, curl_socket_t fd, int events)
{
    int running;

    hf_http_pool_enter(pool);
    (void)curl_multi_socket_action(pool->multi, fd, events, &running);
    hf_http_pool_leave(pool);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    const struct pool_socket *socket = hf_container_of(poll, struct pool_socket, poll);
    int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);

    /* uv reports an error for a reset connection, too: reading finds the cause, and the bytes before it. */
    act(socket->pool, socket->fd, status < 0 ? CURL_CSELECT_IN | CURL_CSELECT_OUT : flags);
}

static struct pool_socket *socket_open(struct hf_http_pool *pool, curl_socket_t fd)
{
    struct pool_socket *socket = calloc(1, sizeof(*socket));

    if (socket == NULL)
        return NULL;
    if (uv_poll_init_socket(&pool->loop->uv, &socket->poll, fd) < 0) {
        free(socket);
        return NULL;
    }
    socket->pool = pool;
    socket->fd = fd;
    hf_list_append(&pool->sockets, &socket->link);
    (void)curl_multi_assign(pool->multi, fd, socket);
    return socket;
}

static int on_socket_wanted(HF_UNUSED CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct hf_http_pool *pool = arg;
    struct pool_socket *socket = socket_arg;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);

    if (what == CURL_POLL_REMOVE) {
        if (socket != NULL)
            socket_close(socket);
        (void)curl_multi_assign(pool->multi, fd, NULL);
        return 0;
    }
    if (socket == NULL)
        socket = socket_open(pool, fd);
    /* Without memory or a descriptor, the transfer's own deadline ends it. */
    if (socket != NULL)
        (void)uv_poll_start(&socket->poll, events, on_socket);
    return 0;
}

static void on_timer(uv_timer_t *timer)
{
    act(hf_container_of(timer, struct hf_http_pool, timer), CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wanted(HF_UNUSED CURLM *multi, long timeout_ms, void *arg)
{
    struct hf_http_pool *pool = arg;

    pool->kicked = timeout_ms == 0;
    if (timeout_ms > 0) {
        uv_update_time(&pool->loop->uv);
        (void)uv_timer_start(&pool->timer, on_timer, (uint64_t)timeout_ms, 0);
    } else {
        (void)uv_timer_stop(&pool->timer);
    }
    if (pool->kicked)
        hf_loop_task_post(pool->loop, &pool->kick);
    return 0;
}

uint64_t hf_http_pool_round_trip_ns(const struct hf_http_pool *pool)
{
    uint64_t shortest_us = 0;

    for (struct hf_list *it = pool->sockets.next; it != &pool->sockets; it = it->next) {
        struct tcp_info info = {.tcpi_rtt = 0};
        socklen_t n = sizeof(info);
        int fd = hf_container_of(it, struct pool_socket, link)->fd;
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) < 0 || info.tcpi_state != TCP_ESTABLISHED ||
            info.tcpi_rtt == 0)
            continue;
        shortest_us = shortest_us == 0 ? info.tcpi_rtt : HF_MIN(shortest_us, (uint64_t)info.tcpi_rtt);
    }
    return shortest_us * HF_NS_PER_US;
}

/* ---- pools ------------------------------------------------------------------------------------------------------- */

static void free_pool(uv_handle_t *handle)
{
    free(hf_container_of(handle, struct hf_http_pool, timer));
}

static void close_timer(uv_handle_t *handle)
{
    struct hf_http_pool *pool = hf_container_of(handle, struct hf_http_pool, idle);

    uv_close((uv_handle_t *)&pool->timer, free_pool);
}

static void pool_end(struct hf_loop_guest *guest)
{
    struct hf_http_pool *pool = hf_container_of(guest, struct hf_http_pool, guest);

    hf_loop_task_drop(&pool->kick);
    (void)curl_multi_cleanup(pool->multi);
    while (!hf_list_empty(&pool->sockets))
        socket_close(hf_container_of(pool->sockets.next, struct pool_socket, link));
    hf_loop_task_drop(&pool->kick); /* closing connections may have requested a time-out */
    hf_tls_close(pool->tls);
    hf_http_peers_close(pool->peers);
    uv_close((uv_handle_t *)&pool->idle, close_timer);
}

static void on_kick(struct hf_loop_task *task)
{
    struct hf_http_pool *pool = hf_container_of(task, struct hf_http_pool, kick);

    if (pool->client == NULL && pool->n_calls == 0) {
        hf_loop_guest_remove(&pool->guest);
        pool_end(&pool->guest);
        return;
    }
    if (!pool->kicked)
        return;
    pool->kicked = false;
    act(pool, CURL_SOCKET_TIMEOUT, 0);
}

static bool set_options(struct hf_http_pool *pool)
{
    CURLM *multi = pool->multi;

    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, pool) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_TIMERDATA, pool) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)MAX_CONNECTIONS) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)MAX_IDLE_CONNECTIONS) == CURLM_OK;
}

static struct hf_http_pool *pool_new(struct hf_http_client *client)
{
    struct hf_loop *loop = client->loop;
    struct hf_http_pool *pool = calloc(1, sizeof(*pool));

    if (pool == NULL)
        return NULL;
    pool->loop = loop;
    pool->multi = curl_multi_init();
    if (pool->multi == NULL || !set_options(pool)) {
        (void)curl_multi_cleanup(pool->multi);
        free(pool);
        return NULL;
    }
    pool->client = client;
    pool->owner = client->pool_owner;
    pool->tls = hf_tls_open(client->tls);
    pool->peers = hf_http_peers_open(client->peers);
    hf_list_init(&pool->sockets);
    hf_list_init(&pool->aborted);
    hf_loop_task_init(&pool->kick, on_kick);
    (void)uv_timer_init(&loop->uv, &pool->timer);
    (void)uv_timer_init(&loop->uv, &pool->idle);
    hf_loop_guest_add(loop, &pool->guest, pool_end);
    return pool;
}

void hf_http_pool_retire(struct hf_http_pool *pool)
{
    if (pool == NULL)
        return;
    if (pool->client != NULL)
        pool->client->pool = NULL;
    pool->client = NULL;
    (void)uv_timer_stop(&pool->idle);
    hf_loop_task_post(pool->loop, &pool->kick);
}

static void on_idle(uv_timer_t *timer)
{
    struct hf_http_pool *pool = hf_container_of(timer, struct hf_http_pool, idle);

    hf_loop_worked(pool->loop);
    hf_http_pool_retire(pool);
}

void hf_http_pool_count(struct hf_http_pool *pool, bool begun)
{
    pool->n_calls += begun ? 1u : -1u;
    if (pool->n_calls > 0 || pool->client == NULL)
        (void)uv_timer_stop(&pool->idle);
    else
        (void)uv_timer_start(&pool->idle, on_idle, IDLE_POOL_MS, 0);
}

void hf_http_pool_enter(struct hf_http_pool *pool)
{
    pool->depth++;
}

void hf_http_pool_leave(struct hf_http_pool *pool)
{
    CURLMsg *message;
    int left;

    if (--pool->depth > 0)
        return;
    pool->depth++; /* removing handles makes curl call back, too */
    pool->owner->free_aborted(pool);
    while ((message = curl_multi_info_read(pool->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            pool->owner->ended(message->easy_handle, message->data.result);
    pool->depth--;
    if (pool->client == NULL && pool->n_calls == 0)
        hf_loop_task_post(pool->loop, &pool->kick);
}

struct hf_http_pool *hf_http_pool_current(struct hf_http_client *client)
{
    if (client->pool == NULL)
        client->pool = pool_new(client);
    return client->pool;
}
