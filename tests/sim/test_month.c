/* SPDX-License-Identifier: Apache-2.0 */
/* A month without contact, on virtual time: what a node does while its view of the desired state is Fresh, Stale and
 * Expired, with onExpiry Hold and Continue, with a right clock, a clock that leaps, and without a battery.
 *
 *     HF_SIM_LOG=1   prints the agent's log */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"
#include "support/fakes/apiserver_sim.h"
#include "support/fakes/simnode.h"

#define S HF_NS_PER_S
#define MINUTE (60 * S)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

enum { RELEASES = 4, TIMESYNCD_PORT = 9123 };

static const char *const tempers[RELEASES] = {"healthy", "healthy", "healthy", "healthy"};
static struct hf_simsite *site;

static struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simapi *api;
    struct hf_simnode *node;
} w;

static void set_up(const char *policy)
{
    char text[600];

    w = (struct world){.loop = hf_simloop_new(7)};
    w.net = hf_simnet_new(w.loop);
    w.api = hf_simapi_new(w.loop, w.net, "https://api");
    hf_simsite_serve(site, w.net);
    (void)snprintf(text, sizeof(text),
                   "{\"apiVersion\":\"" HF_API_GROUP_VERSION "\",\"kind\":\"SyncPolicy\",\"metadata\":{\"name\":\"p\"},"
                   "\"spec\":{\"interval\":\"30m\",\"retryInterval\":\"10m\",%s}}",
                   policy);
    (void)hf_simapi_put_text(w.api, text);
    (void)hf_simapi_put_text(w.api,
                             "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n1\",\"labels\":{}}}");
    w.node = hf_simnode_new(&(struct hf_simnode_params){.loop = w.loop,
                                                        .net = w.net,
                                                        .site = site,
                                                        .name = "n1",
                                                        .server = "https://api",
                                                        .log = getenv("HF_SIM_LOG") != NULL});
}

static void tear_down(void)
{
    hf_simnode_free(w.node);
    hf_simapi_free(w.api);
    hf_simnet_free(w.net);
    hf_simloop_free(w.loop);
}

static void begin(void)
{
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_simnode_begin(w.node, &err) == 0, "%s", err.cause);
}

static void run(uint64_t ns)
{
    (void)hf_simloop_run_for(w.loop, ns);
}

static void links(enum hf_simlink_state api, enum hf_simlink_state files)
{
    hf_simnode_set_links(w.node, api, files);
}

static double metric(const char *line)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_METRICS_MAX_TEXT);

    ck_assert_int_eq(hf_metrics_format(w.node->metrics, &text), 0);
    const char *at = strstr(hf_buf_str(&text), line);
    ck_assert_msg(at != NULL, "no '%s'", line);
    return strtod(at + strlen(line), NULL);
}

static const char *contact(void)
{
    return metric("holdfast_contact_state{state=\"Fresh\"} ") == 1   ? "Fresh"
           : metric("holdfast_contact_state{state=\"Stale\"} ") == 1 ? "Stale"
                                                                     : "Expired";
}

static const json_t *status(void)
{
    return json_object_get(hf_simapi_get(w.api, "EdgeNode", "n1"), "status");
}

static const char *condition(const char *type, const char *key)
{
    const json_t *list = json_object_get(status(), "conditions");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(hf_json_str_or(json_array_get(list, i), "type", ""), type) == 0)
            return hf_json_str_or(json_array_get(list, i), key, "");
    return "(absent)";
}

#define REPAIR (2 * HOUR) /* the interval, and the back-off of repeated repairs */

static void drift_is_repaired(void)
{
    size_t before = hf_simnode_installed(w.node);

    hf_simfs_put(w.node->fs, HF_SIMNODE_TARGET, "mine", 4, 0755);
    run(REPAIR);
    ck_assert_msg(hf_simnode_installed(w.node) == before, "drift while %s is not repaired", contact());
    ck_assert_uint_eq(hf_simnode_running(w.node), before);
}

