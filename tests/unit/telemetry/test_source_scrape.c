/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/telemetry/source_fixture.h"

#include "loop/server/server.h"
#include "support/own_address.h"

static struct hf_source *source;
static struct hf_server *server;
static struct hf_telemetry_scrape scrapes[2];
static char url[128];
static const char *answer = "";
static int asked;

static void answer_metrics(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    (void)arg;
    (void)request;
    asked++;
    reply->status = answer == NULL ? 500 : 200;
    ck_assert_int_eq(hf_buf_add_str(&reply->body, answer != NULL ? answer : "no"), 0);
}

static int make(struct hf_err *err)
{
    const struct hf_telemetry_sources sources = {.scrapes = scrapes, .n_scrapes = scrapes[1].url != NULL ? 2 : 1};

    return hf_source_scrape_new(&sources, &world, &intake, &source, err);
}

static void set_up(void)
{
    static const struct hf_server_route routes[] = {{.path = "/metrics", .method = "GET", .handle = answer_metrics}};
    static const char *const hosts[] = {"0.0.0.0", NULL};
    struct hf_err err = HF_ERR_INIT;

    fix_set_up_real();
    const struct hf_server_params params = {
        .address = "127.0.0.1", .routes = routes, .n_routes = 1, .allowed_hosts = hosts};
    ck_assert_int_eq(hf_server_new(real, &params, &server, &err), 0);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/metrics", hf_server_port(server));
    memset(scrapes, 0, sizeof(scrapes));
    scrapes[0] = (struct hf_telemetry_scrape){.url = url, .period_ns = 200 * HF_NS_PER_MS};
}

static void tear_down(void)
{
    if (source != NULL)
        source->free(source);
    fix_tear_down();
}

START_TEST(takes_figures)
{
    struct hf_err err = HF_ERR_INIT;
    char want[200];

    answer = "# TYPE a_total counter\na_total{x=\"1\"} 5\nb 2\nnonsense here\ngo_c 3\n";
    scrapes[0].names[0] = "a_*";
    scrapes[0].names[1] = "b";
    ck_assert_msg(make(&err) == 0, "%s", err.cause);
    run_until_kept(4); /* two answers */
    (void)snprintf(want, sizeof(want), "\"source\":\"scrape:127.0.0.1:%u/metrics\"", hf_server_port(server));
    ck_assert_msg(strstr(fix.lines[0], want) != NULL, "%s", fix.lines[0]);
    ck_assert_ptr_nonnull(strstr(fix.lines[0], "\"name\":\"a_total\",\"type\":\"counter\",\"value\":5"));
    ck_assert_ptr_nonnull(strstr(fix.lines[0], "\"attributes\":{\"x\":\"1\"}"));
    ck_assert_ptr_nonnull(strstr(fix.lines[1], "\"name\":\"b\",\"type\":\"gauge\",\"value\":2"));
    answer = NULL;
    run_s(0.5);
    size_t n = fix.n;
    run_s(0.5);
    ck_assert_uint_eq(fix.n, n);
    answer = "b 7\n";
    run_until_kept(n + 1);
}
END_TEST

START_TEST(many_without_room)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    struct hf_err err = HF_ERR_INIT;

    for (int i = 0; i < 5000; i++)
        ck_assert_int_eq(hf_buf_addf(&text, "m{i=\"%d\"} %d\n", i, i), 0);
    answer = hf_buf_str(&text);
    scrapes[0].period_ns = 60 * HF_NS_PER_S;
    fix.room = 2500;
    ck_assert_msg(make(&err) == 0, "%s", err.cause);
    run_until_kept(2500);
    run_s(0.2);
    ck_assert_uint_eq(fix.n, 2500);
    fix.room = SIZE_MAX;
    source->resume(source);
    run_until_kept(5000);
    ck_assert_ptr_nonnull(strstr(fix.lines[4999], "\"value\":4999"));
    ck_assert_int_eq(asked, 1);
}
END_TEST

static struct hf_metrics *metrics;

static uint64_t counted(const char *name, const char *help, const char *label, const char *value)
{
    struct hf_metric_family *family = hf_metric_family(metrics, HF_METRIC_COUNTER, name, help, HF_LABELS(label));

    return (uint64_t)hf_metric_value(hf_metric_with(family, HF_LABELS(value)));
}

static uint64_t dropped(const char *reason)
{
    return counted("holdfast_telemetry_scrape_dropped_total",
                   "Lines of exporters' answers that are no event: beyond 10000 samples, no room, more than 24 labels, "
                   "NaN, or not a sample.",
                   "reason", reason);
}

