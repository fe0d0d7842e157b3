/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop/connection.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/loop_for.h"
#include "support/makers/certs.h"

static struct hf_loop *loop;
static struct hf_connection *stream;
static struct {
    int opened, closed, r;
    struct hf_buf in;
    char cause[256];
    bool close_inside; /* in `received` */
    const char *say;   /* when open */
} seen;

static void on_opened(void *arg)
{
    (void)arg;
    seen.opened++;
    if (seen.say != NULL)
        ck_assert_int_eq(hf_connection_send(stream, seen.say, strlen(seen.say)), 0);
}

static void on_received(void *arg, const void *bytes, size_t n)
{
    (void)arg;
    ck_assert_int_eq(hf_buf_add(&seen.in, bytes, n), 0);
    if (seen.close_inside) {
        hf_connection_close(stream);
        stream = NULL;
    }
}

static void on_closed(void *arg, int r, const struct hf_err *err)
{
    (void)arg;
    seen.closed++;
    seen.r = r;
    (void)snprintf(seen.cause, sizeof(seen.cause), "%s", err->cause);
    hf_connection_close(stream);
    stream = NULL;
}

#define RUN_UNTIL(condition) ck_assert_msg(loop_run_until(loop, condition), "%s: %s", #condition, seen.cause)

static int listen_somewhere(uint16_t *ret_port)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(any);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&any, sizeof(any)), 0);
    ck_assert_int_eq(listen(fd, 5), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&any, &n), 0);
    *ret_port = ntohs(any.sin_port);
    return fd;
}

static void open_stream(const char *host, uint16_t port, bool tls, const char *ca_pem)
{
    const struct hf_connection_params params = {.host = host,
                                                .port = port,
                                                .tls = tls,
                                                .ca_pem = ca_pem,
                                                .opened = on_opened,
                                                .received = on_received,
                                                .closed = on_closed};
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_connection_open(loop, &params, &stream, &err) == 0, "%s", err.cause);
    ck_assert_int_eq(seen.opened + seen.closed, 0);
}

static void set_up(void)
{
    memset(&seen, 0, sizeof(seen));
    seen.in.max = 64 << 20;
    loop = hf_loop_new(NULL);
}

static void tear_down(void)
{
    hf_connection_close(stream);
    stream = NULL;
    hf_loop_free(loop);
    hf_buf_done(&seen.in);
}

START_TEST(both_ways)
{
    uint16_t port;
    int listener = listen_somewhere(&port), fd = -1;
    char bytes[16] = "";

    seen.say = "hello";
    open_stream("localhost", port, false, NULL);
    RUN_UNTIL(seen.opened == 1);
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    ck_assert_int_ge(fd, 0);
    RUN_UNTIL(recv(fd, bytes, sizeof(bytes), MSG_PEEK) == 5);
    ck_assert_int_eq(read(fd, bytes, sizeof(bytes)), 5);
    ck_assert_str_eq(bytes, "hello");
    ck_assert_int_eq(write(fd, "answer", 6), 6);
    RUN_UNTIL(seen.in.n == 6);
    hf_connection_pause(stream, true);
    ck_assert_int_eq(write(fd, "more", 4), 4);
    loop_run_for(loop, 50 * HF_NS_PER_MS);
    ck_assert_uint_eq(seen.in.n, 6);
    hf_connection_pause(stream, false);
    RUN_UNTIL(seen.in.n == 10);
    (void)close(fd);
    RUN_UNTIL(seen.closed == 1);
    ck_assert_int_eq(seen.r, -EPIPE);
    (void)close(listener);
}
END_TEST

