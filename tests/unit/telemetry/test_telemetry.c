/* SPDX-License-Identifier: Apache-2.0 */
/* The service on a real loop: what it does when nothing comes, and when a part cannot start. */
#include "telemetry/telemetry.h"

#include "api/syncpolicy.h"
#include "loop/http/client.h"
#include "support/own_address.h"
#include "unit/telemetry/source_fixture.h"

static struct hf_telemetry_service *service;
static struct hf_syncpolicy *policy;
static json_t *owner;
static struct hf_metrics *metrics;
static unsigned changes; /* calls of world.changed */
static struct hf_server *server;
static struct hf_http_client *client;
static struct hf_clock_ops test_clock;
static struct hf_fs_ops fs;
static uint64_t now_unix_ns;
static char answer[512];
static const char *set_meanwhile; /* what serve() sets as a request arrives; NULL: nothing */
static _Atomic bool disk_fails;

/* Sets a policy whose spec.telemetry has these members (YAML) and a sink that nobody serves. agent.yaml does not bound
 * what an operator sets on the node itself. */
static void set(bool is_operators, const char *members)
{
    _cleanup_(hf_buf_done) struct hf_buf yaml = HF_BUF_INIT(8192);
    static struct hf_issues issues;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_buf_addf(&yaml,
                                 "{metadata: {name: p}, spec: {telemetry: {sink: {url: 'http://127.0.0.1:1/'}, %s}}}",
                                 members),
                     0);
    hf_syncpolicy_free(policy);
    json_decref(owner);
    policy = NULL;
    owner = NULL;
    ck_assert_msg(hf_yaml_parse(hf_buf_view(&yaml), NULL, &owner, &err) == 0, "%s", err.cause);
    ck_assert_msg(hf_syncpolicy_decode(owner, &policy, &issues) == 0, "%s: %s", issues.errors[0].path,
                  issues.errors[0].text);
    policy->telemetry.is_operators = is_operators;
    hf_telemetry_service_set(service, &policy->telemetry, owner, NULL);
}

static void on_change(void *arg)
{
    (void)arg;
    changes++;
}

static uint64_t unix_ns(void *ctx)
{
    (void)ctx;
    return now_unix_ns;
}

static int fdatasync_or_fail(void *ctx, int fd)
{
    return disk_fails ? -EIO : hf_fs_posix()->fdatasync(ctx, fd);
}

static void on_answer(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                      const struct hf_err *err)
{
    (void)arg;
    (void)err;
    ck_assert_int_eq(r, 0);
    (void)snprintf(answer, sizeof(answer), "%d %.*s", response->status, (int)body.n, body.p);
}

static void serve(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange)
{
    (void)arg;
    if (set_meanwhile != NULL)
        set(true, set_meanwhile);
    set_meanwhile = NULL;
    hf_telemetry_service_ingest(service, request, exchange);
}

static void set_up(void)
{
    static const struct hf_server_route routes[] = {
        {.path = "/ingest", .method = "POST", .max_body = 4096, .start = serve}};
    const struct hf_server_params params = {.address = "127.0.0.1", .routes = routes, .n_routes = 1};
    struct hf_err err = HF_ERR_INIT;

    fix_set_up_real();
    ck_assert_int_eq(hf_server_new(real, &params, &server, &err), 0);
    client = hf_http_client_new(real, &(struct hf_http_config){.user_agent = "sensor"}, &err);
    ck_assert_ptr_nonnull(client);
    test_clock = *world.clock;
    now_unix_ns = test_clock.unix_ns(test_clock.ctx);
    test_clock.unix_ns = unix_ns;
    world.clock = &test_clock;
    fs = *hf_fs_posix();
    fs.fdatasync = fdatasync_or_fail;
    world.fs = &fs;
    disk_fails = false;
    metrics = hf_metrics_new();
    world.metrics = metrics;
    world.changed = on_change;
    changes = 0;
    has_address = false;
    service = hf_telemetry_service_new(&(struct hf_telemetry_service_params){.env = world});
    ck_assert_ptr_nonnull(service);
}