/* The node has a release committed, and repairs it while it is Stale. Another release is in its cache, and its artifact
 * is out of reach. Then the link goes. */
static void cut_off(const char *on_expiry)
{
    char policy[120];

    (void)snprintf(policy, sizeof(policy), "\"staleOk\":{\"window\":\"72h\",\"onExpiry\":\"%s\"}", on_expiry);
    set_up(policy);
    begin();
    run(MINUTE);
    (void)hf_simapi_put(w.api, hf_simsite_update(site, 2, NULL));
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    links(HF_SIM_LINK_DOWN, HF_SIM_LINK_UP);
    run(MINUTE);
    ck_assert_str_eq(contact(), "Stale");
    drift_is_repaired();
    links(HF_SIM_LINK_UP, HF_SIM_LINK_DOWN);
    run(30 * MINUTE);
    (void)hf_simapi_put(w.api, hf_simsite_update(site, 3, NULL));
    run(MINUTE);
    ck_assert_str_eq(contact(), "Fresh");
    links(HF_SIM_LINK_DOWN, HF_SIM_LINK_DOWN);
}

/* After the month one contact makes the node Fresh, and the last release arrives. */
static void comes_back(void)
{
    (void)hf_simapi_put(w.api, hf_simsite_update(site, 4, NULL));
    links(HF_SIM_LINK_UP, HF_SIM_LINK_UP);
    run(2 * HOUR);
    ck_assert_str_eq(contact(), "Fresh");
    ck_assert_uint_eq(hf_simnode_running(w.node), 4);
    ck_assert_str_eq(condition("Ready", "status"), "True");
    ck_assert_str_eq(hf_json_str_or(status(), "contact.state", ""), "Fresh");
}

static const char *const modes[] = {"Hold", "Continue"};

START_TEST(thirty_days)
{
    bool holds = strcmp(modes[_i], "Hold") == 0;

    cut_off(modes[_i]);
    for (unsigned day = 1; day <= 30; day++) {
        run(DAY - 2 * HOUR);
        ck_assert_msg(strcmp(contact(), day <= 3 ? "Stale" : "Expired") == 0, "day %u: %s", day, contact());
        run(2 * HOUR);
        if (day == 20) { /* the artifacts are in reach again, the API server is not */
            links(HF_SIM_LINK_DOWN, HF_SIM_LINK_UP);
            run(REPAIR);
            ck_assert_uint_eq(hf_simnode_running(w.node), holds ? 2 : 3);
            drift_is_repaired();
            run(DAY - 2 * REPAIR);
            day++;
        }
        if (day == 25) {
            hf_simnode_end(w.node, true);
            begin();
        }
    }
    ck_assert_uint_eq(hf_simnode_running(w.node), holds ? 2 : 3);
    comes_back();
}
END_TEST

/* The wall clock leaps by years, back and forth: the state follows the time that passed, not the wall clock. */
START_TEST(leaps_change_nothing)
{
    static const int64_t leaps[] = {40, -56, 12, 74, -20, 0, -1};

    cut_off("Hold");
    for (unsigned hour = 1; hour <= 80; hour++) {
        hf_simnode_set_clock(w.node, leaps[hour % HF_LEN(leaps)] * 365 * (int64_t)DAY);
        run(HOUR);
        ck_assert_msg(strcmp(contact(), hour < 72 ? "Stale" : "Expired") == 0, "hour %u: %s", hour, contact());
    }
    ck_assert(metric("\nholdfast_clock_steps_total ") >= 40);
    hf_simnode_set_clock(w.node, 0);
    comes_back();
}
END_TEST

