/* SPDX-License-Identifier: Apache-2.0 */
/* Behind OpenYurt's YurtHub: what it answers in place of an API server out of reach proves nothing, and is no delivery. */
#include <errno.h>
#include <string.h>

#include "kube/api/client.h"
#include "kube/call.h"
#include "support/check_main.h"
#include "support/fakes/apiserver_sim.h"

#define NODE "{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"n\"}"
#define UPDATE "{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"EdgeUpdate\",\"metadata\":{\"name\":\"u\"}}"

static const struct {
    const char *server;
    bool is_hub;
} addresses[] = {
    {"https://169.254.2.1:10268", true}, {"http://169.254.2.1:10261", true},  {"http://127.0.0.1:10261", true},
    {"https://localhost:10268", true},   {"https://[fd00::2:1]:10268", true}, {"https://169.254.2.1:6443", false},
    {"https://10.0.0.1:10268", false},   {"http://127.0.0.1:10550", false},   {"169.254.2.1:10268", false},
    {"https://127.0.0.11:10268", false}, {"https://127.0.0.1:102680", false}, {"", false},
};

START_TEST(addresses_of_the_hub)
{
    ck_assert_int_eq(hf_origin_of(addresses[_i].server).is_hub, addresses[_i].is_hub);
}
END_TEST

static const struct {
    struct hf_origin before;
    struct hf_origin_answer answer;
    bool second_hand, named_after;
} answers[] = {
    /* A server that never names its answers is believed. */
    {{false, false, false, false}, {200, false, "application/json"}, false, false},
    {{false, false, false, false}, {200, true, "application/json"}, false, true},
    {{false, true, false, false}, {200, true, "application/json"}, false, true},
    {{false, true, false, false}, {200, false, "application/json"}, true, true},
    {{false, true, false, false}, {201, false, "Application/JSON; charset=utf-8"}, true, true},
    {{true, false, false, false}, {200, false, "application/json"}, true, false},
    {{true, false, false, false}, {201, false, "application/json"}, true, false},
    {{true, false, false, false}, {400, false, "application/json"}, true, false},
    {{true, false, false, false}, {403, false, "application/json"}, true, false},
    {{true, false, false, false}, {404, false, "application/json"}, true, false},
    {{true, false, false, false}, {401, false, "application/json"}, true, false},
    /* A gateway's own answers at another address, also after an answer of a cache. */
    {{false, true, false, true}, {200, false, "application/json"}, true, true},
    {{false, true, false, true}, {400, false, "application/json"}, true, true},
    {{false, true, false, true}, {403, false, "application/json"}, true, true},
    {{false, true, false, true}, {404, false, "application/json"}, true, true},
    {{false, true, false, true}, {401, false, "application/json"}, false, true},
    {{false, true, false, true}, {429, false, "application/json"}, false, true},
    {{false, true, false, false}, {401, false, "application/json"}, false, true},
    {{false, true, false, false}, {429, false, "application/json"}, false, true},
    {{false, true, false, false}, {409, false, "application/json"}, false, true},
    /* These say by themselves that no working API server answered. */
    {{true, true, false, false}, {502, false, "text/plain"}, false, true},
    {{true, true, false, false}, {503, false, "application/json"}, false, true},
    {{true, true, false, false}, {200, false, "text/html"}, false, true},
    {{true, true, false, false}, {200, false, ""}, false, true},
    {{true, true, false, false}, {404, true, "text/plain"}, false, true},
};

START_TEST(a_server_without_names)
{
    static const struct hf_origin_answer named = {200, true, "application/json"},
                                         bare = {200, false, "application/json"};
    struct hf_origin origin = {.has_named = true};

    ck_assert(hf_origin_is_second_hand(&origin, &bare));
    hf_origin_found_unnamed(&origin);
    ck_assert(!hf_origin_is_second_hand(&origin, &bare));
    ck_assert(!hf_origin_is_second_hand(&origin, &named));
    ck_assert(!hf_origin_is_second_hand(&origin, &bare));
}
END_TEST

START_TEST(origin_of_answers)
{
    struct hf_origin origin = answers[_i].before;
    ck_assert_int_eq(hf_origin_is_second_hand(&origin, &answers[_i].answer), answers[_i].second_hand);
    ck_assert_int_eq(origin.has_named, answers[_i].named_after);
    ck_assert_int_eq(origin.is_hub, answers[_i].before.is_hub);
    ck_assert_int_eq(origin.was_second_hand, answers[_i].before.was_second_hand || answers[_i].second_hand);
}
END_TEST

struct seen {
    unsigned upserts, gone, proven, lost;
    bool in_contact;
    int why;
};

struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simapi *api;
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    const struct hf_source_ops *source;
    struct seen seen;
    int r, code;
    unsigned n_answers, reauths;
    uint64_t retry_after_ns;
};

static void on_upsert(void *arg, json_t *object)
{
    (void)object;
    ((struct seen *)arg)->upserts++;
}

static void on_gone(void *arg, const char *name)
{
    (void)name;
    ((struct seen *)arg)->gone++;
}

static void on_synced(void *arg, const char *version)
{
    (void)arg;
    (void)version;
}

static void on_contact(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err)
{
    struct seen *seen = arg;

    (void)date;
    seen->in_contact = kind == HF_CONTACT_PROVEN;
    seen->proven += seen->in_contact;
    seen->lost += !seen->in_contact;
    seen->why = err != NULL ? err->code : 0;
}

static void on_written(void *arg, int r, uint64_t retry_after_ns, const json_t *answer, const struct hf_err *err)
{
    struct world *world = arg;

    (void)answer;
    world->n_answers++;
    world->retry_after_ns = retry_after_ns;
    world->r = r;
    world->code = err != NULL ? err->code : 0;
}

static void on_answer(void *arg, const struct hf_kube_answer *answer)
{
    struct world *world = arg;

    world->n_answers++;
    world->r = answer->r;
    world->code = answer->err.code;
}

static void run(struct world *world, uint64_t seconds)
{
    (void)hf_simloop_run_for(world->loop, seconds * HF_NS_PER_S);
}

static int on_reauthenticate(void *arg, struct hf_err *err)
{
    struct world *world = arg;

    (void)err;
    world->reauths++;
    return 0;
}

static void start_client(struct world *world)
{
    struct hf_kube_params params = {
        .config = &world->config,
        .field_manager = "holdfast-agent",
        .world = hf_simproc_world(world->proc, NULL),
        .http = hf_simclient_ops(world->client),
        .reauthenticate = on_reauthenticate,
        .arg = world,
    };
    const struct hf_source_sink sink = {
        .arg = &world->seen, .upsert = on_upsert, .gone = on_gone, .synced = on_synced, .contact = on_contact};
    struct hf_subscription *sub;

    world->kube = hf_kube_new(&params, NULL);
    world->source = hf_kube_source(world->kube);
    ck_assert_int_eq(world->source->subscribe(world->source->ctx, "EdgeUpdate", NULL, "", NULL, &sink, &sub, NULL), 0);
}

static void world_start(struct world *world, const char *server)
{
    *world = (struct world){.loop = hf_simloop_new(3)};
    world->net = hf_simnet_new(world->loop);
    world->api = hf_simapi_new(world->loop, world->net, server);
    world->proc = hf_simproc_new(world->loop, "node");
    world->client = hf_simnet_client(world->net, world->proc);
    world->config.server = strdup(server);
    (void)hf_simapi_put_text(world->api, UPDATE);
    (void)hf_simapi_put_text(world->api, NODE ",\"status\":{\"sequence\":1}}");
}

static void world_end(struct world *world)
{
    hf_kube_free(world->kube);
    hf_simclient_free(world->client);
    hf_simproc_free(world->proc);
    hf_simapi_free(world->api);
    hf_simnet_free(world->net);
    hf_simloop_free(world->loop);
    hf_kube_config_done(&world->config);
}

static void apply(struct world *world, const char *text, const char *subresource)
{
    json_t *body = json_loads(text, 0, NULL);
    struct hf_delivery *delivery;

    ck_assert_int_eq(world->source->apply(world->source->ctx, body, subresource, on_written, world, &delivery, NULL),
                     0);
    json_decref(body);
    run(world, 2);
}

static const char *const servers[] = {"https://169.254.2.1:10268", "https://10.1.2.3:6443"};

/* The hub loses the API server: its open watches end, and its answers prove nothing. */
static void cut(struct world *world, bool forgot)
{
    hf_simapi_set_hub(world->api, true, forgot);
    hf_simapi_end_watches(world->api);
    run(world, 300);
}

START_TEST(answers_of_the_hub_are_no_contact)
{
    struct world world;
    world_start(&world, servers[_i / 2]);
    start_client(&world);
    run(&world, 60);
    ck_assert(world.seen.in_contact && world.seen.upserts == 1);
    unsigned proven = world.seen.proven;
    cut(&world, _i % 2 == 1);
    ck_assert(!world.seen.in_contact && world.seen.why == ENOLINK);
    ck_assert_uint_eq(world.seen.proven, proven);
    ck_assert_uint_eq(world.seen.gone, 0); /* even a list without objects */
    unsigned by_hub = hf_simapi_counts(world.api)->by_hub;
    ck_assert_uint_ge(by_hub, 2);
    run(&world, 3600);
    ck_assert_uint_le(hf_simapi_counts(world.api)->by_hub - by_hub, 3600 / 4); /* within the spread of 10 s */
    ck_assert_uint_eq(world.seen.proven, proven);
    (void)hf_simapi_delete(world.api, "EdgeUpdate", "u");
    hf_simapi_set_hub(world.api, false, false);
    run(&world, 120);
    ck_assert(world.seen.in_contact && world.seen.gone == 1);
    ck_assert(!hf_kube_is_metaserver(world.kube));
    world_end(&world);
}
END_TEST

