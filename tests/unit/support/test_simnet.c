/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/simnet.h"

#include <errno.h>

#include "support/check_main.h"
#include "support/fakes/fake_http.h"

struct world {
    struct hf_simloop *loop;
    struct hf_simproc *proc;
    struct hf_fake_http *fake;
};

/* What one call told its caller. */
struct heard {
    int status, r, dones;
    bool responded;
    struct hf_buf body;
    uint64_t at;
    int stop_after; /* give -ECANCELED from on_body when this many bytes came */
    struct world *world;
    struct hf_http_call *call;
};

static void setup_world(struct world *world, uint64_t seed)
{
    world->loop = hf_simloop_new(seed);
    world->proc = hf_simproc_new(world->loop, "node");
    world->fake = hf_fake_http_new(world->loop, world->proc);
}

static void end_world(struct world *world)
{
    hf_fake_http_free(world->fake);
    hf_simproc_free(world->proc);
    hf_simloop_free(world->loop);
}

static int on_response(void *arg, const struct hf_http_response *response)
{
    struct heard *heard = arg;

    heard->responded = true;
    heard->status = response->status;
    return 0;
}

static int on_body(void *arg, const void *bytes, size_t n)
{
    struct heard *heard = arg;

    ck_assert(heard->responded);
    if (hf_buf_add(&heard->body, bytes, n) < 0)
        return -E2BIG;
    return heard->stop_after > 0 && heard->body.n >= (size_t)heard->stop_after ? -ECANCELED : 0;
}

static void on_done(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                    const struct hf_err *err)
{
    struct heard *heard = arg;

    heard->dones++;
    heard->r = r;
    heard->at = hf_simloop_now_ns(heard->world->loop);
    if (response != NULL)
        heard->status = response->status;
    ck_assert((r < 0) == (err != NULL));
    if (body.n > 0)
        ck_assert_int_eq(hf_buf_add(&heard->body, body.p, body.n), 0);
}

static struct hf_http_request request_of(struct heard *heard, const char *url)
{
    heard->body.max = 1 << 20;
    return (struct hf_http_request){
        .method = "GET", .url = url, .on_response = on_response, .on_body = on_body, .done = on_done, .arg = heard};
}

static void start(struct heard *heard, const struct hf_http_request *request)
{
    const struct hf_http_ops *http = hf_fake_http_ops(heard->world->fake);

    ck_assert_int_eq(http->start(http->ctx, request, &heard->call, NULL), 0);
    ck_assert_int_eq(heard->dones, 0);
}

START_TEST(answers_in_pieces)
{
    struct world world;
    setup_world(&world, 3);
    struct heard heard = {.world = &world}, collected = {.world = &world};
    struct hf_http_request request = request_of(&heard, "https://a/file");
    char big[5000];

    memset(big, 'x', sizeof(big));
    hf_fake_http_on(world.fake, "GET", "https://a/", &(struct hf_fake_answer){.body = big, .n = sizeof(big)});
    hf_simclient_set_link(hf_fake_http_client(world.fake),
                          &(struct hf_simlink){.delay_max_ns = HF_NS_PER_S, .chunk_max = 100});
    start(&heard, &request);
    struct hf_http_request whole = request_of(&collected, "https://a/file");
    whole.on_body = NULL;
    whole.on_response = NULL;
    start(&collected, &whole);
    (void)hf_simloop_run_for(world.loop, 60 * HF_NS_PER_S);
    ck_assert(heard.dones == 1 && heard.r == 0 && heard.status == 200 && heard.body.n == sizeof(big));
    ck_assert(collected.dones == 1 && collected.r == 0 && collected.body.n == sizeof(big));
    ck_assert_uint_eq(hf_fake_http_count(world.fake), 2);
    hf_buf_done(&heard.body);
    hf_buf_done(&collected.body);
    end_world(&world);
}
END_TEST

static const struct {
    const char *name;
    struct hf_fake_answer answer;
    const char *header;
    size_t max_body;
    int stop_after;
    int want_r, want_status;
    const char *want_body;
} answers[] = {
    {"plain", {.body = "hello", .n = 5}, NULL, 0, 0, 0, 200, "hello"},
    {"status", {.status = 503, .body = "no", .n = 2}, NULL, 0, 0, 0, 503, "no"},
    {"failure", {.fail = -EKEYREJECTED}, NULL, 0, 0, -EKEYREJECTED, 0, ""},
    {"cut", {.body = "hello", .n = 5, .cut_after = 2}, NULL, 0, 0, -EPIPE, 200, "he"},
    {"range", {.body = "hello", .n = 5, .ranges = true}, "Range: bytes=3-", 0, 0, 0, 206, "lo"},
    {"range past the end", {.body = "hello", .n = 5, .ranges = true}, "Range: bytes=5-", 0, 0, 0, 416, ""},
    {"no ranges", {.body = "hello", .n = 5}, "Range: bytes=3-", 0, 0, 0, 200, "hello"},
    {"the caller stops it", {.body = "ab", .n = 2, .endless = true}, NULL, 0, 6, -ECANCELED, 200, "ababab"},
};