/* A board without a battery starts in 1970 ten times a day: it expires, and not much later than it should. */
START_TEST(ten_reboots_a_day_without_a_battery)
{
    unsigned boots = 0;

    cut_off("Hold");
    while (strcmp(contact(), "Expired") != 0) {
        ck_assert_msg(boots++ < 45, "after %u boots the node still is %s", boots, contact());
        hf_simnode_end(w.node, true);
        hf_simnode_set_clock(w.node, -(int64_t)(HF_SIM_UNIX_START + hf_simloop_now_ns(w.loop)));
        begin();
        run(144 * MINUTE);
    }
    ck_assert_uint_ge(boots, 28);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    links(HF_SIM_LINK_DOWN, HF_SIM_LINK_UP);
    drift_is_repaired();
    comes_back();
}
END_TEST

/* What was Expired stays Expired over a kill, a power cut and any clock: only contact ends it. */
START_TEST(expired_is_kept)
{
    static const int64_t years[] = {-56, 0, -20, 40, -1};

    cut_off("Hold");
    run(73 * HOUR);
    ck_assert_str_eq(contact(), "Expired");
    links(HF_SIM_LINK_DOWN, HF_SIM_LINK_UP);
    for (unsigned i = 0; i < 4 * HF_LEN(years); i++) {
        hf_simnode_end(w.node, i % 2 == 0);
        hf_simnode_set_clock(w.node, years[i % HF_LEN(years)] * 365 * (int64_t)DAY);
        begin();
        ck_assert_msg(strcmp(contact(), "Expired") == 0, "start %u: %s", i, contact());
        run(i * 10 * MINUTE);
        ck_assert_str_eq(contact(), "Expired");
    }
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    hf_simnode_set_clock(w.node, 0);
    comes_back();
}
END_TEST

/* The age of contact never goes back, whatever ends the process and whatever the wall clock shows then. */
START_TEST(age_never_goes_back)
{
    static const int64_t hours[] = {-480000, 0, -1, -30, -480000, -200, 0};
    double age, before = 0;

    cut_off("Hold");
    run(MINUTE);
    for (unsigned i = 0; i < 40; i++) {
        hf_simnode_end(w.node, hf_simloop_below(w.loop, 2) == 0);
        hf_simnode_set_clock(w.node, hours[i % HF_LEN(hours)] * (int64_t)HOUR);
        begin();
        age = metric("\nholdfast_contact_age_seconds ");
        ck_assert_msg(age >= before, "start %u: the age goes back from %.0f s to %.0f s", i, before, age);
        run(hf_simloop_below(w.loop, 3 * HOUR));
        before = metric("\nholdfast_contact_age_seconds ");
        ck_assert_msg(before >= age, "life %u: the age goes back from %.0f s to %.0f s", i, age, before);
    }
    hf_simnode_set_clock(w.node, 0);
    comes_back();
}
END_TEST

/* clock.resync: the node asks its time service once, and once an hour while that does not help. */
START_TEST(resync)
{
    set_up("\"clock\":{\"maxSkew\":\"5m\",\"resync\":true}");
    hf_simboard_service(w.node->board, "systemd-timesyncd.service", TIMESYNCD_PORT, HF_SIMNODE_TARGET);
    begin();
    run(MINUTE);
    ck_assert_uint_eq(hf_simboard_restarts(w.node->board, "systemd-timesyncd.service"), 0);
    hf_simnode_set_clock(w.node, (int64_t)(20 * MINUTE));
    hf_simapi_end_watches(w.api);
    run(10 * MINUTE);
    ck_assert_uint_eq(hf_simboard_restarts(w.node->board, "systemd-timesyncd.service"), 1);
    ck_assert_str_eq(condition("ClockSynced", "reason"), "BeyondMaxSkew");
    run(185 * MINUTE);
    ck_assert_uint_eq(hf_simboard_restarts(w.node->board, "systemd-timesyncd.service"), 4);
    ck_assert(metric("holdfast_clock_resyncs_total{result=\"asked\"} ") == 4);
    hf_simnode_set_clock(w.node, 0); /* now it helped */
    run(10 * MINUTE);
    ck_assert_str_eq(condition("ClockSynced", "status"), "(absent)");
    run(5 * HOUR);
    ck_assert_uint_eq(hf_simboard_restarts(w.node->board, "systemd-timesyncd.service"), 4);
    ck_assert(metric("\nholdfast_clock_steps_total ") == 2);
}
END_TEST