START_TEST(writes_that_the_hub_takes_are_not_delivered)
{
    struct world world;
    world_start(&world, servers[_i]);
    start_client(&world);
    run(&world, 60);
    apply(&world, NODE ",\"status\":{\"sequence\":2}}", "status");
    ck_assert(world.n_answers == 1 && world.r == 0);
    cut(&world, false);
    uint64_t version = hf_simapi_version(world.api);
    /* The cache of the hub shows what the earlier writes wrote: the answer has what is asked for. */
    apply(&world, NODE ",\"status\":{\"sequence\":2}}", "status");
    ck_assert(world.n_answers == 2 && world.r == -EHOSTUNREACH && world.code == ENOLINK);
    apply(&world, NODE "}", NULL); /* takes labels away, of which no answer can show the absence alone */
    ck_assert(world.n_answers == 3 && world.r == -EHOSTUNREACH);
    json_t *event = json_pack("{s:s,s:s,s:{s:s,s:s}}", "apiVersion", "events.k8s.io/v1", "kind", "Event", "metadata",
                              "name", "e", "namespace", "default");
    const struct hf_kube_call create = {
        .verb = HF_KUBE_CREATE, .api_version = "events.k8s.io/v1", .plural = "events", .ns = "default", .body = event};
    struct hf_kube_pending *pending;
    ck_assert_int_eq(hf_kube_call_send(world.kube, &create, on_answer, &world, &pending, NULL), 0);
    run(&world, 2);
    ck_assert(world.n_answers == 4 && world.r == -EHOSTUNREACH && world.code == ENOLINK);
    ck_assert_uint_eq(hf_simapi_version(world.api), version);
    hf_simapi_set_hub(world.api, false, false);
    ck_assert_int_eq(hf_kube_call_send(world.kube, &create, on_answer, &world, &pending, NULL), 0);
    apply(&world, NODE ",\"status\":{\"sequence\":3}}", "status");
    ck_assert_msg(world.n_answers == 6 && world.r == 0, "%u %d", world.n_answers, world.r);
    ck_assert_uint_eq(hf_simapi_version(world.api), version + 2);
    json_decref(event);
    world_end(&world);
}
END_TEST

/* The node starts without the cloud: nothing of the hub's cache is taken for the word of the cloud. */
START_TEST(a_start_without_the_cloud)
{
    struct world world;
    world_start(&world, servers[0]);
    hf_simapi_set_hub(world.api, true, _i == 1);
    start_client(&world);
    run(&world, 600);
    ck_assert(!world.seen.in_contact && world.seen.proven == 0);
    ck_assert(world.seen.upserts == 0 && world.seen.gone == 0);
    hf_simapi_set_hub(world.api, false, false);
    run(&world, 120);
    ck_assert(world.seen.in_contact && world.seen.upserts == 1);
    world_end(&world);
}
END_TEST

/* An address that is nobody's known one, and a server that has not named itself yet: a copy of the request is no answer. */
START_TEST(an_echo_is_no_delivery)
{
    struct world world;
    world_start(&world, servers[1]);
    hf_simapi_set_hub(world.api, true, false);
    start_client(&world);
    json_t *event = json_pack("{s:s,s:s,s:{s:s,s:s}}", "apiVersion", "events.k8s.io/v1", "kind", "Event", "metadata",
                              "name", "e", "namespace", "default");
    const struct hf_kube_call create = {
        .verb = HF_KUBE_CREATE, .api_version = "events.k8s.io/v1", .plural = "events", .ns = "default", .body = event};
    struct hf_kube_pending *pending;
    ck_assert_int_eq(hf_kube_call_send(world.kube, &create, on_answer, &world, &pending, NULL), 0);
    run(&world, 2);
    ck_assert(world.n_answers == 1 && world.r == -EHOSTUNREACH);
    json_decref(event);
    world_end(&world);
}
END_TEST

