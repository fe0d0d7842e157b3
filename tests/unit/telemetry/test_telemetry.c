/* The service on a real loop: what it does when nothing comes, and when a part cannot start. */
#include "telemetry/telemetry.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include "api/syncpolicy.h"
#include "unit/telemetry/source_fixture.h"

static struct hf_telemetry_service *service;
static struct hf_syncpolicy *policy;
static json_t *owner;
static struct hf_metrics *metrics;
static unsigned changes; /* calls of world.changed */
static bool has_address;

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

/* The addresses of this node, instead of those that the kernel would tell: 0.0.0.0, which is not a loopback address, or
 * none. */
int getifaddrs(struct ifaddrs **ret)
{
    static struct sockaddr_in address = {.sin_family = AF_INET};
    static struct ifaddrs all = {.ifa_addr = (struct sockaddr *)&address};

    *ret = has_address ? &all : NULL;
    return 0;
}

void freeifaddrs(struct ifaddrs *all)
{
    (void)all;
}

static void set_up(void)
{
    fix_set_up_real();
    metrics = hf_metrics_new();
    world.metrics = metrics;
    world.changed = on_change;
    changes = 0;
    has_address = false;
    service = hf_telemetry_service_new(&(struct hf_telemetry_service_params){.world = world});
    ck_assert_ptr_nonnull(service);
}

static void tear_down(void)
{
    hf_telemetry_service_free(service);
    hf_syncpolicy_free(policy);
    json_decref(owner);
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

static void cases(TCase *tc)
{
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, an_absence_is_found_without_any_event);
    tcase_add_test(tc, a_source_opens_when_its_folder_comes);
    tcase_add_test(tc, a_source_that_stays_closed_shows_why);
    tcase_add_test(tc, a_scrape_starts_when_its_address_comes);
}

HF_TEST_MAIN("telemetry/telemetry", cases)