/* chronyd runs, under the name that Debian gives its unit: systemd-timesyncd, which has failed, is left alone. */
START_TEST(resync_with_chronyd)
{
    set_up("\"clock\":{\"maxSkew\":\"5m\",\"resync\":true}");
    hf_simboard_service(w.node->board, "systemd-timesyncd.service", TIMESYNCD_PORT, "/nothing");
    hf_simboard_service(w.node->board, "chrony.service", TIMESYNCD_PORT + 1, HF_SIMNODE_TARGET);
    hf_simnode_set_clock(w.node, (int64_t)(20 * MINUTE));
    begin();
    run(10 * MINUTE);
    ck_assert_uint_eq(hf_simboard_restarts(w.node->board, "chrony.service"), 1);
    ck_assert_uint_eq(hf_simboard_restarts(w.node->board, "systemd-timesyncd.service"), 0);
    ck_assert(metric("holdfast_clock_resyncs_total{result=\"asked\"} ") == 1);
}
END_TEST

/* A time service that has failed is restarted if no other one runs; without any, each request fails. */
START_TEST(resync_without_a_running_service)
{
    set_up("\"clock\":{\"maxSkew\":\"5m\",\"resync\":true}");
    hf_simnode_set_clock(w.node, (int64_t)(20 * MINUTE));
    begin();
    run(10 * MINUTE);
    ck_assert(metric("holdfast_clock_resyncs_total{result=\"failed\"} ") == 1);
    hf_simboard_service(w.node->board, "systemd-timesyncd.service", TIMESYNCD_PORT, "/nothing");
    run(HOUR);
    ck_assert_uint_eq(hf_simboard_restarts(w.node->board, "systemd-timesyncd.service"), 1);
    ck_assert(metric("holdfast_clock_resyncs_total{result=\"failed\"} ") == 2);
}
END_TEST

/* Without clock.resync nobody touches the time service. */
START_TEST(no_resync_unless_asked)
{
    set_up("\"clock\":{\"maxSkew\":\"5m\"}");
    hf_simboard_service(w.node->board, "systemd-timesyncd.service", TIMESYNCD_PORT, HF_SIMNODE_TARGET);
    hf_simnode_set_clock(w.node, (int64_t)(20 * MINUTE));
    begin();
    run(3 * HOUR);
    ck_assert_uint_eq(hf_simboard_restarts(w.node->board, "systemd-timesyncd.service"), 0);
    ck_assert_str_eq(condition("ClockSynced", "reason"), "BeyondMaxSkew");
}
END_TEST

static void make_site(void)
{
    site = hf_simsite_new("edge", RELEASES, tempers);
}

static void free_site(void)
{
    hf_simsite_free(site);
}

static void cases(TCase *tc)
{
    tcase_set_timeout(tc, 300);
    tcase_add_unchecked_fixture(tc, make_site, free_site);
    tcase_add_checked_fixture(tc, NULL, tear_down);
    tcase_add_loop_test(tc, thirty_days, 0, (int)HF_LEN(modes));
    tcase_add_test(tc, leaps_change_nothing);
    tcase_add_test(tc, expired_is_kept);
    tcase_add_test(tc, age_never_goes_back);
    tcase_add_test(tc, ten_reboots_a_day_without_a_battery);
    tcase_add_test(tc, resync);
    tcase_add_test(tc, resync_with_chronyd);
    tcase_add_test(tc, resync_without_a_running_service);
    tcase_add_test(tc, no_resync_unless_asked);
}
HF_TEST_MAIN("sim/month", cases)
