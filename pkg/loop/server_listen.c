/* The local HTTP server: libwebsockets as a guest on the uv loop, and where its connections come from.
 *
 * We listen and accept ourselves (uv), and give lws each connection: so a taken port is a clear error, and one connection too
 * many is closed at the door.
 *
 * lws 4.1 brings its uv part as a plugin that it looks for in the working directory before anywhere else. The folder that
 * libwebsockets itself was loaded from is made the working directory while the context is made: it belongs to the same
 * installation, wherever that is, and nothing can be slipped in from where the process happened to be started. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/server_core.h"
#include "os/file.h"

enum {
    BACKLOG = 512,
    ACCEPT_AT_ONCE = 32,
    SERVICE_BYTES = 16384, /* lws' buffer for receiving: one turn of the loop for each filling */
};

/* ---- listening ------------------------------------------------------------------------------------------------------- */

/* False: nobody waits. */
static bool accept_one(struct hf_server *server)
{
    int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return false;
    if (server->n_connections >= HF_SERVER_MAX_CONNECTIONS || server->loop->closing) {
        (void)close(fd);
        return true;
    }
    int on = 1; /* a long body is several writes: without it the next waits for an acknowledgement */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    server->n_connections++;
    if (lws_adopt_socket_vhost(server->vhost, fd) == NULL)
        server->n_connections--; /* lws has closed it */
    return true;
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct hf_server *server = poll->data;

    (void)events;
    for (int i = 0; status >= 0 && i < ACCEPT_AT_ONCE; i++)
        if (!accept_one(server))
            return;
}

static int open_listener(struct hf_server *server, const char *address, uint16_t port, struct hf_err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *info = NULL;
    struct sockaddr_storage bound;
    socklen_t n = sizeof(bound);
    char service[8];
    int on = 1;

    (void)snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(address, service, &hints, &info) != 0)
        return hf_err_set(err, EINVAL, "'%.64s' is no address", address);
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
                    bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0 ||
                    getsockname(fd, (struct sockaddr *)&bound, &n) < 0
                ? -errno
                : 0;
    freeaddrinfo(info);
    if (r < 0) {
        if (fd >= 0)
            (void)close(fd);
        return hf_err_sys(err, r, "listen on %s:%u", address, port);
    }
    server->listen_fd = fd;
    server->port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                     : ((struct sockaddr_in *)&bound)->sin_port);
    return 0;
}

static void free_listener(uv_handle_t *handle)
{
    free(handle);
}

static int watch_listener(struct hf_server *server, struct hf_err *err)
{
    server->listener = calloc(1, sizeof(*server->listener));
    if (server->listener == NULL)
        return hf_err_set(err, ENOMEM, "no memory for the local server");
    int r = uv_poll_init(&server->loop->uv, server->listener, server->listen_fd);
    if (r < 0) {
        free(server->listener);
        server->listener = NULL;
        return hf_err_sys(err, hf_uv_errno(r), "watch the local server");
    }
    server->listener->data = server;
    (void)uv_poll_start(server->listener, UV_READABLE, on_connection);
    return 0;
}

/* ---- the context ----------------------------------------------------------------------------------------------------- */

