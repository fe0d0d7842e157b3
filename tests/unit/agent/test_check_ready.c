/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/check_ready.h"

#include <arpa/inet.h>
#include <check.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/process/process.h"
#include "support/check_main.h"

/* A server that takes one connection, reads a request, gives this answer and ends it. */
struct server {
    int fd;
    const char *answer;
    char request[200];
    pthread_t thread;
};

static void *serve(void *arg)
{
    struct server *server = arg;
    int fd = accept(server->fd, NULL, NULL);
    ssize_t n = fd < 0 ? -1 : recv(fd, server->request, sizeof(server->request) - 1, 0);

    if (n > 0)
        (void)!send(fd, server->answer, strlen(server->answer), MSG_NOSIGNAL);
    if (fd >= 0)
        (void)close(fd);
    return NULL;
}

static uint16_t start(struct server *server)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof(at);

    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert(server->fd >= 0 && bind(server->fd, (struct sockaddr *)&at, n) == 0 && listen(server->fd, 1) == 0);
    ck_assert_int_eq(getsockname(server->fd, (struct sockaddr *)&at, &n), 0);
    ck_assert_int_eq(pthread_create(&server->thread, NULL, serve, server), 0);
    return ntohs(at.sin_port);
}

static int check(struct hf_listen_flag listen, char said[400], char faults[400])
{
    struct hf_agent_options options = {.listen = {[HF_LISTEN_HEALTH] = listen}};
    FILE *out = fmemopen(said, 400, "w"), *bad = fmemopen(faults, 400, "w");
    int code = hf_check_ready_run(&options, out, bad);

    ck_assert(fclose(out) == 0 && fclose(bad) == 0);
    return code;
}

static const struct {
    const char *answer;
    int code;
    const char *said, *faults;
} answers[] = {
    {"HTTP/1.1 200 OK\r\nA: b\r\n\r\nok\n", HF_EXIT_OK, "ok\n", ""},
    {"HTTP/1.1 503 Not\r\n\r\nno source\n", HF_EXIT_FAILED, "", "holdfast-agent: not ready: no source\n"},
    {"HTTP/1.1 2000 OK\r\n\r\nok\n", HF_EXIT_FAILED, "", "holdfast-agent: not ready: ok\n"},
    {"SSH-2.0", HF_EXIT_FAILED, "", "holdfast-agent: not ready: no answer\n"},
};

START_TEST(answer)
{
    struct server server = {.answer = answers[_i].answer};
    char said[400] = "", faults[400] = "";
    uint16_t port = start(&server);
    int code = check((struct hf_listen_flag){.address = "127.0.0.1", .port = port}, said, faults);

    ck_assert_int_eq(pthread_join(server.thread, NULL), 0);
    (void)close(server.fd);
    ck_assert_int_eq(code, answers[_i].code);
    ck_assert_str_eq(said, answers[_i].said);
    ck_assert_str_eq(faults, answers[_i].faults);
    ck_assert_str_eq(server.request, "GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n");
}
END_TEST

static const struct {
    struct hf_listen_flag listen;
    const char *why;
} nobody[] = {
    {{.address = "127.0.0.1", .port = 1}, "no agent answers on 127.0.0.1 port 1: Connection refused"},
    {{.address = "::1", .port = 1}, "no agent answers on ::1 port 1"},
    {{.address = "here", .port = 1}, "no agent answers on here port 1: Invalid argument"},
    {{.address = "127.0.0.1", .port = 1, .off = true}, "not connected"},
};

START_TEST(nobody_answers)
{
    char said[400] = "", faults[400] = "";

    ck_assert_int_eq(check(nobody[_i].listen, said, faults), HF_EXIT_FAILED);
    ck_assert_str_eq(said, "");
    ck_assert_msg(strstr(faults, nobody[_i].why) != NULL, "%s", faults);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, answer, 0, HF_LEN(answers));
    tcase_add_loop_test(tc, nobody_answers, 0, HF_LEN(nobody));
}

HF_TEST_MAIN("agent/check_ready", cases)
