/* SPDX-License-Identifier: Apache-2.0 */
/* An outlet on the real loop, disk and network (loopback): TLS with rotated files, and servers that misbehave in every
 * way, each named, none holding up the loop. */
#include "telemetry/sink/outlet.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/clock_posix.h"
#include "os/fs_posix.h"
#include "os/rand_posix.h"
#include "support/check_main.h"
#include "support/fakes/http_server.h"
#include "support/loop_for.h"
#include "support/makers/certs.h"
#include "telemetry/sink/shares.h"
#include "trust/identity.h"

enum { DAY_S = 24 * 3600 };

#define LOOK_NS (10 * HF_NS_PER_MS)

struct world {
    char dir[64];
    struct hf_loop *loop;
    struct hf_metrics *metrics;
    struct hf_test_server server;
    struct hf_telemetry spec;
    struct hf_telemetry_sink sink;
    struct hf_telemetry_env given;
    struct hf_outlet_params params;
    struct hf_outlet *outlet;
    struct hf_timer *timer;
    bool (*met)(struct world *world);
    const char *want;
    uint64_t deadline_ns, last_ns, starved_ns;
    uint64_t longest_ns; /* that the loop held the timer up, less what it waited for a processor */
    bool ok;
    char url[200];
};

static uint64_t now_ns(void)
{
    return hf_mono_ns(hf_clock_posix());
}

static void look(void *arg)
{
    struct world *world = arg;
    const struct hf_sched_ops *sched = hf_loop_sched(world->loop);
    uint64_t now = now_ns(), starved_ns = loop_starved_ns(), without_ns = starved_ns - world->starved_ns;

    world->longest_ns = HF_MAX(world->longest_ns, now - world->last_ns - HF_MIN(without_ns, now - world->last_ns));
    world->last_ns = now;
    world->starved_ns = starved_ns;
    world->ok = world->met(world);
    if (world->ok || now > world->deadline_ns)
        hf_loop_stop(world->loop);
    else
        hf_timer_arm(sched, world->timer, LOOK_NS);
}

static bool run_until(struct world *world, bool (*met)(struct world *world), unsigned s)
{
    const struct hf_sched_ops *sched = hf_loop_sched(world->loop);

    world->met = met;
    world->ok = false;
    world->last_ns = now_ns();
    world->starved_ns = loop_starved_ns();
    world->deadline_ns = world->last_ns + s * HF_NS_PER_S;
    hf_timer_arm(sched, world->timer, LOOK_NS);
    hf_loop_run(world->loop);
    return world->ok;
}