START_TEST(long_texts)
{
    enum { LONG = 200000 };
    uint16_t port;
    int listener = listen_somewhere(&port), small = 4096;
    char *text = malloc(LONG), *got = malloc(LONG);
    size_t n = 0;
    ssize_t r;

    for (size_t i = 0; i < LONG; i++)
        text[i] = (char)('a' + i % 23);
    ck_assert_int_eq(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    open_stream("127.0.0.1", port, false, NULL);
    RUN_UNTIL(seen.opened == 1);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    ck_assert_int_eq(hf_connection_send(stream, text, LONG), 0);
    ck_assert_int_eq(hf_connection_send(stream, text, LONG), -E2BIG);
    while (n < LONG) {
        RUN_UNTIL((r = read(fd, got + n, LONG - n)) >= 0);
        ck_assert_int_gt(r, 0);
        n += (size_t)r;
    }
    ck_assert_int_eq(memcmp(text, got, LONG), 0);
    (void)close(fd);
    (void)close(listener);
    free(text);
    free(got);
}
END_TEST

START_TEST(closed_inside)
{
    uint16_t port;
    int listener = listen_somewhere(&port);

    seen.close_inside = true;
    open_stream("127.0.0.1", port, false, NULL);
    RUN_UNTIL(seen.opened == 1);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    RUN_UNTIL(stream == NULL);
    loop_run_for(loop, 20 * HF_NS_PER_MS);
    ck_assert_int_eq(seen.closed, 0);
    (void)close(fd);
    (void)close(listener);
}
END_TEST

START_TEST(nobody_there)
{
    uint16_t port;

    (void)close(listen_somewhere(&port));
    open_stream("127.0.0.1", port, false, NULL);
    RUN_UNTIL(seen.closed == 1);
    ck_assert_int_eq(seen.r, -ECONNREFUSED);
    ck_assert_ptr_nonnull(strstr(seen.cause, "connect to '127.0.0.1'"));
    seen.closed = 0;
    open_stream("no-such-name.invalid", port, false, NULL);
    RUN_UNTIL(seen.closed == 1);
    ck_assert_int_eq(seen.r, -EHOSTUNREACH);
    seen.closed = 0;
    open_stream("no-such-name.invalid", port, false, NULL); /* closed while the worker looks for it */
    hf_connection_close(stream);
    stream = NULL;
    loop_run_for(loop, 50 * HF_NS_PER_MS);
}
END_TEST

START_TEST(nothing_is_said_after_the_end)
{
    uint16_t port;
    int listener = listen_somewhere(&port);

    open_stream("127.0.0.1", port, false, NULL);
    hf_connection_close(stream);
    stream = NULL;
    loop_run_for(loop, 50 * HF_NS_PER_MS);
    ck_assert_int_eq(seen.opened + seen.closed, 0);
    (void)close(listener);
}
END_TEST

/* ---- TLS, with openssl s_server as the peer ---------------------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static pid_t start_tls(uint16_t port, const struct hf_test_cert *cert, int *ret_input)
{
    static const char cert_path[] = "/tmp/hf-stream-cert", key_path[] = "/tmp/hf-stream-key";
    char cert_file[64], key_file[64], port_text[8];
    int pipes[2];

    (void)snprintf(cert_file, sizeof(cert_file), "%s.%d", cert_path, getpid());
    (void)snprintf(key_file, sizeof(key_file), "%s.%d", key_path, getpid());
    (void)snprintf(port_text, sizeof(port_text), "%u", port);
    write_file(cert_file, cert->cert_pem);
    write_file(key_file, cert->key_pem);
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        int null = open("/dev/null", O_WRONLY);
        (void)dup2(pipes[0], 0);
        (void)dup2(null, 1);
        (void)dup2(null, 2);
        /* -rev: sends each line back, turned round */
        (void)execlp("openssl", "openssl", "s_server", "-accept", port_text, "-cert", cert_file, "-key", key_file,
                     "-rev", "-quiet", (char *)NULL);
        _exit(127);
    }
    (void)close(pipes[0]);
    *ret_input = pipes[1];
    for (int i = 0; i < 200; i++) {
        const struct sockaddr_in to = {
            .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int r = connect(fd, (const struct sockaddr *)&to, sizeof(to));
        (void)close(fd);
        if (r == 0)
            break;
        (void)usleep(20000);
    }
    (void)unlink(cert_file);
    (void)unlink(key_file);
    return pid;
}

static const struct {
    const char *name, *host;
    bool trusted;
    int want; /* 0: opens */
} peers[] = {
    {"trusted", "localhost", true, 0},
    {"by address", "127.0.0.1", true, 0},
    {"another's name", "localhost", true, -EKEYREJECTED},
    {"not trusted", "localhost", false, -EKEYREJECTED},
};

START_TEST(tls)
{
    struct hf_test_cert authority, cert, other;
    uint16_t port;
    int input, status;

    (void)close(listen_somewhere(&port));
    hf_test_cert_make(&(struct hf_test_cert_spec){.name = "ca", .until_s = 3600, .from_s = -60, .authority = true},
                      &authority);
    hf_test_cert_make(&(struct hf_test_cert_spec){.name = "ca2", .until_s = 3600, .from_s = -60, .authority = true},
                      &other);
    hf_test_cert_make(&(struct hf_test_cert_spec){.name = _i == 2 ? "example.com" : "localhost",
                                                  .ip = _i == 2 ? NULL : "127.0.0.1",
                                                  .from_s = -60,
                                                  .until_s = 3600,
                                                  .issuer = &authority},
                      &cert);
    pid_t pid = start_tls(port, &cert, &input);
    seen.say = "abc\n";
    open_stream(peers[_i].host, port, true, peers[_i].trusted ? authority.cert_pem : other.cert_pem);
    if (peers[_i].want == 0) {
        RUN_UNTIL(seen.in.n >= 4);
        ck_assert_int_eq(memcmp(seen.in.p, "cba\n", 4), 0);
        hf_connection_pause(stream, true);
        ck_assert_int_eq(hf_connection_send(stream, "xyz\n", 4), 0);
        loop_run_for(loop, 100 * HF_NS_PER_MS);
        ck_assert_uint_eq(seen.in.n, 4);
        hf_connection_pause(stream, false);
        RUN_UNTIL(seen.in.n >= 8);
    } else {
        RUN_UNTIL(seen.closed == 1);
        ck_assert_msg(seen.r == peers[_i].want && seen.opened == 0, "%s: %d %s", peers[_i].name, seen.r, seen.cause);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &status, 0);
    (void)close(input);
    hf_test_cert_done(&authority);
    hf_test_cert_done(&other);
    hf_test_cert_done(&cert);
}
END_TEST

/* A peer that speaks no TLS. */
START_TEST(no_tls)
{
    uint16_t port;
    int listener = listen_somewhere(&port), fd = -1;
    struct hf_test_cert authority;

    hf_test_cert_make(&(struct hf_test_cert_spec){.name = "ca", .until_s = 3600, .authority = true}, &authority);
    open_stream("127.0.0.1", port, true, authority.cert_pem);
    RUN_UNTIL((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0);
    ck_assert_int_eq(write(fd, "SSH-2.0-OpenSSH\r\n", 17), 17);
    RUN_UNTIL(seen.closed == 1);
    ck_assert_int_eq(seen.r, -EKEYREJECTED);
    (void)close(fd);
    (void)close(listener);
    hf_test_cert_done(&authority);
}
END_TEST

static void cases(TCase *tc)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as the agent does */
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, both_ways);
    tcase_add_test(tc, long_texts);
    tcase_add_test(tc, closed_inside);
    tcase_add_test(tc, nobody_there);
    tcase_add_test(tc, nothing_is_said_after_the_end);
    tcase_add_loop_test(tc, tls, 0, (int)HF_LEN(peers));
    tcase_add_test(tc, no_tls);
}

HF_TEST_MAIN("loop/stream", cases)
