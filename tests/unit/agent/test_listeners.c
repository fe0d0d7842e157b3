/* SPDX-License-Identifier: Apache-2.0 */
/* The three local servers over real sockets: which page is where, and that none of them takes what belongs to another. */
#include "agent/process/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/http/client.h"
#include "loop/http/http.h"
#include "os/clock_posix.h"
#include "support/check_main.h"
#include "support/loop_for.h"

#define MS HF_NS_PER_MS

enum { FLOOD = 620 };

static struct hf_loop *loop;
static struct hf_metrics *metrics;
static struct hf_log *silent;
static struct hf_http_client *client;
static struct hf_listeners *listeners;
static struct hf_agent_options options;

static bool ready(void *arg, char *reason, size_t n)
{
    (void)arg;
    (void)reason;
    (void)n;
    return true;
}

static void take(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange)
{
    (void)arg;
    (void)request;
    hf_server_answer(exchange, 202, "application/json", NULL, HF_VIEW("{\"accepted\":1}\n"));
}

static int open_listeners(struct hf_err *err)
{
    const struct hf_listeners_params params = {
        .options = &options,
        .loop = loop,
        .log = silent,
        .metrics = metrics,
        .ready = {.name = "desired-state", .ready = ready},
        .ingest = {.path = "/ingest", .method = "POST", .max_body = 1000, .start = take},
        .retry_ns = 20 * MS,
    };

    return hf_listeners_new(&params, &listeners, err);
}

static void set_up(void)
{
    loop = hf_loop_new(NULL);
    metrics = hf_metrics_new();
    silent = hf_log_new(open("/dev/null", O_WRONLY | O_CLOEXEC), HF_LOG_ERROR, hf_clock_posix());
    client = hf_http_client_new(loop, &(struct hf_http_config){.user_agent = "x"}, NULL);
    options = (struct hf_agent_options){0};
    for (enum hf_agent_listener i = 0; i < HF_LISTEN_COUNT; i++)
        options.listen[i].address = "127.0.0.1";
    listeners = NULL;
}

static void tear_down(void)
{
    hf_http_client_free(client);
    hf_listeners_free(listeners);
    hf_loop_free(loop);
    hf_metrics_free(metrics);
    hf_log_free(silent);
}

struct answer {
    int r, status;
    char body[256];
};

static void keep(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                 const struct hf_err *err)
{
    struct answer *answer = arg;

    (void)err;
    answer->r = r;
    answer->status = r == 0 ? response->status : 0;
    (void)snprintf(answer->body, sizeof(answer->body), "%.*s", (int)body.n, body.n > 0 ? body.p : "");
    hf_loop_stop(loop);
}

static struct answer ask(const char *method, enum hf_agent_listener listener, const char *path)
{
    const struct hf_http_ops *http = hf_http_client_ops(client);
    struct hf_http_call *call;
    struct answer answer = {.r = -1};
    char url[128];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", hf_listeners_port(listeners, listener), path);
    struct hf_http_request request = {.method = method,
                                      .url = url,
                                      .timeout_ns = 5 * HF_NS_PER_S,
                                      .body = strcmp(method, "POST") == 0 ? HF_VIEW("{}") : HF_VIEW(""),
                                      .done = keep,
                                      .arg = &answer};
    ck_assert_int_eq(http->start(http->ctx, &request, &call, NULL), 0);
    hf_loop_run(loop);
    hf_http_client_drop_connections(client);
    return answer;
}

static const struct {
    enum hf_agent_listener listener;
    const char *method, *path;
    int want;
} pages[] = {
    {HF_LISTEN_METRICS, "GET", "/metrics", 200}, {HF_LISTEN_METRICS, "GET", "/healthz", 200},
    {HF_LISTEN_METRICS, "GET", "/readyz", 200},  {HF_LISTEN_METRICS, "POST", "/ingest", 404},
    {HF_LISTEN_INGEST, "POST", "/ingest", 202},  {HF_LISTEN_INGEST, "GET", "/metrics", 404},
    {HF_LISTEN_INGEST, "GET", "/healthz", 404},  {HF_LISTEN_HEALTH, "GET", "/healthz", 200},
    {HF_LISTEN_HEALTH, "GET", "/readyz", 200},   {HF_LISTEN_HEALTH, "GET", "/metrics", 404},
    {HF_LISTEN_HEALTH, "POST", "/ingest", 404},
};

