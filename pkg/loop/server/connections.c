#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/server/internal.h"
#include "os/fd.h"

enum { ACCEPT_AT_ONCE = 32 };

void hf_server_connections_take_spare(struct hf_server *server)
{
    if (server->spare_fd < 0 && !server->closed)
        server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void hf_server_connections_forget(struct hf_server *server, const struct lws *wsi)
{
    struct lws **all = server->connections;
    unsigned i = 0;

    hf_server_connections_take_spare(server); /* lws has closed the connection's descriptor by now */
    while (i < server->n_connections && all[i] != wsi)
        i++;
    if (i == server->n_connections)
        return;
    server->n_connections--;
    memmove(all + i, all + i + 1, (server->n_connections - i) * sizeof(all[0]));
}

/* Returns false if the server keeps all its connections. */
static bool drop_oldest(struct hf_server *server)
{
    if (!server->limits.replace_oldest || server->n_connections == 0)
        return false;
    struct lws *oldest = server->connections[0];
    hf_server_connections_forget(server, oldest);
    /* else lws waits until the peer takes the bytes it holds back */
    (void)shutdown(lws_get_socket_fd(oldest), SHUT_RDWR);
    /* allowed here: we are outside of lws' callbacks */
    lws_set_timeout(oldest, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
    return true;
}

/* Accepts one connection: its descriptor, or -1 if none waits or no descriptor is left. *ret_last: it uses the spare
 * descriptor. Without a free descriptor the kernel does not check for waiting connections, so trust uv's event, once
 * in a turn. */
static int next_connection(struct hf_server *server, bool first, bool *ret_last)
{
    int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    *ret_last = false;
    if (fd >= 0 || (errno != EMFILE && errno != ENFILE) || !first)
        return fd;
    if (server->spare_fd < 0) {
        (void)drop_oldest(server); /* lws closes it in the next turn; then uv calls us again */
        return -1;
    }
    hf_closep(&server->spare_fd);
    *ret_last = true;
    return accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* Returns false if no connection waits, as far as this turn can see. */
static bool accept_one(struct hf_server *server, bool first)
{
    bool last;
    int fd = next_connection(server, first, &last);

    if (fd < 0)
        return false;
    bool full = server->n_connections >= server->limits.max_connections && !drop_oldest(server);
    if (server->loop->closing || full || (last && !server->limits.replace_oldest)) {
        (void)close(fd);
        hf_server_connections_take_spare(server);
        return !last;
    }
    int on = 1; /* a long body takes several writes: without this each waits for an acknowledgement */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    lws_adopt_desc_t adoption = {
        .vh = server->host->vhost, .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP, .fd.sockfd = fd, .opaque = server};
    struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&adoption); /* NULL: lws closed it */
    if (wsi == NULL)
        return !last;
    server->connections[server->n_connections++] = wsi;
    if (server->limits.idle_s != HF_SERVER_IDLE_S)
        lws_set_timeout(wsi, PENDING_TIMEOUT_HOLDING_AH, (int)server->limits.idle_s);
    return !last;
}

void hf_server_connections_accept(uv_poll_t *poll, int status, int events)
{
    struct hf_server *server = poll->data;

    (void)events;
    for (int i = 0; status >= 0 && i < ACCEPT_AT_ONCE; i++)
        if (!accept_one(server, i == 0))
            return;
}