START_TEST(scripted)
{
    struct world world;
    setup_world(&world, 0);
    struct heard heard = {.world = &world, .stop_after = answers[_i].stop_after};
    struct hf_http_request request = request_of(&heard, "https://a/file");

    request.headers[0] = answers[_i].header;
    hf_fake_http_on(world.fake, "GET", "https://a/file", &answers[_i].answer);
    start(&heard, &request);
    (void)hf_simloop_run_for(world.loop, 60 * HF_NS_PER_S);
    ck_assert_msg(heard.dones == 1 && heard.r == answers[_i].want_r && heard.status == answers[_i].want_status &&
                      strcmp(hf_buf_str(&heard.body), answers[_i].want_body) == 0,
                  "%s: dones=%d r=%d status=%d body=%s", answers[_i].name, heard.dones, heard.r, heard.status,
                  hf_buf_str(&heard.body));
    ck_assert_uint_eq(hf_simclient_calls(hf_fake_http_client(world.fake)), 0);
    hf_buf_done(&heard.body);
    end_world(&world);
}
END_TEST

/* How the network fails, and when the caller hears of it. */
static const struct {
    const char *name;
    enum hf_simlink_state link;
    enum hf_simserver_state server;
    bool before; /* the failure is there before the call starts; else 10 s into an open stream */
    uint64_t timeout_s, idle_s;
    int want_r;
    uint64_t want_s; /* since the call's start, rounded */
} failures[] = {
    {"interface down", HF_SIM_LINK_DOWN, HF_SIM_SERVER_UP, true, 0, 0, -EHOSTUNREACH, 0},
    {"link silent", HF_SIM_LINK_SILENT, HF_SIM_SERVER_UP, true, 0, 0, -ETIMEDOUT, 10},
    {"refused", HF_SIM_LINK_UP, HF_SIM_SERVER_REFUSING, true, 0, 0, -ECONNREFUSED, 0},
    {"server without power", HF_SIM_LINK_UP, HF_SIM_SERVER_SILENT, true, 0, 0, -ETIMEDOUT, 10},
    {"deadline", HF_SIM_LINK_UP, HF_SIM_SERVER_UP, true, 7, 0, -ETIMEDOUT, 7},
    {"stream idle", HF_SIM_LINK_UP, HF_SIM_SERVER_UP, true, 0, 20, -ETIMEDOUT, 20},
    {"stream cut", HF_SIM_LINK_SILENT, HF_SIM_SERVER_UP, false, 0, 0, -ETIMEDOUT, 60},
    {"stream's server gone", HF_SIM_LINK_UP, HF_SIM_SERVER_REFUSING, false, 0, 0, -EPIPE, 10},
    {"stream's server lost power", HF_SIM_LINK_UP, HF_SIM_SERVER_SILENT, false, 0, 0, -ETIMEDOUT, 60},
    {"stream cut, long deadline", HF_SIM_LINK_SILENT, HF_SIM_SERVER_UP, false, 3000, 0, -ETIMEDOUT, 60},
    {"stream cut, short deadline", HF_SIM_LINK_SILENT, HF_SIM_SERVER_UP, false, 30, 0, -ETIMEDOUT, 30},
};

static void fail_now(struct world *world, int i)
{
    hf_simclient_set_state(hf_fake_http_client(world->fake), failures[i].link);
    hf_simnet_set_server(hf_fake_http_net(world->fake), "https://", failures[i].server);
}

START_TEST(fails)
{
    struct world world;
    setup_world(&world, 0);
    struct heard heard = {.world = &world};
    struct hf_http_request request = request_of(&heard, "https://a/watch");

    request.timeout_ns = failures[_i].timeout_s * HF_NS_PER_S;
    request.idle_timeout_ns = failures[_i].idle_s * HF_NS_PER_S;
    hf_fake_http_on(world.fake, "GET", "https://a/watch", &(struct hf_fake_answer){.silent = true});
    if (failures[_i].before)
        fail_now(&world, _i);
    start(&heard, &request);
    (void)hf_simloop_run_for(world.loop, 10 * HF_NS_PER_S);
    if (!failures[_i].before)
        fail_now(&world, _i);
    (void)hf_simloop_run_for(world.loop, 7200 * HF_NS_PER_S);
    ck_assert_msg(heard.dones == 1 && heard.r == failures[_i].want_r &&
                      (heard.at + HF_NS_PER_S / 2) / HF_NS_PER_S == failures[_i].want_s,
                  "%s: dones=%d r=%d at %ju ms", failures[_i].name, heard.dones, heard.r,
                  (uintmax_t)(heard.at / HF_NS_PER_MS));
    hf_buf_done(&heard.body);
    end_world(&world);
}
END_TEST