static void tear_down(void)
{
    hf_http_client_free(client);
    hf_telemetry_service_free(service);
    hf_syncpolicy_free(policy);
    json_decref(owner);
    policy = NULL;
    owner = NULL;
    run_s(0.2); /* the outlets end */
    fix_tear_down();
    hf_metrics_free(metrics);
}

static json_int_t queued(void)
{
    json_t *status = hf_telemetry_service_status(service);
    json_int_t n = json_integer_value(json_object_get(status, "queuedEvents"));

    json_decref(status);
    return n;
}

static size_t troubles(void)
{
    json_t *status = hf_telemetry_service_status(service);
    size_t n = json_array_size(json_object_get(status, "troubles"));

    json_decref(status);
    return n;
}

/* Checks that there is one trouble, with `part` in it, or none if `part` is NULL. */
static void ck_trouble(const char *part)
{
    json_t *status = hf_telemetry_service_status(service);
    const json_t *all = json_object_get(status, "troubles");
    const char *text = json_string_value(json_array_get(all, 0));

    ck_assert_uint_eq(json_array_size(all), part != NULL ? 1 : 0);
    ck_assert_msg(part == NULL || strstr(text, part) != NULL, "%s", text);
    json_decref(status);
}

static void count(const char *name, const char *const *labels, const char *const *values, uint64_t n)
{
    hf_metric_add(hf_metric_with(hf_metric_family(metrics, HF_METRIC_COUNTER, name, "", labels), values), n);
}

static json_int_t of_sink(const char *key)
{
    json_t *status = hf_telemetry_service_status(service);
    json_int_t n = json_integer_value(json_object_get(json_array_get(json_object_get(status, "sinks"), 0), key));

    json_decref(status);
    return n;
}

/* Scrapes that were tried; nobody answers them. */
static uint64_t requests(void)
{
    struct hf_metric_family *family =
        hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_telemetry_scrapes_total", "", HF_LABELS("result"));

    return (uint64_t)hf_metric_value(hf_metric_with(family, HF_LABELS("failure")));
}

/* The sensor is dead from the start, and nothing else comes either. */
START_TEST(an_absence_is_found_without_any_event)
{
    set(true, "sources: {http: true}, anomalies: [{name: dead, metric: heartbeat, absence: {after: 1s}}]");
    run_s(0.5);
    ck_assert_int_eq(queued(), 0);
    for (int i = 0; i < 50 && queued() == 0; i++)
        run_s(0.1);
    ck_assert_int_eq(queued(), 1);
}
END_TEST

/* What a sink lost is told since the agent's start, also after a policy that opens all queues anew. */
START_TEST(what_is_lost_is_told_whatever_the_policy_becomes)
{
    static const char dropped[] = "holdfast_telemetry_dropped_events_total";
    const char *const *labels = HF_LABELS("sink", "source", "severity");

    set(true, "sources: {http: true}");
    run_s(0.5);
    ck_assert_int_eq(of_sink("droppedEvents") + of_sink("deadLetters"), 0);
    count(dropped, labels, HF_LABELS("default", "http", "info"), 5);
    count(dropped, labels, HF_LABELS("default", "http", "error"), 30);
    count(dropped, labels, HF_LABELS("default2", "http", "info"), 1000);
    count("holdfast_telemetry_lost_events_total", HF_LABELS("sink"), HF_LABELS("default"), 200);
    count("holdfast_telemetry_dead_letter_events_total", HF_LABELS("sink", "reason"), HF_LABELS("default", "x"), 4);
    ck_assert_int_eq(of_sink("droppedEvents"), 235);
    set(true, "sources: {http: true}, retry: {maxAttempts: 7}");
    run_s(0.5);
    ck_assert_int_eq(of_sink("droppedEvents"), 235);
    ck_assert_int_eq(of_sink("deadLetters"), 4);
}
END_TEST

/* A policy names a folder that another program makes later. */
START_TEST(a_source_opens_when_its_folder_comes)
{
    char members[256];
    struct stat st;

    (void)snprintf(members, sizeof(members), "sources: {socket: {path: '%s/run/in.sock'}}", dir);
    set(true, members);
    run_s(0.5);
    ck_trouble("socket: ");
    ck_assert_int_eq(mkdir(below("run"), 0755), 0);
    run_s(10);
    ck_assert_int_eq(stat(below("run/in.sock"), &st), 0);
    ck_trouble(NULL);
    ck_assert_uint_eq(changes, 1);
}
END_TEST