START_TEST(each_its_own_pages)
{
    ck_assert_int_eq(open_listeners(NULL), 0);
    for (size_t i = 0; i < HF_LEN(pages); i++) {
        struct answer a = ask(pages[i].method, pages[i].listener, pages[i].path);
        ck_assert_msg(a.status == pages[i].want, "%s %s on %s: %d '%s'", pages[i].method, pages[i].path,
                      hf_agent_listener_name(pages[i].listener), a.status, a.body);
    }
}
END_TEST

/* A sensor that knows the port from before there were three is told the new one. */
START_TEST(ingest_on_the_old_port_names_the_new_one)
{
    char wanted[64];

    ck_assert_int_eq(open_listeners(NULL), 0);
    struct answer a = ask("POST", HF_LISTEN_METRICS, "/ingest");
    (void)snprintf(wanted, sizeof(wanted), "on port %u,", hf_listeners_port(listeners, HF_LISTEN_INGEST));
    ck_assert_msg(strstr(a.body, wanted) != NULL && strstr(a.body, "--ingest-port") != NULL, "%s", a.body);
}
END_TEST

START_TEST(switched_off)
{
    options.listen[_i].off = true;
    ck_assert_int_eq(open_listeners(NULL), 0);
    for (enum hf_agent_listener i = 0; i < HF_LISTEN_COUNT; i++)
        ck_assert_int_eq(hf_listeners_port(listeners, i) == 0, i == (enum hf_agent_listener)_i);
    if (_i == HF_LISTEN_INGEST)
        ck_assert_ptr_nonnull(strstr(ask("POST", HF_LISTEN_METRICS, "/ingest").body, "--ingest-port off"));
}
END_TEST

static int connect_raw(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/* What a liveness probe sees while one of the servers is held by clients that never finish a request: `GET /hea` and nothing. */
START_TEST(health_answers_while_others_are_flooded)
{
    static int fds[FLOOD];

    ck_assert_int_eq(open_listeners(NULL), 0);
    for (int i = 0; i < FLOOD; i++) {
        fds[i] = connect_raw(hf_listeners_port(listeners, (enum hf_agent_listener)_i));
        (void)!send(fds[i], "GET /hea", 8, MSG_NOSIGNAL);
        if (i % 32 == 0)
            loop_run_for(loop, MS);
    }
    loop_run_for(loop, 50 * MS);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ask("GET", HF_LISTEN_HEALTH, "/healthz").status, 200);
        ck_assert_int_eq(ask("GET", HF_LISTEN_HEALTH, "/readyz").status, 200);
        ck_assert_int_eq(ask("GET", HF_LISTEN_METRICS, "/metrics").status, 200);
    }
    for (int i = 0; i < FLOOD; i++)
        (void)close(fds[i]);
}
END_TEST

/* Somebody has the port; who it is goes away later. */
START_TEST(a_taken_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    struct hf_err err = HF_ERR_INIT;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    options.listen[_i].port = ntohs(at.sin_port);
    ck_assert_int_eq(open_listeners(&err), -EADDRINUSE);
    ck_assert_ptr_null(listeners);
    ck_assert_msg(strstr(err.cause, "held by another process") != NULL && strlen(err.cause) < sizeof(err.cause) - 1,
                  "%s", err.cause);
    options.listen_optional = true;
    ck_assert_int_eq(open_listeners(&err), 0);
    ck_assert_uint_eq(hf_listeners_port(listeners, (enum hf_agent_listener)_i), 0);
    ck_assert_uint_ne(hf_listeners_port(listeners, (enum hf_agent_listener)((_i + 1) % HF_LISTEN_COUNT)), 0);
    (void)close(fd);
    loop_wait_for(loop, hf_listeners_port(listeners, (enum hf_agent_listener)_i) == ntohs(at.sin_port));
}
END_TEST

START_TEST(no_such_address)
{
    struct hf_err err = HF_ERR_INIT;

    options.listen[HF_LISTEN_INGEST].address = "192.0.2.1";
    ck_assert_int_eq(open_listeners(&err), -EADDRNOTAVAIL);
    ck_assert_msg(strstr(err.cause, "192.0.2.1") != NULL && strstr(err.cause, "--ingest-address") != NULL, "%s",
                  err.cause);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, each_its_own_pages);
    tcase_add_test(tc, ingest_on_the_old_port_names_the_new_one);
    tcase_add_loop_test(tc, switched_off, 0, HF_LISTEN_COUNT);
    tcase_add_loop_test(tc, health_answers_while_others_are_flooded, 0, HF_LISTEN_COUNT);
    tcase_add_loop_test(tc, a_taken_port, 0, HF_LISTEN_COUNT);
    tcase_add_test(tc, no_such_address);
}

HF_TEST_MAIN("agent/listeners", cases)
