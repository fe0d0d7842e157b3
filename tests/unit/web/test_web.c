/* SPDX-License-Identifier: Apache-2.0 */
#include "web/web.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "loop/http/client.h"
#include "loop/loop.h"
#include "support/check_main.h"
#include "web/process_metrics.h"

static struct hf_loop *loop;
static struct hf_metrics *metrics;
static struct hf_web *web;
static struct hf_http_client *client;
static const char *blocked; /* why the second check is not ready; NULL: it is */

static bool always(void *arg, char *reason, size_t n)
{
    (void)arg;
    (void)reason;
    (void)n;
    return true;
}

static bool unless_blocked(void *arg, char *reason, size_t n)
{
    (void)arg;
    if (blocked != NULL)
        (void)snprintf(reason, n, "%s", blocked);
    return blocked == NULL;
}

static void say_more(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    (void)request;
    ck_assert_int_eq(hf_buf_add_str(&reply->body, arg), 0);
}

static void set_up(void)
{
    static char more[] = "more";
    const struct hf_web_check checks[] = {{.name = "cache", .ready = always},
                                          {.name = "contact", .ready = unless_blocked}};
    const struct hf_server_route routes[] = {{.path = "/more", .method = "GET", .handle = say_more, .arg = more}};
    struct hf_err err = HF_ERR_INIT;

    loop = hf_loop_new(NULL);
    metrics = hf_metrics_new();
    struct hf_web_params params = {
        .metrics = metrics, .checks = checks, .n_checks = 2, .routes = routes, .n_routes = 1};
    int r = hf_web_new(loop, &params, &web, &err);
    ck_assert_msg(r == 0, "%s", err.cause);
    client = hf_http_client_new(loop, &(struct hf_http_config){.user_agent = "x"}, NULL);
    blocked = NULL;
}

static void tear_down(void)
{
    hf_http_client_free(client);
    hf_web_free(web);
    hf_loop_free(loop);
    hf_metrics_free(metrics);
}

struct answer {
    int status;
    char type[HF_HTTP_HEADER_VALUE];
    char *body;
};

static void keep(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                 const struct hf_err *err)
{
    struct answer *answer = arg;

    ck_assert_msg(r == 0, "%s", err->cause);
    answer->status = response->status;
    (void)snprintf(answer->type, sizeof(answer->type), "%s", response->content_type);
    answer->body = hf_view_dup(body);
    hf_loop_stop(loop);
}

static void answer_done(struct answer *answer)
{
    free(answer->body);
}

static void get(const char *path, struct answer *answer)
{
    const struct hf_http_ops *http = hf_http_client_ops(client);
    struct hf_http_call *call;
    char url[128];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", hf_web_port(web), path);
    struct hf_http_request request = {.method = "GET", .url = url, .done = keep, .arg = answer};
    ck_assert_int_eq(http->start(http->ctx, &request, &call, NULL), 0);
    hf_loop_run(loop);
}

START_TEST(health)
{
    _cleanup_(answer_done) struct answer a = {.status = 0};

    get("/healthz", &a);
    ck_assert_int_eq(a.status, 200);
    ck_assert_str_eq(a.body, "ok\n");
}
END_TEST

static const struct {
    const char *blocked;
    int want_status;
    const char *want_body;
} readiness[] = {
    {NULL, 200, "[+]cache ok\n[+]contact ok\n"},
    {"never heard of the API server", 503, "[+]cache ok\n[-]contact: never heard of the API server\n"},
    {"", 503, "[+]cache ok\n[-]contact: not ready\n"},
};

START_TEST(ready)
{
    _cleanup_(answer_done) struct answer a = {.status = 0};

    blocked = readiness[_i].blocked;
    get("/readyz", &a);
    ck_assert_int_eq(a.status, readiness[_i].want_status);
    ck_assert_str_eq(a.body, readiness[_i].want_body);
}
END_TEST

START_TEST(more_pages)
{
    _cleanup_(answer_done) struct answer a = {.status = 0}, none = {.status = 0};

    get("/more", &a);
    ck_assert_str_eq(a.body, "more");
    get("/less", &none);
    ck_assert_int_eq(none.status, 404);
}
END_TEST

static double cpu_seconds(const struct answer *a)
{
    static const char name[] = "\nholdfast_process_cpu_seconds_total ";
    const char *at = strstr(a->body, name);

    ck_assert_ptr_nonnull(at);
    return strtod(at + strlen(name), NULL);
}