/* A descriptor of the folder libwebsockets was loaded from, or -1. */
static int library_folder(void)
{
    char folder[PATH_MAX];
    Dl_info info;

    if (dladdr((void *)(uintptr_t)&lws_create_context, &info) == 0 || info.dli_fname == NULL ||
        strchr(info.dli_fname, '/') == NULL)
        return -1;
    (void)snprintf(folder, sizeof(folder), "%s", info.dli_fname);
    *strrchr(folder, '/') = '\0';
    return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static struct lws_context *create_in_folder(const struct lws_context_creation_info *info)
{
    _cleanup_(hf_closep) int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_(hf_closep) int folder = library_folder();

    if (folder < 0 || fchdir(folder) < 0)
        return NULL;
    struct lws_context *context = lws_create_context(info);
    /* A working directory that was removed meanwhile cannot be gone back to. */
    if (back < 0 || fchdir(back) < 0)
        (void)!chdir("/");
    return context;
}

static int create_context(struct hf_server *server, struct hf_err *err)
{
    void *loops[] = {&server->loop->uv};
    const struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = hf_server_protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
        .foreign_loops = loops,
        .user = server,
        .pcontext = &server->context, /* NULL again when lws is through with its end */
        .gid = -1,
        .uid = -1,
        .vhost_name = "local",
        .server_string = "holdfast",
        /* lws sizes tables by this; without it, by the limit of open files, which may be a million */
        .fd_limit_per_thread = HF_SERVER_MAX_CONNECTIONS + 4,
        .max_http_header_data = HF_SERVER_MAX_HEADER_BYTES,
        .max_http_header_pool = HF_SERVER_MAX_CONNECTIONS,
        .pt_serv_buf_size = SERVICE_BYTES,
        .timeout_secs = HF_SERVER_IDLE_S,
        .keepalive_timeout = HF_SERVER_IDLE_S,
        .timeout_secs_ah_idle = HF_SERVER_IDLE_S,
    };

    lws_set_log_level(0, NULL);
    server->context = create_in_folder(&info);
    if (server->context == NULL)
        return hf_err_set(err, ENOSYS, "libwebsockets does not start (is its libuv plugin installed beside it?)");
    server->vhost = lws_get_vhost_by_name(server->context, "local");
    return server->vhost != NULL ? 0 : hf_err_set(err, ENOSYS, "libwebsockets made no virtual host");
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

static int copy_routes(struct hf_server *server, const struct hf_server_route *routes, size_t n_routes)
{
    server->routes = calloc(n_routes > 0 ? n_routes : 1, sizeof(*routes));
    if (server->routes == NULL)
        return -ENOMEM;
    for (; server->n_routes < n_routes; server->n_routes++) {
        struct hf_server_route *route = &server->routes[server->n_routes];
        *route = routes[server->n_routes];
        route->path = strdup(route->path);
        route->method = strdup(route->method);
        if (route->path == NULL || route->method == NULL) {
            server->n_routes++;
            return -ENOMEM;
        }
    }
    return 0;
}

static void free_text(const char *text)
{
    free((void *)(uintptr_t)text);
}

static void server_free(struct hf_guest *guest)
{
    struct hf_server *server = hf_container_of(guest, struct hf_server, guest);

    /* On a foreign loop lws 4.1 ends in two steps: the second frees, when the loop has closed its handles. */
    if (server->context != NULL)
        lws_context_destroy(server->context);
    for (size_t i = 0; i < server->n_routes; i++) {
        free_text(server->routes[i].path);
        free_text(server->routes[i].method);
    }
    free(server->routes);
    free(server);
}

static void stop_listening(struct hf_server *server)
{
    if (server->listener != NULL) {
        (void)uv_poll_stop(server->listener);
        uv_close((uv_handle_t *)server->listener, free_listener);
        server->listener = NULL;
    }
    hf_closep(&server->listen_fd);
}

/* The loop ends: lws closes its connections while uv runs down, and calls back about each. */
static void server_end(struct hf_guest *guest)
{
    struct hf_server *server = hf_container_of(guest, struct hf_server, guest);

    server->closed = true;
    stop_listening(server);
    if (server->context != NULL)
        lws_context_destroy(server->context);
    hf_guest_end_last(server->loop, guest, server_free);
}

static int server_open(struct hf_server *server, const char *address, uint16_t port, struct hf_err *err)
{
    int r = open_listener(server, address, port, err);

    if (r == 0)
        r = create_context(server, err);
    if (r == 0)
        r = watch_listener(server, err);
    return r;
}

int hf_server_new(struct hf_loop *loop, const char *address, uint16_t port, const struct hf_server_route *routes,
                  size_t n_routes, struct hf_server **ret_server, struct hf_err *err)
{
    struct hf_server *server = calloc(1, sizeof(*server));

    if (server == NULL)
        return hf_err_set(err, ENOMEM, "no memory for the local server");
    server->loop = loop;
    server->listen_fd = -1;
    int r = copy_routes(server, routes, n_routes);
    r = r < 0 ? hf_err_set(err, -r, "no memory for the local server") : server_open(server, address, port, err);
    hf_guest_add(loop, &server->guest, server_end);
    if (r < 0) {
        hf_server_free(server); /* the rest goes with the loop */
        return r;
    }
    *ret_server = server;
    return 0;
}

uint16_t hf_server_port(const struct hf_server *server)
{
    return server->port;
}

void hf_server_free(struct hf_server *server)
{
    if (server == NULL)
        return;
    server->closed = true;
    stop_listening(server);
}
