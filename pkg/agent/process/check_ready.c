/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/check_ready.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "agent/process/process.h"

enum { PATIENCE_S = 5, MAX_ANSWER = 8192 };

static const char request[] = "GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n";

union place {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Returns the length of the address in *place; 0 if the text is not a numeric address. */
static socklen_t parse_address(const struct hf_listen_flag *listen, union place *place)
{
    *place = (union place){.v4 = {.sin_family = AF_INET, .sin_port = htons(listen->port)}};
    if (inet_pton(AF_INET, listen->address, &place->v4.sin_addr) == 1)
        return sizeof(place->v4);
    *place = (union place){.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(listen->port)}};
    return inet_pton(AF_INET6, listen->address, &place->v6.sin6_addr) == 1 ? sizeof(place->v6) : 0;
}

/* Returns a connected socket or -errno. */
static int reach(const struct hf_listen_flag *listen)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    union place place;
    socklen_t n = parse_address(listen, &place);

    if (n == 0)
        return -EINVAL;
    int fd = socket(place.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 && connect(fd, &place.any, n) == 0)
        return fd;
    int r = -errno;
    (void)close(fd);
    return r;
}

/* Reads the answer into text[MAX_ANSWER]. Returns 0 or -errno. */
static int ask(int fd, char *text)
{
    size_t n = 0;

    if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != (ssize_t)(sizeof(request) - 1))
        return -EIO;
    for (;;) {
        ssize_t got = recv(fd, text + n, MAX_ANSWER - 1 - n, 0);
        if (got < 0 && errno != EINTR)
            return -errno;
        if (got == 0 || n == MAX_ANSWER - 1)
            break;
        n += got > 0 ? (size_t)got : 0;
    }
    text[n] = '\0';
    return 0;
}

int hf_check_ready_run(const struct hf_agent_options *options, FILE *out, FILE *faults)
{
    const struct hf_listen_flag *listen = &options->listen[HF_LISTEN_HEALTH];
    char text[MAX_ANSWER] = "";
    int fd = listen->off ? -ENOTCONN : reach(listen);
    int r = fd < 0 ? fd : ask(fd, text);

    if (fd >= 0)
        (void)close(fd);
    if (r < 0) {
        (void)fprintf(faults, "holdfast-agent: no agent answers on %s port %u: %s\n", listen->address, listen->port,
                      strerror(-r));
        return HF_EXIT_FAILED;
    }
    const char *body = strstr(text, "\r\n\r\n");
    bool ready = strncmp(text, "HTTP/1.", 7) == 0 && strncmp(text + 8, " 200 ", 5) == 0;
    (void)fprintf(ready ? out : faults, "%s%s",
                  ready ? "" : "holdfast-agent: not ready: ", body != NULL ? body + 4 : "no answer\n");
    return ready && fflush(out) == 0 ? HF_EXIT_OK : HF_EXIT_FAILED;
}