static void world_init(struct world *world, const char *const *server_args)
{
    *world = (struct world){.dir = "/tmp/hf-outlet-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(world->dir));
    if (server_args != NULL)
        hf_test_server_start(&world->server, server_args);
    world->loop = hf_loop_new(NULL);
    world->metrics = hf_metrics_new();
    world->timer = hf_timer_new(hf_loop_sched(world->loop), look, world);
    world->spec = (struct hf_telemetry){.batch_max_bytes = 65536,
                                        .batch_timeout_ns = 50 * HF_NS_PER_MS,
                                        .compression = HF_COMPRESS_ZSTD,
                                        .max_attempts = 3,
                                        .retry_base_ns = 100 * HF_NS_PER_MS,
                                        .max_duration_ns = 300 * HF_NS_PER_S};
    world->sink = (struct hf_telemetry_sink){.name = "real", .url = world->url, .format = HF_SINK_NDJSON};
    world->given = (struct hf_telemetry_env){.loop = world->loop,
                                             .fs = hf_fs_posix(),
                                             .clock = hf_clock_posix(),
                                             .sched = hf_loop_sched(world->loop),
                                             .rand = hf_rand_posix(),
                                             .metrics = world->metrics,
                                             .node = "node-1",
                                             .user_agent = "test/1",
                                             .dir = world->dir};
    world->params = (struct hf_outlet_params){.env = &world->given,
                                              .spec = &world->spec,
                                              .sink = &world->sink,
                                              .max_bytes = 16 << 20,
                                              .timeout_ns = HF_NS_PER_S};
}

static void append(struct world *world, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(hf_outlet_append(world->outlet, HF_LANE_BULK, hf_shares_agent(), 0,
                                          HF_VIEW("{\"id\":\"1\",\"body\":\"a line\"}"), NULL),
                         0);
}

static void open_outlet(struct world *world, const char *scheme, const char *path)
{
    struct hf_err err = HF_ERR_INIT;
    char text[600];

    (void)snprintf(world->url, sizeof(world->url), "%s://127.0.0.1:%u%s", scheme, world->server.port, path);
    ck_assert_msg(hf_outlet_new(&world->params, &world->outlet, &err) == 0, "%s",
                  hf_err_text(&err, text, sizeof(text)));
    append(world, 500);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void world_done(struct world *world)
{
    const struct hf_sched_ops *sched = hf_loop_sched(world->loop);

    hf_timer_free(sched, world->timer);
    hf_outlet_free(world->outlet);
    hf_loop_free(world->loop);
    hf_metrics_free(world->metrics);
    if (world->server.pid > 0)
        hf_test_server_stop(&world->server);
    (void)nftw(world->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static double attempts(const struct world *world, const char *reason)
{
    return hf_metric_value(
        hf_metric_with(hf_metric_family(world->metrics, HF_METRIC_COUNTER, "holdfast_telemetry_attempts_total",
                                        "Requests to a sink, by result.", HF_LABELS("sink", "reason")),
                       HF_LABELS("real", reason)));
}

static bool all_delivered(struct world *world)
{
    return hf_outlet_state(world->outlet).delivered >= 500;
}

static bool failed_as_wanted(struct world *world)
{
    return attempts(world, world->want) > 0;
}

static bool failed_somehow(struct world *world)
{
    return hf_outlet_state(world->outlet).failures > 0;
}

static const struct {
    const char *path, *reason;
} misbehaviours[] = {
    {"/silent", "timeout"},
    {"/stall/10", "timeout"},
    {"/trickle/100000?ms=50", "timeout"},
    {"/endless", "answer_too_large"},
    {"/size/100000000", "answer_too_large"},
    {"/cut/1000", "cut"},
    {"/huge-header", "answer_too_large"},
    {"/many-headers", "answer_too_large"},
    {"/garbage", "protocol"},
    {"/status/200?h=Content-Type:text/html", "content_type"},
    {"/status/503", "http_503"},
    {"/redirect?to=/hello&status=302", "http_302"},
};

START_TEST(misbehaviour_has_a_name_and_holds_nobody_up)
{
    struct world world;
    const char *none[] = {NULL};
    char text[4096];

    world_init(&world, none);
    world.want = misbehaviours[_i].reason;
    open_outlet(&world, "http", misbehaviours[_i].path);
    bool met = run_until(&world, failed_as_wanted, 10);
    struct hf_buf out = HF_BUF_INIT(HF_METRICS_MAX_TEXT);
    ck_assert_int_eq(hf_metrics_format(world.metrics, &out), 0);
    const char *at = strstr(out.p, "holdfast_telemetry_attempts_total{");
    (void)snprintf(text, sizeof(text), "%s: %s\n%.300s", misbehaviours[_i].path, hf_outlet_state(world.outlet).trouble,
                   at != NULL ? at : "");
    hf_buf_done(&out);
    ck_assert_msg(met, "%s", text);
    ck_assert_uint_eq(hf_outlet_state(world.outlet).delivered, 0);
    ck_assert_uint_lt(world.longest_ns, 500 * HF_NS_PER_MS);
    world_done(&world);
}
END_TEST

START_TEST(nobody_there_and_no_such_name)
{
    static const char *const urls[][2] = {{"http://127.0.0.1:1", "refused"}, {"http://no-such-host.invalid", "dns"}};
    struct world world;

    world_init(&world, NULL);
    world.want = urls[_i][1];
    (void)snprintf(world.url, sizeof(world.url), "%s", urls[_i][0]);
    ck_assert_int_eq(hf_outlet_new(&world.params, &world.outlet, NULL), 0);
    ck_assert_int_eq(hf_outlet_append(world.outlet, HF_LANE_URGENT, hf_shares_agent(), 0, HF_VIEW("{}"), NULL), 0);
    bool met = run_until(&world, failed_as_wanted, 15);
    ck_assert_msg(met, "%s", hf_outlet_state(world.outlet).trouble);
    ck_assert_uint_lt(world.longest_ns, 500 * HF_NS_PER_MS);
    world_done(&world);
}
END_TEST

static void write_file(const char *path, const char *text)
{
    char fresh[160];
    FILE *file;

    (void)snprintf(fresh, sizeof(fresh), "%s.new", path);
    file = fopen(fresh, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(rename(fresh, path), 0);
}

/* Nothing goes out while the node has nothing to prove itself by. */
static void give_identity(struct world *world, const struct hf_test_cert *pair)
{
    (void)run_until(world, failed_somehow, 1);
    ck_assert_uint_eq(hf_outlet_state(world->outlet).attempts, 0);
    ck_assert_msg(strstr(hf_outlet_state(world->outlet).trouble, "no client certificate") != NULL, "%s",
                  hf_outlet_state(world->outlet).trouble);
    ck_assert_int_eq(hf_identity_set(world->given.identity, pair->cert_pem, pair->key_pem, NULL), 0);
}

/* The platform mounts a wrong CA and no client certificate, then the right ones: no restart, no lost event. 1: the
 * certificate is the node's own, and comes later. */
START_TEST(rotated_files_are_taken_up)
{
    struct hf_test_cert ca, other, server_cert, ours;
    char dir[] = "/tmp/hf-outlet-tls-XXXXXX", cert[96], key[96], server_ca[96], ca_file[96], our_cert[96], our_key[96];
    struct world world;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    char *paths[] = {cert, key, server_ca, ca_file, our_cert, our_key};
    for (size_t i = 0; i < HF_LEN(paths); i++)
        (void)snprintf(paths[i], 96, "%s/%zu.pem", dir, i);
    hf_test_cert_make(&(struct hf_test_cert_spec){.name = "CA", .from_s = -DAY_S, .until_s = DAY_S, .authority = true},
                      &ca);
    hf_test_cert_make(
        &(struct hf_test_cert_spec){.name = "Other", .from_s = -DAY_S, .until_s = DAY_S, .authority = true}, &other);
    hf_test_cert_make(
        &(struct hf_test_cert_spec){.name = "s", .ip = "127.0.0.1", .from_s = -DAY_S, .until_s = DAY_S, .issuer = &ca},
        &server_cert);
    hf_test_cert_make(&(struct hf_test_cert_spec){.name = "node-1", .from_s = -DAY_S, .until_s = DAY_S, .issuer = &ca},
                      &ours);
    write_file(cert, server_cert.cert_pem);
    write_file(key, server_cert.key_pem);
    write_file(server_ca, ca.cert_pem);
    write_file(ca_file, other.cert_pem);
    write_file(our_cert, ours.cert_pem);
    write_file(our_key, ours.key_pem);
    const char *args[] = {"--tls", cert, key, "--client-ca", server_ca, NULL};
    world_init(&world, args);
    world.sink.ca_file = ca_file;
    world.sink.cert_file = _i == 0 ? our_cert : NULL;
    world.sink.key_file = _i == 0 ? our_key : NULL;
    world.sink.node_certificate = world.sink.node_token = _i == 1;
    world.given.identity = hf_identity_new(hf_clock_posix());
    world.want = "tls";
    open_outlet(&world, "https", "/hello");
    if (_i == 1)
        give_identity(&world, &ours);
    ck_assert_msg(run_until(&world, failed_as_wanted, 10), "%s", hf_outlet_state(world.outlet).trouble);
    write_file(ca_file, ca.cert_pem);
    ck_assert_msg(run_until(&world, all_delivered, 30), "%s", hf_outlet_state(world.outlet).trouble);
    ck_assert_uint_lt(world.longest_ns, 500 * HF_NS_PER_MS);
    world_done(&world);
    hf_identity_free(world.given.identity);
    hf_test_cert_done(&ca);
    hf_test_cert_done(&other);
    hf_test_cert_done(&server_cert);
    hf_test_cert_done(&ours);
    (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
END_TEST

static bool sends_again(struct world *world)
{
    return hf_outlet_state(world->outlet).attempts == 2;
}

static bool has_no_certificate(struct world *world)
{
    return strstr(hf_outlet_state(world->outlet).trouble, "no client certificate") != NULL;
}

/* The node's certificate ends, and then the outlet, while a request is on its way. */
START_TEST(credentials_end_beside_a_request)
{
    const char *none[] = {NULL};
    struct hf_test_cert ours;
    struct world world;

    hf_test_cert_make(&(struct hf_test_cert_spec){.name = "node-1", .from_s = -DAY_S, .until_s = DAY_S}, &ours);
    world_init(&world, none);
    world.sink.node_certificate = true;
    world.given.identity = hf_identity_new(hf_clock_posix());
    world.params.timeout_ns = 60 * HF_NS_PER_S;
    ck_assert_int_eq(hf_identity_set(world.given.identity, ours.cert_pem, ours.key_pem, NULL), 0);
    open_outlet(&world, "http", "/trickle/1?ms=1500");
    ck_assert_msg(run_until(&world, all_delivered, 30), "%s", hf_outlet_state(world.outlet).trouble);
    append(&world, 1); /* after one fast answer, two requests may be on their way */
    ck_assert(run_until(&world, sends_again, 30));
    ck_assert_int_eq(hf_identity_set(world.given.identity, NULL, NULL, NULL), 0);
    append(&world, 1);
    ck_assert(run_until(&world, has_no_certificate, 30));
    world_done(&world);
    hf_identity_free(world.given.identity);
    hf_test_cert_done(&ours);
}
END_TEST

static void count(void *arg)
{
    ++*(unsigned *)arg;
}

/* Missing secrets: the outlet sends no request without them, reports the cause, and says once that there is one. */
START_TEST(missing_credentials_are_named)
{
    const char *none[] = {NULL};
    struct world world;
    unsigned told = 0;

    world_init(&world, none);
    world.given.changed = count;
    world.given.changed_arg = &told;
    world.sink.format = HF_SINK_SEED;
    world.params.device_key_ref = "env:HF_NO_SUCH_VARIABLE";
    open_outlet(&world, "http", "/hello");
    (void)run_until(&world, failed_somehow, 1);
    ck_assert_uint_eq(hf_outlet_state(world.outlet).attempts, 0);
    ck_assert_msg(strstr(hf_outlet_state(world.outlet).trouble, "device key") != NULL, "%s",
                  hf_outlet_state(world.outlet).trouble);
    ck_assert_uint_eq(told, 1);
    world_done(&world);
}
END_TEST

START_TEST(delivers_over_http)
{
    const char *none[] = {NULL};
    struct world world;

    world_init(&world, none);
    open_outlet(&world, "http", "/hello");
    ck_assert_msg(run_until(&world, all_delivered, 20), "%s", hf_outlet_state(world.outlet).trouble);
    ck_assert_uint_lt(world.longest_ns, 500 * HF_NS_PER_MS);
    world_done(&world);
}
END_TEST

static void cases(TCase *tc)
{
    (void)signal(SIGPIPE, SIG_IGN);
    tcase_add_loop_test(tc, misbehaviour_has_a_name_and_holds_nobody_up, 0, (int)HF_LEN(misbehaviours));
    tcase_add_loop_test(tc, nobody_there_and_no_such_name, 0, 2);
    tcase_add_loop_test(tc, rotated_files_are_taken_up, 0, 2);
    tcase_add_test(tc, credentials_end_beside_a_request);
    tcase_add_test(tc, missing_credentials_are_named);
    tcase_add_test(tc, delivers_over_http);
}

HF_TEST_MAIN("telemetry/outlet_real", cases)
