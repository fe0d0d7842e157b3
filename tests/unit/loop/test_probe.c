/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/probe.h"
#include "os/clock_posix.h"
#include "support/check_main.h"
#include "support/loop_for.h"

#define MS HF_NS_PER_MS

static struct hf_loop *loop;
static const struct hf_probe_ops *probe;

static void set_up(void)
{
    loop = hf_loop_new(NULL);
    probe = hf_loop_probe(loop);
}

static void tear_down(void)
{
    hf_loop_free(loop);
}

struct outcome {
    struct hf_probe_call *call;
    int done;
    int r;
};

static void keep(void *arg, int r)
{
    struct outcome *o = arg;

    o->done++;
    o->r = r;
    hf_loop_stop(loop);
}

static int listen_on(uint16_t *ret_port, int backlog)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, n), 0);
    if (backlog >= 0)
        ck_assert_int_eq(listen(fd, backlog), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void start(struct outcome *o, const char *host, uint16_t port, uint64_t timeout_ns)
{
    *o = (struct outcome){.done = 0};
    ck_assert_int_eq(probe->tcp(probe->ctx, host, port, timeout_ns, keep, o, &o->call, NULL), 0);
    ck_assert_int_eq(o->done, 0);
}

static const char *const hosts[] = {"127.0.0.1", "localhost", "::ffff:127.0.0.1"};

START_TEST(connects)
{
    struct outcome o;
    uint16_t port;
    int fd = listen_on(&port, 4);

    start(&o, hosts[_i], port, 5 * HF_NS_PER_S);
    hf_loop_run(loop);
    ck_assert_msg(o.done == 1 && o.r == 0, "%s: %d", hosts[_i], o.r);
    (void)close(fd);
}
END_TEST

START_TEST(refused)
{
    struct outcome o;
    uint16_t port;
    int fd = listen_on(&port, -1); /* bound, not listening */

    start(&o, hosts[_i], port, 5 * HF_NS_PER_S);
    hf_loop_run(loop);
    ck_assert_msg(o.r == -ECONNREFUSED, "%s: %d", hosts[_i], o.r);
    (void)close(fd);
}
END_TEST

/* A listener whose queue is full answers nobody. */
static int silent_listener(uint16_t *ret_port, int fillers[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = listen_on(ret_port, 0);

    address.sin_port = htons(*ret_port);
    for (int i = 0; i < 2; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(fillers[i], (struct sockaddr *)&address, sizeof(address));
    }
    return fd;
}

START_TEST(times_out)
{
    struct outcome o;
    uint16_t port;
    int fillers[2];
    int fd = silent_listener(&port, fillers);
    uint64_t start_ns = hf_mono_ns(hf_clock_posix()), starved_ns = loop_starved_ns();

    start(&o, "127.0.0.1", port, 100 * MS);
    hf_loop_run(loop);
    ck_assert_int_eq(o.r, -ETIMEDOUT);
    ck_assert_uint_lt(hf_mono_ns(hf_clock_posix()) - start_ns, 900 * MS + 2 * (loop_starved_ns() - starved_ns));
    (void)close(fd);
    (void)close(fillers[0]);
    (void)close(fillers[1]);
}
END_TEST

START_TEST(unknown_name)
{
    struct outcome o;

    start(&o, "no-such-host.invalid", 80, 20 * HF_NS_PER_S);
    hf_loop_run(loop);
    ck_assert_int_eq(o.r, -EHOSTUNREACH);
}
END_TEST

START_TEST(bad_arguments)
{
    struct outcome o = {.done = 0};
    struct hf_err err = HF_ERR_INIT;
    char longest[400];

    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    ck_assert_int_eq(probe->tcp(probe->ctx, "", 80, 0, keep, &o, &o.call, &err), -EINVAL);
    ck_assert_int_eq(probe->tcp(probe->ctx, longest, 80, 0, keep, &o, &o.call, &err), -EINVAL);
    ck_assert_int_eq(probe->tcp(probe->ctx, "127.0.0.1", 0, 0, keep, &o, &o.call, &err), -EINVAL);
}
END_TEST

static const struct {
    const char *host;
    uint64_t after_ns;
} cancels[] = {
    {"127.0.0.1", 0}, {"127.0.0.1", 20 * MS}, {"localhost", 0}, {"localhost", 1}, {"no-such-host.invalid", 1}};

START_TEST(cancel)
{
    struct outcome o;
    uint16_t port;
    int fillers[2];
    int fd = silent_listener(&port, fillers);

    start(&o, cancels[_i].host, port, 5 * HF_NS_PER_S);
    if (cancels[_i].after_ns > 0)
        loop_run_for(loop, cancels[_i].after_ns);
    if (o.done == 0)
        probe->cancel(probe->ctx, o.call);
    probe->cancel(probe->ctx, NULL);
    loop_run_for(loop, 50 * MS);
    (void)close(fd);
    (void)close(fillers[0]);
    (void)close(fillers[1]);
}
END_TEST

START_TEST(loop_ends_with_probes)
{
    struct outcome o[3];
    uint16_t port;
    int fillers[2];
    int fd = silent_listener(&port, fillers);

    start(&o[0], "127.0.0.1", port, 5 * HF_NS_PER_S);
    start(&o[1], "localhost", port, 5 * HF_NS_PER_S);
    loop_run_for(loop, 10 * MS);
    start(&o[2], "127.0.0.1", port, 5 * HF_NS_PER_S);
    hf_loop_free(loop);
    loop = NULL;
    ck_assert_int_eq(o[0].done + o[1].done + o[2].done, 0);
    (void)close(fd);
    (void)close(fillers[0]);
    (void)close(fillers[1]);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, connects, 0, (int)HF_LEN(hosts));
    tcase_add_loop_test(tc, refused, 0, (int)HF_LEN(hosts));
    tcase_add_test(tc, times_out);
    tcase_add_test(tc, unknown_name);
    tcase_add_test(tc, bad_arguments);
    tcase_add_loop_test(tc, cancel, 0, (int)HF_LEN(cancels));
    tcase_add_test(tc, loop_ends_with_probes);
}

HF_TEST_MAIN("loop/probe", cases)
