/* The service on a real loop: what it does when nothing comes, and when a part cannot start. */
#include "telemetry/telemetry.h"

#include "api/syncpolicy.h"
#include "unit/telemetry/source_fixture.h"

static struct hf_telemetry_service *service;
static struct hf_syncpolicy *policy;
static json_t *owner;

/* Sets a policy whose spec.telemetry has these members (YAML) and a sink that nobody serves. */
static void set(const char *members)
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
    hf_telemetry_service_set(service, &policy->telemetry, owner, NULL);
}

static void set_up(void)
{
    fix_set_up_real();
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
}

static json_int_t queued(void)
{
    json_t *status = hf_telemetry_service_status(service);
    json_int_t n = json_integer_value(json_object_get(status, "queuedEvents"));

    json_decref(status);
    return n;
}

/* The sensor is dead from the start, and nothing else comes either. */
START_TEST(an_absence_is_found_without_any_event)
{
    set("sources: {http: true}, anomalies: [{name: dead, metric: heartbeat, absence: {after: 1s}}]");
    run_s(0.5);
    ck_assert_int_eq(queued(), 0);
    for (int i = 0; i < 50 && queued() == 0; i++)
        run_s(0.1);
    ck_assert_int_eq(queued(), 1);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, an_absence_is_found_without_any_event);
}

HF_TEST_MAIN("telemetry/telemetry", cases)
