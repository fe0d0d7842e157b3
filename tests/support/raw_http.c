/* SPDX-License-Identifier: Apache-2.0 */
#include "support/raw_http.h"

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/loop_for.h"

enum { MAX_ANSWER = 5 << 20, PATIENCE_MS = 20000 };

int raw_http_connect(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

size_t raw_http_talk(struct hf_loop *loop, int fd, const void *bytes, size_t n, const char *until, unsigned limit_ms,
                     char *text, size_t size)
{
    size_t sent = 0, used = 0;

    text[0] = '\0';
    for (unsigned ms = 0; ms < limit_ms; ms++) {
        ssize_t put = sent < n ? send(fd, (const char *)bytes + sent, n - sent, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
        sent += put > 0 ? (size_t)put : 0;
        loop_run_for(loop, HF_NS_PER_MS);
        ssize_t got = recv(fd, text + used, size - 1 - used, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            break;
        used += got > 0 ? (size_t)got : 0;
        text[used] = '\0';
        if (until != NULL && used >= strlen(until) && memmem(text, used, until, strlen(until)) != NULL)
            break;
    }
    return used;
}

struct raw_answer raw_http_ask(struct hf_loop *loop, uint16_t port, const char *method, const char *path,
                               const char *headers)
{
    struct raw_answer answer = {0};
    char request[4096];
    char *text = malloc(MAX_ANSWER);
    int fd = raw_http_connect(port);

    ck_assert_ptr_nonnull(text);
    int n = snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\n%sConnection: close\r\n\r\n", method, path, headers);
    ck_assert_int_lt(n, (int)sizeof(request));
    size_t got = raw_http_talk(loop, fd, request, (size_t)n, NULL, PATIENCE_MS, text, MAX_ANSWER);
    (void)close(fd);
    char *end = memmem(text, got, "\r\n\r\n", 4);
    if (end != NULL) {
        ck_assert_int_eq(sscanf(text, "HTTP/1.%*d %d", &answer.status), 1);
        (void)snprintf(answer.head, sizeof(answer.head), "%.*s", (int)(end - text), text);
        answer.n = got - (size_t)(end + 4 - text);
        memmove(text, end + 4, answer.n);
    }
    text[answer.n] = '\0';
    answer.body = text;
    return answer;
}

void raw_answer_done(struct raw_answer *answer)
{
    free(answer->body);
}