START_TEST(what_was_on_its_way_arrives_after_the_healing)
{
    struct world world;
    setup_world(&world, 0);
    struct heard heard = {.world = &world};
    struct hf_http_request request = request_of(&heard, "https://a/x");
    struct hf_simclient *client = hf_fake_http_client(world.fake);

    hf_fake_http_on(world.fake, "GET", "https://a/x", &(struct hf_fake_answer){.body = "late", .n = 4});
    start(&heard, &request);
    hf_simclient_set_state(client, HF_SIM_LINK_SILENT);
    (void)hf_simloop_run_for(world.loop, 5 * HF_NS_PER_S);
    ck_assert_int_eq(heard.dones, 0);
    hf_simclient_set_state(client, HF_SIM_LINK_UP);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    ck_assert(heard.dones == 1 && heard.r == 0);
    ck_assert_str_eq(hf_buf_str(&heard.body), "late");
    hf_buf_done(&heard.body);
    end_world(&world);
}
END_TEST

START_TEST(a_cancelled_call_hears_nothing_and_its_server_learns)
{
    struct world world;
    setup_world(&world, 0);
    struct heard heard = {.world = &world}, other = {.world = &world};
    struct hf_http_request request = request_of(&heard, "https://a/x");
    const struct hf_http_ops *http = hf_fake_http_ops(world.fake);

    hf_fake_http_on(world.fake, "GET", "https://a/x", &(struct hf_fake_answer){.body = "ab", .n = 2, .endless = true});
    start(&heard, &request);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    size_t before = heard.body.n;
    ck_assert_uint_gt(before, 0);
    http->cancel(http->ctx, heard.call);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    ck_assert(heard.dones == 0 && heard.body.n == before);
    ck_assert_uint_lt(hf_simloop_run_for(world.loop, HF_NS_PER_S), 3); /* the stream has stopped */
    request = request_of(&other, "https://a/x");
    start(&other, &request);
    hf_simproc_kill(world.proc);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    ck_assert_int_eq(other.dones, 0);
    http->cancel(http->ctx, other.call);
    hf_buf_done(&heard.body);
    hf_buf_done(&other.body);
    end_world(&world);
}
END_TEST

static void count(void *arg, struct hf_simcall *call)
{
    char value[16];

    ck_assert(hf_simcall_is(call, "/p"));
    ck_assert(hf_simcall_query(call, "fieldSelector", value, sizeof(value)));
    ck_assert_str_eq(value, "a=b c");
    ck_assert(!hf_simcall_query(call, "field", value, sizeof(value)));
    ck_assert_str_eq(hf_simcall_header(call, "x-test"), "1");
    ++*(int *)arg;
    hf_simcall_reply(call, 200, "text/plain", "ok");
}

START_TEST(a_request_may_come_twice)
{
    struct world world;
    int n = 0;
    setup_world(&world, 0);
    struct heard heard = {.world = &world};
    struct hf_http_request request = request_of(&heard, "https://dup/p?fieldSelector=a%3Db%20c&x=1");

    request.headers[0] = "X-Test: 1";
    hf_simnet_serve(hf_fake_http_net(world.fake), "https://dup", count, &n);
    hf_simclient_set_link(hf_fake_http_client(world.fake), &(struct hf_simlink){.duplicate_ppm = 1000000});
    start(&heard, &request);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    ck_assert(n == 2 && heard.dones == 1);
    ck_assert_str_eq(hf_buf_str(&heard.body), "ok");
    hf_buf_done(&heard.body);
    end_world(&world);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, answers_in_pieces);
    tcase_add_loop_test(tc, scripted, 0, (int)HF_LEN(answers));
    tcase_add_loop_test(tc, fails, 0, (int)HF_LEN(failures));
    tcase_add_test(tc, what_was_on_its_way_arrives_after_the_healing);
    tcase_add_test(tc, a_cancelled_call_hears_nothing_and_its_server_learns);
    tcase_add_test(tc, a_request_may_come_twice);
}
HF_TEST_MAIN("support/simnet", cases)
