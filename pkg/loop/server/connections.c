/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/server/internal.h"
#include "loop/server/seats.h"
#include "os/fd.h"

_Static_assert((int)HF_SERVER_MAX_CONNECTIONS <= (int)HF_SERVER_SEATS_MAX, "one server may reserve all connections");

enum { ACCEPT_AT_ONCE = 32, START_BYTES = 8192 };

/* Nobody gives way sooner: a client has this time to send its request after it connected. A server with 256 places then
 * lets 5,120 newcomers in each second, so a probe waits 0.4 s behind 2,000 others. */
#define LEAST_LIFE_NS (50 * HF_NS_PER_MS)

const char *hf_server_refusal_name(enum hf_server_refusal refusal)
{
    static const char *const names[HF_SERVER_REFUSALS] = {[HF_SERVER_REFUSED_HOST] = "host",
                                                          [HF_SERVER_REFUSED_ORIGIN] = "origin",
                                                          [HF_SERVER_REFUSED_FULL] = "full",
                                                          [HF_SERVER_REFUSED_SHARE] = "share"};

    return names[refusal];
}

void hf_server_connections_refused(const struct hf_server *server, enum hf_server_refusal why)
{
    if (server->refused != NULL)
        server->refused(server->refused_arg, why);
}

void hf_server_connections_take_spare(struct hf_server *server)
{
    if (server->spare_fd < 0 && !server->closed)
        server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Takes the connection out of the list. Does nothing if it is no longer in it. */
static void forget(const struct hf_server_connection *connection)
{
    struct hf_server *server = connection->server;
    struct hf_server_connection **all = server->connections;
    unsigned i = 0;

    while (i < server->n_connections && all[i] != connection)
        i++;
    if (i == server->n_connections)
        return;
    server->n_connections--;
    memmove(all + i, all + i + 1, (server->n_connections - i) * sizeof(all[0]));
}

void hf_server_connections_destroyed(struct hf_server_connection *connection)
{
    struct hf_server *server = connection->server;

    hf_server_connections_take_spare(server); /* lws has closed the connection's descriptor by now */
    hf_server_feed_leave(connection);
    forget(connection);
    if (server->host->adopting == connection)
        server->host->adopting = NULL;
    free(connection);
}

void hf_server_connections_created(struct hf_server_host *host, struct lws *wsi)
{
    if (host->adopting != NULL)
        host->adopting->wsi = wsi;
}

/* Ends a connection to make room. */
static void end(struct hf_server_connection *connection)
{
    struct lws *wsi = connection->wsi;

    hf_server_connections_refused(connection->server, HF_SERVER_REFUSED_SHARE);
    forget(connection);
    /* else lws waits until the peer takes the bytes it holds back */
    (void)shutdown(lws_get_socket_fd(wsi), SHUT_RDWR);
    /* allowed here: we are outside of lws' callbacks */
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

/* Makes room for a newcomer. 1: there is room. 0: the newcomer must go. -EAGAIN: the connection that should give way is
 * younger than LEAST_LIFE_NS; *ret_wait_ns says how long. */
static int make_room(struct hf_server *server, const struct hf_peer *newcomer, uint64_t *ret_wait_ns)
{
    struct hf_server_seat seats[HF_SERVER_MAX_CONNECTIONS];

    if (server->n_connections < server->limits.max_connections)
        return 1;
    for (unsigned i = 0; i < server->n_connections; i++)
        seats[i] = (struct hf_server_seat){server->connections[i]->peer.key, server->connections[i]->answering};
    int i = hf_server_seats_choose(seats, server->n_connections, newcomer->key, server->limits.replace_oldest);
    if (i < 0)
        return 0;
    uint64_t age_ns = uv_hrtime() - server->connections[i]->since_ns;
    if (server->limits.replace_oldest && age_ns < LEAST_LIFE_NS) {
        *ret_wait_ns = LEAST_LIFE_NS - age_ns;
        return -EAGAIN;
    }
    end(server->connections[i]);
    return 1;
}

static int accept_from(const struct hf_server *server, struct sockaddr_storage *ret_peer)
{
    socklen_t n = sizeof(*ret_peer);

    return accept4(server->listen_fd, (struct sockaddr *)ret_peer, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* Accepts one connection: its descriptor, or -1 if none waits or no descriptor is left. *ret_last: it uses the spare
 * descriptor. Without a free descriptor the kernel does not check for waiting connections, so trust uv's event, once
 * in a turn. */
static int next_connection(struct hf_server *server, bool first, struct sockaddr_storage *ret_peer, bool *ret_last)
{
    int fd = accept_from(server, ret_peer);

    *ret_last = false;
    if (fd >= 0 || (errno != EMFILE && errno != ENFILE) || !first)
        return fd;
    if (server->spare_fd < 0) {
        /* lws closes it in the next turn; then uv calls us again */
        if (server->limits.replace_oldest && server->n_connections > 0)
            end(server->connections[0]);
        return -1;
    }
    hf_closep(&server->spare_fd);
    *ret_last = true;
    return accept_from(server, ret_peer);
}

/* What a search among the handles of the loop looks for, and whether it is there. */
struct handle_search {
    const struct lws *wsi;
    bool found;
};

static void look_at_handle(uv_handle_t *handle, void *arg)
{
    struct handle_search *search = arg;

    search->found = search->found || (handle->type == UV_POLL && handle->data == search->wsi);
}

/* lws could not take the connection over, for lack of memory. How far it came decides who closes and frees:
 *   lws has destroyed the connection                  nothing is left
 *   lws made no part of its own                       it has closed the descriptor
 *   its part has a poll handle, which uv closes now   WSI_DESTROY comes later, and frees the connection
 *   its part has none                                 lws 4.1 forgets its part, with the descriptor open */
static void not_adopted(struct hf_server_host *host, int fd)
{
    struct hf_server_connection *connection = host->adopting;
    struct handle_search search = {.wsi = connection != NULL ? connection->wsi : NULL};

    host->adopting = NULL;
    if (connection == NULL)
        return;
    if (search.wsi != NULL) {
        uv_walk(&host->loop->uv, look_at_handle, &search);
        if (search.found)
            return;
        lws_set_opaque_user_data(connection->wsi, NULL);
        (void)close(fd);
    }
    free(connection);
}

/* lws 4.1 cannot end any more after it forgot a connection as above, so hardly let it come to that: take nobody over
 * while there is no memory for what a connection needs at its start. */
static bool has_memory(void)
{
    void *volatile block = malloc(START_BYTES);

    free(block);
    return block != NULL;
}

/* Gives the descriptor to lws, or closes it. */
static void adopt(struct hf_server *server, int fd, const struct hf_peer *peer)
{
    struct hf_server_connection *connection = has_memory() ? calloc(1, sizeof(*connection)) : NULL;
    int on = 1; /* a long body takes several writes: without this each waits for an acknowledgement */

    if (connection == NULL) {
        (void)close(fd);
        return;
    }
    connection->server = server;
    connection->peer = *peer;
    connection->since_ns = uv_hrtime();
    if (!peer->over_unix)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    lws_adopt_desc_t adoption = {
        .vh = server->host->vhost, .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP, .fd.sockfd = fd, .opaque = connection};
    server->host->adopting = connection;
    struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&adoption);
    if (wsi == NULL) {
        not_adopted(server->host, fd);
        return;
    }
    server->host->adopting = NULL;
    connection->wsi = wsi;
    server->connections[server->n_connections++] = connection;
    if (server->limits.idle_s != HF_SERVER_IDLE_S)
        lws_set_timeout(wsi, PENDING_TIMEOUT_HOLDING_AH, (int)server->limits.idle_s);
}

static void turn_away(struct hf_server *server, int fd)
{
    (void)close(fd);
    hf_server_connections_refused(server, HF_SERVER_REFUSED_FULL);
    hf_server_connections_take_spare(server);
}

/* Keeps the newcomer, and accepts nobody, until a place is free. */
static void wait_for_place(struct hf_server *server, int fd, const struct hf_peer *peer, uint64_t wait_ns)
{
    server->held_fd = fd;
    server->held_peer = *peer;
    (void)uv_poll_stop(server->listener);
    (void)uv_timer_start(server->pause, hf_server_connections_go_on, wait_ns / HF_NS_PER_MS + 1, 0);
}

/* Returns false if this turn must accept no more. */
static bool place(struct hf_server *server, int fd, const struct hf_peer *peer, bool last)
{
    uint64_t wait_ns = 0;
    int r = fd < server->host->descriptors ? make_room(server, peer, &wait_ns) : 0;

    if (r == -EAGAIN && !last && !server->loop->closing) {
        wait_for_place(server, fd, peer, wait_ns);
        return false;
    }
    if (server->loop->closing || r <= 0 || (last && !server->limits.replace_oldest))
        turn_away(server, fd);
    else
        adopt(server, fd, peer);
    return !last;
}

/* Returns false if no connection waits, as far as this turn can see, or if this turn must accept no more. */
static bool accept_one(struct hf_server *server, bool first)
{
    struct hf_peer_ends ends = server->ends;
    struct hf_peer peer;
    bool last;
    int fd = next_connection(server, first, &ends.peer, &last);

    if (fd < 0)
        return false;
    hf_peer_of(&server->host->peer_lookup, fd, &ends, &peer);
    return place(server, fd, &peer, last);
}

void hf_server_connections_go_on(uv_timer_t *timer)
{
    struct hf_server *server = timer->data;
    int fd = server->held_fd;

    server->held_fd = -1;
    if (fd < 0 || place(server, fd, &server->held_peer, false))
        (void)uv_poll_start(server->listener, UV_READABLE, hf_server_connections_accept);
}

void hf_server_connections_accept(uv_poll_t *poll, int status, HF_UNUSED int events)
{
    struct hf_server *server = poll->data;

    for (int i = 0; status >= 0 && i < ACCEPT_AT_ONCE; i++)
        if (!accept_one(server, i == 0))
            return;
}
