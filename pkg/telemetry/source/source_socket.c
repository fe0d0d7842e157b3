/* SPDX-License-Identifier: Apache-2.0 */
/* The source `socket`: lines that programs on this node send as datagrams to a Unix socket: text or JSON objects, with
 * or without a syslog priority ("<13>"). Without room the source stops reading; the kernel queues a few datagrams, then
 * the senders wait. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "telemetry/source/socket_name.h"
#include "telemetry/source/source_common.h"

enum {
    MAX_DATAGRAM = 64 << 10,
    /* limit for one turn of the loop, checked after each datagram; a line counts as LEAST_BYTES at least, because every
     * user of the node may send datagrams full of short lines */
    TURN_BYTES = 256 << 10,
    LEAST_BYTES = 256,
    SCRATCH = 128 << 10,
    RECEIVE_BYTES = 1 << 20
};

struct socket_source {
    struct hf_source source;
    const struct hf_telemetry_env *env;
    const struct hf_intake *intake;
    int fd;
    struct hf_loop_fd *watch; /* NULL: not reading */
    char *datagram;           /* the datagram being offered */
    size_t n;
    struct hf_view rest;
    size_t taken; /* in this turn of the loop, as TURN_BYTES counts */
    struct hf_buf scratch;
    struct hf_socket_name name;
};

static const enum hf_severity syslog_severities[] = {
    HF_SEVERITY_EMERGENCY, HF_SEVERITY_ALERT,  HF_SEVERITY_CRITICAL, HF_SEVERITY_ERROR,
    HF_SEVERITY_WARNING,   HF_SEVERITY_NOTICE, HF_SEVERITY_INFO,     HF_SEVERITY_DEBUG,
};

/* "<13>text": facility * 8 + severity. */
static enum hf_severity take_priority(struct hf_view *line)
{
    unsigned value = 0;
    size_t i = 1;

    if (line->n < 3 || line->p[0] != '<')
        return 0;
    for (; i < line->n && i < 4 && line->p[i] >= '0' && line->p[i] <= '9'; i++)
        value = value * 10 + (unsigned)(line->p[i] - '0');
    if (i == 1 || i >= line->n || line->p[i] != '>' || value > 191)
        return 0;
    *line = (struct hf_view){line->p + i + 1, line->n - i - 1};
    return syslog_severities[value & 7];
}

static int offer_line(struct socket_source *from, struct hf_view line)
{
    struct hf_event event = {.kind = HF_EVENT_LOG,
                             .source_class = HF_SOURCE_SOCKET,
                             .severity = take_priority(&line),
                             .unix_ns = hf_unix_ns(from->env->clock),
                             .source = HF_VIEW("socket"),
                             .body = line};

    if (line.n == 0)
        return 0;
    bool json = line.p[0] == '{' && hf_source_parse_json_line(line, &event, &from->scratch);
    if (event.severity == 0)
        event.severity = json ? HF_SEVERITY_INFO : hf_source_line_severity(line);
    if (event.severity == 0)
        event.severity = HF_SEVERITY_INFO;
    return hf_source_offer(from->intake, &event, NULL);
}

/* -EAGAIN: offer the line again later. */
static int offer_rest(struct socket_source *from)
{
    struct hf_view before = from->rest, line;

    while (hf_view_split(&from->rest, '\n', &line)) {
        if (offer_line(from, hf_view_trim(line)) == -EAGAIN) {
            from->rest = before;
            return -EAGAIN;
        }
        from->taken += HF_MAX(line.n, (size_t)LEAST_BYTES);
        before = from->rest;
    }
    return 0;
}

static void pause_reading(struct socket_source *from)
{
    hf_loop_unwatch_fd(&from->watch);
}

static void on_readable(void *arg)
{
    struct socket_source *from = arg;

    for (from->taken = 0; from->taken < TURN_BYTES; from->taken += LEAST_BYTES) {
        ssize_t n = recv(from->fd, from->datagram, MAX_DATAGRAM, MSG_DONTWAIT);
        if (n < 0)
            return;
        from->rest = (struct hf_view){from->datagram, (size_t)n};
        if (offer_rest(from) == -EAGAIN) {
            pause_reading(from);
            return;
        }
        from->rest = (struct hf_view){NULL, 0};
    }
}

static void resume(struct hf_source *source)
{
    struct socket_source *from = hf_container_of(source, struct socket_source, source);

    if (from->watch != NULL || offer_rest(from) == -EAGAIN)
        return;
    (void)!hf_loop_watch_fd(from->env->loop, from->fd, true, false, on_readable, from, &from->watch);
}

static void socket_free(struct hf_source *source)
{
    struct socket_source *from = hf_container_of(source, struct socket_source, source);

    pause_reading(from);
    hf_socket_name_done(&from->name);
    if (from->fd >= 0)
        (void)close(from->fd);
    hf_buf_done(&from->scratch);
    free(from->datagram);
    free(from);
}

static int bind_socket(struct socket_source *from, const char *path, struct hf_err *err)
{
    _cleanup_(hf_freep) char *record = hf_asprintf("%s/sources/socket", from->env->dir);
    int bytes = RECEIVE_BYTES;

    if (record == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    from->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (from->fd < 0)
        return hf_err_sys(err, -errno, "make a socket");
    /* Any program of the node may write; rate limits bound the volume. */
    int r = hf_socket_name_take(&from->name, from->fd, path, 0666, from->env->fs, record, err);
    if (r == 0)
        (void)setsockopt(from->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    return r;
}

int hf_source_socket_new(const struct hf_telemetry_sources *sources, const struct hf_telemetry_env *env,
                         const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err)
{
    struct socket_source *from = calloc(1, sizeof(*from));
    int r;

    if (from == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    from->source = (struct hf_source){.name = "socket", .resume = resume, .free = socket_free};
    from->env = env;
    from->intake = intake;
    from->fd = -1;
    from->scratch = (struct hf_buf)HF_BUF_INIT(SCRATCH);
    from->name = (struct hf_socket_name)HF_SOCKET_NAME_INIT;
    from->datagram = malloc(MAX_DATAGRAM); /* untouched pages cost nothing */
    r = from->datagram == NULL ? hf_err_set(err, ENOMEM, "out of memory")
                               : bind_socket(from, sources->socket_path, err);
    if (r == 0) {
        r = hf_loop_watch_fd(env->loop, from->fd, true, false, on_readable, from, &from->watch);
        if (r < 0)
            r = hf_err_sys(err, r, "watch '%s'", sources->socket_path);
    }
    if (r < 0) {
        socket_free(&from->source);
        return r;
    }
    *ret_source = &from->source;
    return 0;
}