/* What does not become an event is counted by its reason, and logged once for a target. */
START_TEST(what_is_dropped_is_counted)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20), log = HF_BUF_INIT(1 << 20);
    struct hf_err err = HF_ERR_INIT;
    int fd = open(below("agent.txt"), O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600);

    metrics = world.metrics = hf_metrics_new();
    world.log = hf_log_new(fd, HF_LOG_INFO, world.clock);
    for (int i = 0; i < 10007; i++)
        ck_assert_int_eq(hf_buf_addf(&text, "m{i=\"%d\"} %d\n", i, i), 0);
    ck_assert_int_eq(hf_buf_add_str(&text, "n NaN\nnonsense here\n{\"a.b\"} 1\nl{"), 0);
    for (int i = 0; i < 25; i++)
        ck_assert_int_eq(hf_buf_addf(&text, "l%d=\"\",", i), 0);
    ck_assert_int_eq(hf_buf_add_str(&text, "} 1\n"), 0);
    answer = hf_buf_str(&text);
    scrapes[0].period_ns = HF_NS_PER_S; /* two answers and no third, on a slow machine, too */
    ck_assert_msg(make(&err) == 0, "%s", err.cause);
    for (int i = 0; i < 500 && dropped("samples") < 14; i++)
        run_s(0.02);
    source->free(source);
    source = NULL;
    ck_assert_uint_eq(fix.n % 10000, 0);
    ck_assert_uint_eq(dropped("samples"), fix.n / 10000 * 7);
    ck_assert_uint_eq(dropped("nan"), fix.n / 10000);
    ck_assert_uint_eq(dropped("line"), fix.n / 10000 * 2);
    ck_assert_uint_eq(dropped("labels"), fix.n / 10000);
    ck_assert_int_eq(hf_file_read(hf_fs_posix(), below("agent.txt"), &log, NULL), 0);
    const char *line = strstr(hf_buf_str(&log), "telemetry.scrape_dropped");
    ck_assert_ptr_nonnull(line);
    ck_assert_ptr_nonnull(strstr(line, "\"samples\":7,\"limit\":10000,\"line\":2,\"labels\":1,\"nan\":1"));
    ck_assert_ptr_null(strstr(line + 1, "telemetry.scrape_dropped"));
    hf_log_free(world.log);
    world.log = NULL;
    (void)close(fd);
    hf_metrics_free(metrics);
    world.metrics = NULL;
}
END_TEST

/* A page with 200, as a captive portal or a wrong path gives, is a failure. */
START_TEST(a_page_is_no_answer)
{
    static const char *const pages[] = {"<!DOCTYPE html><html>please log in</html>", "\n <html>"};
    struct hf_err err = HF_ERR_INIT;

    metrics = world.metrics = hf_metrics_new();
    answer = pages[_i];
    ck_assert_msg(make(&err) == 0, "%s", err.cause);
    for (int i = 0; i < 500 && asked < 2; i++)
        run_s(0.02);
    run_s(0.1);
    source->free(source);
    source = NULL;
    ck_assert_uint_ge(
        counted("holdfast_telemetry_scrapes_total", "Answers of local exporters, by result.", "result", "failure"), 1);
    ck_assert_uint_eq(
        counted("holdfast_telemetry_scrapes_total", "Answers of local exporters, by result.", "result", "success"), 0);
    hf_metrics_free(metrics);
    world.metrics = NULL;
}
END_TEST

/* The lease ends, and the address may be another machine's: no request before the node has it again. */
START_TEST(an_address_that_left_is_not_asked)
{
    struct hf_err err = HF_ERR_INIT;
    int before;

    has_address = true;
    answer = "b 7\n";
    (void)snprintf(url, sizeof(url), "http://0.0.0.0:%u/metrics", hf_server_port(server));
    ck_assert_msg(make(&err) == 0, "%s", err.cause);
    run_until_kept(1);
    has_address = false;
    run_s(0.3); /* for an answer that is on its way */
    before = asked;
    run_s(1);
    ck_assert_int_eq(asked, before);
    has_address = true;
    run_until_kept(fix.n + 1);
}
END_TEST

static const struct {
    const char *url;
    int want;
} urls[] = {
    {"http://localhost:1/metrics", 0},
    {"http://127.9.9.9:1/metrics", 0},
    {"http://[::1]:1/metrics", 0},
    {"http://192.0.2.1/metrics", -EACCES},
    {"http://example.com/metrics", -EACCES},
    {"http://localhost@192.0.2.1/metrics", -EACCES},
    {"http://localhost.example.com/metrics", -EACCES},
    {"http://[2001:db8::1]/metrics", -EACCES},
    {"http://2130706433/metrics", -EACCES},
    {"localhost/metrics", -EACCES},
    {"http://LocalHost:1/metrics", 0},
    {"http://127.0.0.1:80@evil.example/metrics", -EACCES},
    {"http://[::1].evil.example/metrics", -EACCES},
    {"http://[::1]evil.example/metrics", -EACCES},
    {"http://[::1/metrics", -EACCES},
    {"http://[127.0.0.1]/metrics", -EACCES},
    {"http://[]/metrics", -EACCES},
    {"http:///metrics", -EACCES},
    {"http://127.0.0.1.evil.example/metrics", -EACCES},
    {"http://evil.example/?x=http://127.0.0.1/", -EACCES},
};

START_TEST(only_here)
{
    struct hf_err err = HF_ERR_INIT;

    scrapes[0].url = urls[_i].url;
    ck_assert_msg(make(&err) == urls[_i].want, "%s: %s", urls[_i].url, err.cause);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, takes_figures);
    tcase_add_test(tc, many_without_room);
    tcase_add_test(tc, what_is_dropped_is_counted);
    tcase_add_loop_test(tc, a_page_is_no_answer, 0, 2);
    tcase_add_test(tc, an_address_that_left_is_not_asked);
    tcase_add_loop_test(tc, only_here, 0, (int)HF_LEN(urls));
}

HF_TEST_MAIN("telemetry/source_scrape", cases)