/* An agent at rest spends some milliseconds in a minute: whole seconds would show nothing, then a jump. */
START_TEST(cpu_time_has_fractions)
{
    _cleanup_(answer_done) struct answer before = {.status = 0}, after = {.status = 0};
    volatile unsigned work = 0;
    clock_t until = clock() + CLOCKS_PER_SEC / 20;

    ck_assert_int_eq(hf_web_process_metrics(metrics), 0);
    get("/metrics", &before);
    while (clock() < until)
        work++;
    get("/metrics", &after);
    double spent = cpu_seconds(&after) - cpu_seconds(&before);
    ck_assert_msg(spent > 0.01 && spent < 30, "%g s of CPU time", spent);
}
END_TEST

/* The page as Prometheus' own judge sees it, with the process' gauges in it. */
START_TEST(metrics_page)
{
    _cleanup_(answer_done) struct answer a = {.status = 0};

    ck_assert_int_eq(hf_web_process_metrics(metrics), 0);
    hf_metric_add(hf_metric_counter(metrics, "holdfast_starts_total", "Starts."), 1);
    get("/metrics", &a);
    ck_assert_int_eq(a.status, 200);
    ck_assert_str_eq(a.type, "text/plain; version=0.0.4; charset=utf-8");
    static const char *const parts[] = {"\nholdfast_starts_total 1\n", "\nholdfast_process_cpu_seconds_total ",
                                        "\nholdfast_process_resident_memory_bytes ", "\nholdfast_process_open_fds ",
                                        "\nholdfast_process_start_time_seconds "};
    for (size_t i = 0; i < HF_LEN(parts); i++)
        ck_assert_msg(strstr(a.body, parts[i]) != NULL, "no %s in\n%s", parts[i], a.body);
    ck_assert_ptr_null(strstr(a.body, "_open_fds 0\n"));
    ck_assert_ptr_null(strstr(a.body, "_memory_bytes 0\n"));
    if (access("/usr/bin/promtool", X_OK) < 0) {
        printf("SKIP: promtool is not installed\n");
        return;
    }
    int fd = memfd_create("metrics", MFD_CLOEXEC), status;
    ck_assert_int_eq(write(fd, a.body, strlen(a.body)), (ssize_t)strlen(a.body));
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(fd, STDIN_FILENO);
        (void)execl("/usr/bin/promtool", "promtool", "check", "metrics", NULL);
        _exit(127);
    }
    (void)close(fd);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "promtool: %d for\n%s", status, a.body);
}
END_TEST

static void collect_too_much(void *arg)
{
    char help[4096];

    (void)arg;
    memset(help, 'h', sizeof(help) - 1);
    help[sizeof(help) - 1] = '\0';
    for (int i = 0; i < HF_METRICS_MAX_FAMILIES; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "holdfast_much_%d", i);
        struct hf_metric_family *family =
            hf_metric_family(metrics, HF_METRIC_GAUGE, name, help, HF_LABELS("x", "y", "z"));
        for (int j = 0; j < HF_METRIC_MAX_SERIES; j++) {
            char value[HF_METRIC_LABEL_VALUE + 1];
            memset(value, '\\', sizeof(value) - 1);
            (void)snprintf(value, 8, "%d", j);
            value[strlen(value)] = '\\';
            value[sizeof(value) - 1] = '\0';
            (void)hf_metric_with(family, HF_LABELS(value, value, value));
        }
    }
}

START_TEST(never_half_a_page)
{
    _cleanup_(answer_done) struct answer a = {.status = 0};

    ck_assert_int_eq(hf_metrics_on_collect(metrics, collect_too_much, NULL), 0);
    get("/metrics", &a);
    ck_assert_int_eq(a.status, 500);
    ck_assert_str_eq(a.body, "");
}
END_TEST

START_TEST(taken_port)
{
    struct hf_web_params params = {.metrics = metrics, .port = hf_web_port(web)};
    struct hf_web *second = NULL;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_web_new(loop, &params, &second, &err), -EADDRINUSE);
    ck_assert_ptr_null(second);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, health);
    tcase_add_loop_test(tc, ready, 0, (int)HF_LEN(readiness));
    tcase_add_test(tc, more_pages);
    tcase_add_test(tc, cpu_time_has_fractions);
    tcase_add_test(tc, metrics_page);
    tcase_add_test(tc, never_half_a_page);
    tcase_add_test(tc, taken_port);
}

HF_TEST_MAIN("web/web", cases)