/* The cause changes: the status shows the present one, and only once. */
START_TEST(a_source_that_stays_closed_shows_why)
{
    char members[256];

    (void)snprintf(members, sizeof(members), "sources: {socket: {path: '%s/run/in.sock'}}", dir);
    set(true, members);
    run_s(0.5);
    ck_trouble("No such file or directory");
    ck_assert_int_eq(mkdir(below("run"), 0755), 0);
    (void)put("run/in.sock", "somebody's file");
    run_s(20.5);
    ck_trouble("in.sock' exists");
    ck_assert_uint_eq(changes, 1);
}
END_TEST

/* The agent starts before DHCP has answered. */
START_TEST(a_scrape_starts_when_its_address_comes)
{
    static const char other[] = "SyncPolicy p: spec.telemetry.sources.scrape[0].url: 'http://192.0.2.8";

    set(false, "sources: {scrape: [{url: 'http://192.0.2.8:1/'}, {url: 'http://0.0.0.0:1/', period: 1s}]}");
    run_s(0.5);
    ck_assert_uint_eq(troubles(), 2);
    ck_assert_uint_eq(requests(), 0);
    has_address = true;
    run_s(10);
    ck_trouble(other);
    for (int i = 0; i < 30 && requests() == 0; i++)
        run_s(0.1);
    ck_assert_uint_gt(requests(), 0);
}
END_TEST

/* ---- states ------------------------------------------------------------------------------------------------------ */

/* Posts a state of the key `door` and returns the answer; with a sequence, as the line of another agent. */
static const char *post_version(const char *timestamp, int value, const char *sequence)
{
    char url[64], body[256];
    struct hf_err err = HF_ERR_INIT;
    struct hf_http_call *call = NULL;

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/ingest", hf_server_port(server));
    (void)snprintf(body, sizeof(body),
                   sequence == NULL ? "{\"key\":\"door\",\"timestamp\":\"%s\",\"sensorData\":%d}"
                                    : "{\"kind\":\"payload\",\"node\":\"n\",\"key\":\"door\",\"time\":\"%s\","
                                      "\"sensorData\":%d,\"originSequence\":%s}",
                   timestamp, value, sequence);
    const struct hf_http_request request = {.method = "POST",
                                            .url = url,
                                            .headers = {"Content-Type: application/json"},
                                            .body = hf_view_of(body),
                                            .max_body_bytes = sizeof(answer),
                                            .done = on_answer,
                                            .arg = NULL};
    const struct hf_http_ops *http = hf_http_client_ops(client);

    answer[0] = '\0';
    ck_assert_int_eq(http->start(http->ctx, &request, &call, &err), 0);
    for (int i = 0; i < 500 && answer[0] == '\0'; i++)
        run_s(0.02);
    return answer;
}

static const char *post_state(const char *timestamp, int value)
{
    return post_version(timestamp, value, NULL);
}

#define ck_passes(timestamp, value) ck_assert_ptr_nonnull(strstr(post_state(timestamp, value), "\"accepted\":1"))
#define ck_is_late(timestamp, value) ck_assert_ptr_nonnull(strstr(post_state(timestamp, value), "\"filtered\":1"))

/* A sensor wrote one state far in the future. The present ones pass as soon as they are newer than what the node
 * believes of it. */
START_TEST(a_time_in_the_future_does_not_freeze_a_state)
{
    set(true, "sources: {http: true}");
    run_s(0.5);
    now_unix_ns = 1795161600 * HF_NS_PER_S; /* 2026-11-20T08:00:00Z */
    ck_passes("2026-11-20T08:00:00Z", 1);
    ck_is_late("2026-11-20T07:59:59Z", 2);
    ck_passes("2099-01-01T00:00:00Z", 3);
    ck_is_late("2026-11-20T08:00:01Z", 4);
    now_unix_ns += 301 * HF_NS_PER_S;
    ck_passes("2026-11-20T08:05:01Z", 5);
    ck_is_late("2026-11-20T08:05:00Z", 6);
}
END_TEST

