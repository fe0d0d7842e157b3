/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/pipeline/boundary.h"

#include "base/clock.h"
#include "support/check_main.h"

#define S HF_NS_PER_S

static const struct hf_telemetry_sink sinks[] = {
    {.name = "any"},
    {.name = "eu", .boundary = "eu"},
    {.name = "eu-errors", .boundary = "eu", .select = {.min_severity = HF_SEVERITY_ERROR}},
    {.name = "us", .boundary = "us"},
};

static const struct {
    const char *name, *boundary;
    enum hf_severity severity;
    size_t from, n; /* range of sinks */
    enum hf_route want;
    uint32_t sinks;
} routes[] = {
    {"unmarked goes anywhere", "", HF_SEVERITY_INFO, 0, 4, HF_ROUTE_SOME, 0xb},
    {"unmarked and severe", "", HF_SEVERITY_ERROR, 0, 4, HF_ROUTE_SOME, 0xf},
    {"marked only to its own", "eu", HF_SEVERITY_INFO, 0, 4, HF_ROUTE_SOME, 0x2},
    {"marked and severe", "eu", HF_SEVERITY_ERROR, 0, 4, HF_ROUTE_SOME, 0x6},
    {"no sink of it", "cn", HF_SEVERITY_ERROR, 0, 4, HF_ROUTE_REFUSED, 0},
    {"case counts", "EU", HF_SEVERITY_ERROR, 0, 4, HF_ROUTE_REFUSED, 0},
    {"a beginning is not it", "e", HF_SEVERITY_ERROR, 0, 4, HF_ROUTE_REFUSED, 0},
    {"an unmarked sink is none of it", "eu", HF_SEVERITY_ERROR, 0, 1, HF_ROUTE_REFUSED, 0},
    {"its own does not select it", "eu", HF_SEVERITY_INFO, 2, 1, HF_ROUTE_NONE, 0},
    {"nobody selects it", "", HF_SEVERITY_INFO, 2, 1, HF_ROUTE_NONE, 0},
    {"no sinks", "", HF_SEVERITY_INFO, 0, 0, HF_ROUTE_SOME, 0},
    {"no sinks, marked", "eu", HF_SEVERITY_INFO, 0, 0, HF_ROUTE_REFUSED, 0},
};

START_TEST(routes_events)
{
    const struct hf_event event = {.severity = routes[_i].severity, .boundary = hf_view_of(routes[_i].boundary)};
    uint32_t taking = 99;
    enum hf_route route = hf_boundary_route(&event, sinks + routes[_i].from, routes[_i].n, &taking);
    enum hf_route want = routes[_i].n == 0 && routes[_i].want == HF_ROUTE_SOME ? HF_ROUTE_NONE : routes[_i].want;

    ck_assert_msg(route == want && taking == routes[_i].sinks, "%s: %d %x", routes[_i].name, route, taking);
}
END_TEST

START_TEST(tells_refusals_without_the_data)
{
    static struct hf_boundary_audit audit;
    static struct hf_event told;
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    const struct hf_event event = {.kind = HF_EVENT_PAYLOAD,
                                   .id = HF_VIEW("secret-id"),
                                   .source = HF_VIEW("http"),
                                   .boundary = HF_VIEW("eu"),
                                   .key = HF_VIEW("secret-key"),
                                   .name = HF_VIEW("secret-name"),
                                   .attributes = {{HF_VIEW("secret"), HF_VIEW("secret")}},
                                   .n_attributes = 1,
                                   .body = HF_VIEW("\"secret\"")};

    ck_assert(hf_boundary_refused(&audit, &event, 10 * S, 20 * S, &told));
    ck_assert_int_eq(hf_event_format(&told, "n", &line), 0);
    ck_assert_ptr_null(strstr(line.p, "secret"));
    ck_assert_ptr_nonnull(strstr(line.p, "\"refusedBoundary\":\"eu\",\"refusedSource\":\"http\",\"count\":\"1\""));
    ck_assert_uint_eq(told.boundary.n, 0); /* the finding may leave through any sink */
    for (int i = 0; i < 5; i++)
        ck_assert(!hf_boundary_refused(&audit, &event, 11 * S, 21 * S, &told));
    ck_assert_uint_eq(hf_boundary_wait_until_ns(&audit), 70 * S);
    ck_assert(!hf_boundary_pending(&audit, 69 * S, 79 * S, &told));
    ck_assert(hf_boundary_pending(&audit, 70 * S, 80 * S, &told));
    ck_assert(hf_view_eq(told.attributes[2].value, "5"));
    ck_assert(!hf_boundary_pending(&audit, 200 * S, 80 * S, &told));
    ck_assert_uint_eq(hf_boundary_wait_until_ns(&audit), HF_NEVER);
    ck_assert_uint_eq(audit.refused, 6);
}
END_TEST

START_TEST(bounds_what_it_remembers)
{
    static struct hf_boundary_audit audit;
    static struct hf_event told;
    char source[200];
    unsigned n = 0;

    for (int i = 0; i < 1000; i++) {
        (void)snprintf(source, sizeof(source), "source-%d-%0150d", i, i);
        const struct hf_event event = {.source = hf_view_of(source), .boundary = HF_VIEW("eu")};
        n += hf_boundary_refused(&audit, &event, S, S, &told);
    }
    ck_assert_uint_eq(audit.n, HF_BOUNDARY_REFUSALS);
    ck_assert_uint_eq(n, HF_BOUNDARY_REFUSALS);
    ck_assert(hf_boundary_pending(&audit, 61 * S, S, &told));
    ck_assert(hf_view_eq(told.attributes[1].value, "*") && hf_view_eq(told.attributes[2].value, "984"));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, routes_events, 0, (int)HF_LEN(routes));
    tcase_add_test(tc, tells_refusals_without_the_data);
    tcase_add_test(tc, bounds_what_it_remembers);
}
HF_TEST_MAIN("telemetry/boundary", cases)
