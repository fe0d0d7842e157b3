/* SPDX-License-Identifier: Apache-2.0 */
/* edge-sample: the small service that the demo, the end-to-end tests and the benchmarks keep up to date.
 *
 *     edge-sample --port N [--port-file FILE]
 *
 * Serves GET /healthz (200 "ok", or 503 "broken" when built with -DBROKEN) and GET /version on 127.0.0.1. Port 0 takes a free
 * one; the port in use is written to FILE once the service listens. Ends with 0 on SIGTERM and SIGINT.
 *
 * Versions are made by building it again: -DVERSION='"1.4.2"' is what /version says, -DREVISION=2 changes one part in a
 * hundred of the data and moves the code, as a small change of a real program does. It needs libc only and builds alone:
 *     cc -O2 -DVERSION='"1.4.2"' -DREVISION=2 -o edge-sample edge-sample.c */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef REVISION
#define REVISION 1
#endif

/* What a service carries along: half a megabyte that does not compress (a model, a table of places), 4 KiB of which belong to
 * this revision, made by the assembler so that the source stays one file. */
/* clang-format off */
#define SAMPLE_STR_(x) #x
#define SAMPLE_STR(x) SAMPLE_STR_(x)
__asm__(".pushsection .rodata\n"
        ".globl edge_sample_data\n.globl edge_sample_data_end\n"
        ".balign 8\n"
        "edge_sample_data:\n"
        ".set edge_seed, 20261120\n"
        ".rept 65536\n"
        ".set edge_seed, (edge_seed * 1103515245 + 12345) & 0x7fffffffffff\n"
        ".long (edge_seed >> 15) & 0xffffffff\n"
        ".endr\n"
        ".set edge_seed, 77777 + " SAMPLE_STR(REVISION) "\n"
        ".rept 1024\n"
        ".set edge_seed, (edge_seed * 1103515245 + 12345) & 0x7fffffffffff\n"
        ".long (edge_seed >> 15) & 0xffffffff\n"
        ".endr\n"
        ".set edge_seed, 424242\n"
        ".rept 65536\n"
        ".set edge_seed, (edge_seed * 1103515245 + 12345) & 0x7fffffffffff\n"
        ".long (edge_seed >> 15) & 0xffffffff\n"
        ".endr\n"
        "edge_sample_data_end:\n"
        ".popsection\n");
/* clang-format on */
extern const unsigned char edge_sample_data[], edge_sample_data_end[];

/* Nothing to save, so the end may come at any point. */
static void on_signal(int signum)
{
    (void)signum;
    _exit(0);
}

/* Reads the whole table, so that nothing leaves it out of the program. */
static uint32_t data_checksum(void)
{
    uint32_t sum = 1;

    for (const unsigned char *p = edge_sample_data; p < edge_sample_data_end; p++)
        sum = sum * 31 + *p;
#if REVISION > 1
    for (unsigned i = 0; i < REVISION; i++)
        sum ^= (sum << 7) ^ (sum >> 9) ^ i;
#endif
    return sum;
}

/* Listen on 127.0.0.1:port; returns the descriptor and the port in use. */
static int listen_on(uint16_t port, uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof(address);
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 16) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static int write_port(const char *path, uint16_t port)
{
    FILE *file = fopen(path, "we");

    if (file == NULL)
        return -1;
    int written = fprintf(file, "%u\n", port);
    return fclose(file) == 0 && written > 0 ? 0 : -1;
}

static void answer(int fd, uint32_t checksum)
{
    struct timeval patience = {.tv_sec = 1};
    char request[1024], body[128], reply[512];
    int status = 404;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    ssize_t n = recv(fd, request, sizeof(request) - 1, 0);
    if (n <= 0)
        return;
    request[n] = '\0';
    (void)snprintf(body, sizeof(body), "not found\n");
    if (strncmp(request, "GET /healthz ", 13) == 0) {
#ifdef BROKEN
        status = 503;
        (void)snprintf(body, sizeof(body), "broken\n");
#else
        status = 200;
        (void)snprintf(body, sizeof(body), "ok\n");
#endif
    } else if (strncmp(request, "GET /version ", 13) == 0) {
        status = 200;
        (void)snprintf(body, sizeof(body), "edge-sample %s %08x\n", VERSION, checksum);
    }
    int size =
        snprintf(reply, sizeof(reply),
                 "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                 status, status == 200 ? "OK" : "Error", strlen(body), body);
    (void)send(fd, reply, (size_t)size, MSG_NOSIGNAL);
}

static int usage(void)
{
    (void)fprintf(stderr, "usage: edge-sample --port N [--port-file FILE]\n");
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'}, {"port-file", required_argument, NULL, 'f'}, {NULL, 0, NULL, 0}};
    struct sigaction action = {.sa_handler = on_signal};
    const char *port_file = NULL;
    long port = -1;
    uint16_t used = 0;

    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'p')
            port = strtol(optarg, NULL, 10);
        else if (c == 'f')
            port_file = optarg;
        else
            return usage();
    }
    if (port < 0 || port > 65535 || optind != argc)
        return usage();
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    uint32_t checksum = data_checksum();
    int fd = listen_on((uint16_t)port, &used);
    if (fd < 0 || (port_file != NULL && write_port(port_file, used) < 0)) {
        (void)fprintf(stderr, "edge-sample: port %ld: %s\n", port, strerror(errno));
        return 1;
    }
    for (;;) {
        int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (peer < 0)
            continue;
        answer(peer, checksum);
        (void)close(peer);
    }
}