/* Without a clock the node does not know better: what comes later is newer. */
/* The same, where the largest sequence claims to be newer than all that the other agent will ever send. */
START_TEST(a_sequence_of_the_future_does_not_freeze_a_state)
{
    set(true, "sources: {http: true}");
    run_s(0.5);
    now_unix_ns = 1795161600 * HF_NS_PER_S; /* 2026-11-20T08:00:00Z */
    ck_assert_ptr_nonnull(strstr(post_version("2099-01-01T00:00:00Z", 1, "18446744073709551614"), "\"accepted\":1"));
    now_unix_ns += 301 * HF_NS_PER_S;
    ck_assert_ptr_nonnull(strstr(post_version("2026-11-20T08:05:01Z", 2, "1795161901000000"), "\"accepted\":1"));
    ck_assert_ptr_nonnull(strstr(post_version("2026-11-20T08:05:00Z", 3, "1795161900000000"), "\"filtered\":1"));
    ck_passes("2026-11-20T08:05:02Z", 4);
}
END_TEST

START_TEST(without_a_clock_states_pass_in_order_of_arrival)
{
    set(true, "sources: {http: true}");
    run_s(0.5);
    now_unix_ns = 60 * HF_NS_PER_S;
    ck_passes("2026-11-20T08:00:05Z", 1);
    now_unix_ns++;
    ck_passes("2026-11-20T08:00:00Z", 2);
    now_unix_ns = 1795161600 * HF_NS_PER_S;
    ck_passes("2026-11-20T08:00:00Z", 3);
    ck_is_late("2026-11-20T07:00:00Z", 4);
}
END_TEST

/* The newer state never reached the disk, so the older one is the newest. */
START_TEST(a_state_that_was_not_stored_supersedes_nothing)
{
    set(true, "sources: {http: true}");
    run_s(0.5);
    now_unix_ns = 1795161600 * HF_NS_PER_S;
    disk_fails = true;
    ck_assert_ptr_nonnull(strstr(post_state("2026-11-20T08:00:00Z", 1), "503 "));
    disk_fails = false;
    ck_passes("2026-11-20T07:59:59Z", 2);
}
END_TEST

/* A sender that comes while the agent starts, or while a changed policy takes over, comes again. */
START_TEST(a_post_while_the_source_opens_comes_too_early)
{
    now_unix_ns = 1795161600 * HF_NS_PER_S;
    set_meanwhile = "sources: {http: true}";
    ck_assert_ptr_nonnull(strstr(post_state("2026-11-20T07:00:00Z", 1), "503 "));
    run_s(0.5);
    ck_passes("2026-11-20T07:00:00Z", 1);
    set_meanwhile = "sources: {http: true}, retry: {maxAttempts: 7}";
    ck_assert_ptr_nonnull(strstr(post_state("2026-11-20T07:00:01Z", 2), "503 "));
    run_s(0.5);
    ck_passes("2026-11-20T07:00:01Z", 2);
    set_meanwhile = "sources: {node: {period: 1h}}";
    ck_assert_ptr_nonnull(strstr(post_state("2026-11-20T07:00:02Z", 3), "404 "));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, an_absence_is_found_without_any_event);
    tcase_add_test(tc, what_is_lost_is_told_whatever_the_policy_becomes);
    tcase_add_test(tc, a_source_opens_when_its_folder_comes);
    tcase_add_test(tc, a_source_that_stays_closed_shows_why);
    tcase_add_test(tc, a_scrape_starts_when_its_address_comes);
    tcase_add_test(tc, a_time_in_the_future_does_not_freeze_a_state);
    tcase_add_test(tc, a_state_that_was_not_stored_supersedes_nothing);
    tcase_add_test(tc, a_post_while_the_source_opens_comes_too_early);
    tcase_add_test(tc, a_sequence_of_the_future_does_not_freeze_a_state);
    tcase_add_test(tc, without_a_clock_states_pass_in_order_of_arrival);
}

HF_TEST_MAIN("telemetry/telemetry", cases)