/* A gateway refuses the credentials by itself: the client reads them again, as after a 401 of the API server. */
START_TEST(a_gateway_refuses)
{
    struct world world;
    world_start(&world, servers[1]);
    start_client(&world);
    run(&world, 60);
    ck_assert(world.seen.in_contact && world.reauths == 0);
    hf_simapi_strip(world.api, true, true);
    hf_simapi_fail(world.api, 1000, 401, 0);
    hf_simapi_end_watches(world.api);
    run(&world, 60);
    ck_assert_uint_ge(world.reauths, 1);
    ck_assert_int_ne(world.seen.why, ENOLINK);
    hf_simapi_fail(world.api, 1, 429, 7 * HF_NS_PER_S);
    apply(&world, NODE ",\"status\":{\"sequence\":2}}", "status");
    ck_assert(world.r == -EAGAIN && world.retry_after_ns == 7 * HF_NS_PER_S);
    world_end(&world);
}
END_TEST

/* A gateway begins to remove the header Audit-Id: one review shows it, and contact returns for good. */
START_TEST(a_gateway_removes_the_header)
{
    struct world world;
    world_start(&world, servers[1]);
    start_client(&world);
    run(&world, 60);
    ck_assert(world.seen.in_contact);
    hf_simapi_strip(world.api, true, true);
    hf_simapi_end_watches(world.api);
    run(&world, 200);
    ck_assert(!world.seen.in_contact && world.seen.why == ENOLINK);
    ck_assert_uint_eq(hf_simapi_counts(world.api)->reviews, 0);
    run(&world, 200);
    ck_assert(world.seen.in_contact);
    ck_assert_uint_eq(hf_simapi_counts(world.api)->reviews, 1);
    unsigned lost = world.seen.lost;
    for (int i = 0; i < 6; i++) { /* one of two gateways removes it */
        hf_simapi_strip(world.api, i % 2 == 1, true);
        hf_simapi_end_watches(world.api);
        apply(&world, NODE ",\"status\":{\"sequence\":2}}", "status");
        ck_assert_int_eq(world.r, 0);
        run(&world, 600);
        ck_assert(world.seen.in_contact);
    }
    ck_assert_uint_eq(world.seen.lost, lost);
    ck_assert_uint_eq(hf_simapi_counts(world.api)->reviews, 1);
    world_end(&world);
}
END_TEST

/* The watch goes silent, and a proxy that does not reach the server answers the ping: no sign of life. */
START_TEST(a_ping_that_a_proxy_fails)
{
    struct world world;
    world_start(&world, servers[_i]);
    start_client(&world);
    run(&world, 600);
    ck_assert(world.seen.in_contact);
    hf_simapi_mute(world.api, "EdgeUpdate");
    hf_simapi_strip(world.api, true, true);
    hf_simapi_fail(world.api, 1000, 502, 0);
    uint64_t heard_ns = world.source->heard_ns(world.source->ctx);
    run(&world, 100);
    ck_assert(!world.seen.in_contact);
    ck_assert_uint_eq(world.source->heard_ns(world.source->ctx), heard_ns);
    ck_assert_uint_eq(hf_simapi_counts(world.api)->reviews, 0);
    world_end(&world);
}
END_TEST

/* The hub copies the review, or passes it on to the API server, which answers with the header: neither answer proves
 * anything about a gateway. */
START_TEST(a_hub_is_no_gateway)
{
    struct world world;
    world_start(&world, servers[1]);
    start_client(&world);
    run(&world, 60);
    cut(&world, false);
    run(&world, 7200);
    ck_assert(!world.seen.in_contact && world.seen.why == ENOLINK);
    hf_simapi_set_hub(world.api, false, false);
    hf_simapi_strip(world.api, true, false);
    run(&world, 24 * 3600);
    ck_assert(!world.seen.in_contact && world.seen.why == ENOLINK);
    ck_assert_uint_ge(hf_simapi_counts(world.api)->reviews, 20); /* once an hour in the end */
    ck_assert_uint_le(hf_simapi_counts(world.api)->reviews, 30);
    world_end(&world);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, addresses_of_the_hub, 0, (int)HF_LEN(addresses));
    tcase_add_loop_test(tc, origin_of_answers, 0, (int)HF_LEN(answers));
    tcase_add_test(tc, a_server_without_names);
    tcase_add_loop_test(tc, answers_of_the_hub_are_no_contact, 0, 4);
    tcase_add_loop_test(tc, writes_that_the_hub_takes_are_not_delivered, 0, 2);
    tcase_add_loop_test(tc, a_start_without_the_cloud, 0, 2);
    tcase_add_test(tc, an_echo_is_no_delivery);
    tcase_add_test(tc, a_gateway_refuses);
    tcase_add_test(tc, a_gateway_removes_the_header);
    tcase_add_test(tc, a_hub_is_no_gateway);
    tcase_add_loop_test(tc, a_ping_that_a_proxy_fails, 0, 2);
}
HF_TEST_MAIN("kube/hub", cases)
