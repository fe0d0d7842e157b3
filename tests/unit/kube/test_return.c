/* SPDX-License-Identifier: Apache-2.0 */
/* How a fleet returns to a server that was away: at random moments, each node with one question first. */
#include "kube/api/client.h"
#include "support/check_main.h"
#include "support/fakes/apiserver_sim.h"

enum { NODES = 40, MANY = 300, KINDS = 4, FLEET = 500, SPREAD_S = FLEET * 200 / 1000 };

static const char *const kinds[KINDS] = {"Node", "EdgeUpdate", "SyncPolicy", "EdgeNode"};

struct node {
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube *kube;
    unsigned lost, synced;
    char why[300];
};

struct tag {
    struct node *node;
    unsigned bit;
};

struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simapi *api;
    struct hf_kube_config config;
    unsigned n;
    struct node nodes[MANY];
    struct tag tags[MANY * KINDS];
};

static void contact(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err)
{
    const struct tag *tag = arg;

    (void)date;
    if (kind == HF_CONTACT_PROVEN) {
        tag->node->lost &= ~tag->bit;
    } else {
        tag->node->lost |= tag->bit;
        (void)snprintf(tag->node->why, sizeof(tag->node->why), "%s", err->cause);
    }
}

static void synced(void *arg, const char *resource_version)
{
    const struct tag *tag = arg;

    (void)resource_version;
    tag->node->synced |= tag->bit;
}

static void start_node(struct world *world, unsigned i)
{
    struct node *node = &world->nodes[i];

    node->proc = hf_simproc_new(world->loop, "node");
    node->client = hf_simnet_client(world->net, node->proc);
    struct hf_kube_params params = {
        .config = &world->config,
        .api = HF_KUBE_APISERVER,
        .field_manager = "holdfast-agent",
        .world = hf_simproc_world(node->proc, NULL),
        .http = hf_simclient_ops(node->client),
    };
    node->kube = hf_kube_new(&params, NULL);
    ck_assert_ptr_nonnull(node->kube);
    const struct hf_source_ops *source = hf_kube_source(node->kube);
    for (unsigned k = 0; k < KINDS; k++) {
        struct tag *tag = &world->tags[i * KINDS + k];
        const struct hf_source_sink sink = {.arg = tag, .contact = contact, .synced = synced};
        struct hf_subscription *sub;
        *tag = (struct tag){node, 1u << k};
        ck_assert_int_eq(source->subscribe(source->ctx, kinds[k], NULL, "", NULL, &sink, &sub, NULL), 0);
    }
}

static void run(struct world *world, uint64_t seconds)
{
    (void)hf_simloop_run_for(world->loop, seconds * HF_NS_PER_S);
}

static void put_update(struct world *world, unsigned selected)
{
    char *text =
        hf_asprintf("{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"EdgeUpdate\",\"metadata\":{\"name\":"
                    "\"a\"},\"status\":{\"nodes\":{\"selected\":%u}}}",
                    selected);

    (void)hf_simapi_put_text(world->api, text);
    free(text);
}

static unsigned asked(const struct world *world)
{
    const struct hf_simapi_counts *counts = hf_simapi_counts(world->api);

    return counts->watches + counts->watchlists + counts->lists + counts->knocks + counts->refused;
}

static unsigned away(const struct world *world)
{
    unsigned n = 0;

    for (unsigned i = 0; i < world->n; i++)
        n += world->nodes[i].lost != 0;
    return n;
}

static void world_start(struct world *world, unsigned n, unsigned selected)
{
    *world = (struct world){.loop = hf_simloop_new(5), .n = n};
    world->net = hf_simnet_new(world->loop);
    world->api = hf_simapi_new(world->loop, world->net, "https://api");
    world->config.server = strdup("https://api:6443");
    put_update(world, selected);
    for (unsigned i = 0; i < n; i++)
        start_node(world, i);
    run(world, 4000); /* past the first, short watches */
    for (unsigned i = 0; i < n; i++)
        ck_assert(world->nodes[i].synced == (1u << KINDS) - 1 && world->nodes[i].lost == 0);
}

static void world_end(struct world *world)
{
    for (unsigned i = 0; i < world->n; i++) {
        hf_kube_free(world->nodes[i].kube);
        ck_assert_uint_eq(hf_simproc_timers(world->nodes[i].proc), 0);
        hf_simclient_free(world->nodes[i].client);
        hf_simproc_free(world->nodes[i].proc);
    }
    hf_simapi_free(world->api);
    hf_simnet_free(world->net);
    hf_simloop_free(world->loop);
    hf_kube_config_done(&world->config);
}

/* Runs until all are back, at most `seconds`; returns the most requests in one second. */
static unsigned await_all(struct world *world, unsigned seconds)
{
    unsigned most = 0;

    for (unsigned t = 0; t < seconds && (t == 0 || away(world) > 0); t++) {
        unsigned before = asked(world);
        run(world, 1);
        most = HF_MAX(most, asked(world) - before);
    }
    ck_assert_msg(away(world) == 0, "%u are not back after %u s", away(world), seconds);
    return most;
}

static void restart(struct world *world, uint64_t seconds)
{
    hf_simnet_set_server(world->net, "https://api", HF_SIM_SERVER_REFUSING);
    run(world, seconds);
    put_update(world, 1); /* the store went on: nobody's version is the newest */
    hf_simapi_compact(world->api);
    hf_simnet_set_server(world->net, "https://api", HF_SIM_SERVER_UP);
}

/* One knock, one watch that shows that the server has no history, and one list for each kind: no more, but for first
 * watches that end meanwhile. */
START_TEST(a_restart_costs_six_requests_a_node)
{
    static struct world world;

    world_start(&world, NODES, FLEET);
    unsigned before = asked(&world);
    restart(&world, _i == 0 ? 1 : 300);
    ck_assert_uint_eq(away(&world), NODES);
    ck_assert_uint_eq(asked(&world), before);
    unsigned most = await_all(&world, SPREAD_S + 30);
    run(&world, 5);
    unsigned requests = asked(&world) - before;
    ck_assert_msg(requests >= NODES * KINDS && requests <= NODES * (KINDS + 2) + NODES / 2, "%u requests", requests);
    ck_assert_msg(most <= 5 * (KINDS + 1), "%u requests in one second", most); /* 0.5 nodes a second on average */
    world_end(&world);
}
END_TEST

/* A server that shuts down in good order ends every watch at the same moment: that is no reason to ask at once. */
START_TEST(an_orderly_end_is_an_end)
{
    static struct world world;

    world_start(&world, NODES, FLEET);
    unsigned before = asked(&world);
    hf_simapi_end_watches(world.api);
    run(&world, 1);
    ck_assert_uint_eq(away(&world), NODES);
    ck_assert_uint_le(asked(&world) - before, 3 * KINDS);
    ck_assert_ptr_nonnull(strstr(world.nodes[0].why, "it shuts down"));
    ck_assert_uint_le(await_all(&world, SPREAD_S + 30), 5 * KINDS);
    world_end(&world);
}
END_TEST

/* A server may end the watches of one kind for all nodes: they come back within 20 ms for each node, and are not lost.
 */
START_TEST(one_kind_ends_for_all)
{
    static struct world world;
    enum { WINDOW_S = FLEET * 20 / 1000 };
    unsigned most = 0;

    world_start(&world, NODES, FLEET);
    unsigned before = asked(&world);
    hf_simapi_end_watches_of(world.api, "EdgeUpdate");
    for (unsigned t = 0; t < WINDOW_S + 1; t++) {
        unsigned then = asked(&world);
        run(&world, 1);
        most = HF_MAX(most, asked(&world) - then);
        ck_assert_uint_eq(away(&world), 0);
    }
    ck_assert_uint_ge(asked(&world) - before, NODES);
    ck_assert_uint_le(asked(&world) - before, NODES + 4); /* others that ended by themselves */
    ck_assert_msg(most <= NODES / 3, "%u of %d in one second", most, NODES);
    world_end(&world);
}
END_TEST

/* Before it has read its rights a server answers 403 to everybody: each question costs one answer, and no long rest. */
START_TEST(a_server_that_has_just_started_refuses)
{
    static struct world world;

    world_start(&world, 1, 10);
    hf_simapi_fail(world.api, 2, 403, 0);
    restart(&world, 1);
    (void)await_all(&world, 60);
    ck_assert_uint_eq(hf_simapi_counts(world.api)->refused, 2);
    world_end(&world);
}
END_TEST

/* But a right that somebody took away is soon called by its name. */
START_TEST(a_right_that_is_gone)
{
    static struct world world;

    world_start(&world, 1, 10);
    hf_simapi_fail(world.api, 1000, 403, 0);
    restart(&world, 1);
    run(&world, 900);
    ck_assert_uint_eq(away(&world), 1);
    ck_assert_ptr_nonnull(strstr(world.nodes[0].why, "403"));
    ck_assert_uint_lt(hf_simapi_counts(world.api)->refused, 100);
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(world.nodes[0].kube, sub)) != NULL;)
        ck_assert_int_eq(sub->reflector.resting, HF_REST_DENIED);
    world_end(&world);
}
END_TEST

/* A server with a large fleet answers 429 or 503 until its caches are full. Meanwhile each node asks one question a
 * spread, whatever the number of its kinds, and none of them rests longer afterwards. */
static const int early_statuses[] = {429, 503};

START_TEST(a_server_that_fills_its_caches)
{
    static struct world world;
    enum { FILLING_S = 60, MORE_S = 2 * SPREAD_S };
    unsigned most = 0;

    world_start(&world, NODES, FLEET);
    hf_simapi_fail(world.api, 100000, early_statuses[_i], 1);
    restart(&world, 1);
    for (unsigned t = 0; t < FILLING_S; t++) {
        unsigned before = asked(&world);
        run(&world, 1);
        most = HF_MAX(most, asked(&world) - before);
    }
    unsigned refused = hf_simapi_counts(world.api)->refused, before = asked(&world);
    ck_assert_msg(refused >= NODES / 4 && refused <= NODES * 3 / 2, "%u requests in vain", refused);
    ck_assert_msg(most <= 5, "%u requests in vain in one second", most);
    hf_simapi_fail(world.api, 0, 0, 0);
    (void)await_all(&world, MORE_S);
    run(&world, 5);
    ck_assert_uint_le(asked(&world) - before, NODES * (KINDS + 2) + NODES / 2);
    world_end(&world);
}
END_TEST

/* Runs for some seconds; returns the most requests in one of them. */
static unsigned busiest(struct world *world, unsigned seconds)
{
    unsigned most = 0;

    for (unsigned t = 0; t < seconds; t++) {
        unsigned before = asked(world);
        run(world, 1);
        most = HF_MAX(most, asked(world) - before);
    }
    return most;
}

/* A server that has just started answers each watch that resumes with 200 and "no history", and refuses all lists until
 * it is ready. So "no history" does not mean that it is ready: one subscription asks for its list, the others wait. */
START_TEST(a_server_without_history_is_not_ready_yet)
{
    static struct world world;
    enum { STARTING_S = 60, SHARE = NODES * STARTING_S / SPREAD_S };

    world_start(&world, NODES, FLEET);
    unsigned before = asked(&world);
    hf_simapi_fail_at(world.api, "sendInitialEvents", early_statuses[_i] == 429 ? 429 : 403);
    restart(&world, 1);
    unsigned most = busiest(&world, STARTING_S), vain = asked(&world) - before;
    ck_assert_msg(vain >= SHARE && vain <= 9 * SHARE / 2, "%u requests in vain", vain);
    ck_assert_msg(most <= 9, "%u requests in vain in one second", most);
    hf_simapi_fail_at(world.api, NULL, 0);
    before = asked(&world);
    ck_assert_uint_le(await_all(&world, 2 * SPREAD_S), 8);
    run(&world, 5);
    ck_assert_uint_le(asked(&world) - before, NODES * (KINDS + 1));
    world_end(&world);
}
END_TEST

/* {nodes that return, nodes that an EdgeUpdate selects, seconds until a cache is full, refused at most}: a server that
 * is ready begins to fill the cache of a kind when somebody asks for the kind, and refuses its watches meanwhile. */
static const struct {
    unsigned nodes, fleet, fill_s, refused;
} fills[] = {{1, 1, 1, 0}, {1, 0, 1, 0}, {40, 40, 1, 0}, {40, 500, 3, 2}, {MANY, 10000, 20, 1}};

START_TEST(a_ready_server_with_empty_caches_refuses_nobody)
{
    static struct world world;

    world_start(&world, fills[_i].nodes, fills[_i].fleet);
    hf_simapi_empty_caches(world.api, fills[_i].fill_s * HF_NS_PER_S);
    restart(&world, 1);
    (void)await_all(&world, 400);
    unsigned refused = hf_simapi_counts(world.api)->refused;
    ck_assert_msg(refused <= fills[_i].refused, "%u refused", refused);
    world_end(&world);
}
END_TEST

/* A server accepts connections for a while, answers nothing, then refuses: all nodes that came meanwhile have one
 * question open. */
START_TEST(a_server_that_answers_late)
{
    static struct world world;
    enum { FROZEN_S = 25, SHARE = NODES * FROZEN_S / SPREAD_S };

    world_start(&world, NODES, FLEET);
    unsigned before = asked(&world);
    hf_simnet_set_server(world.net, "https://api", HF_SIM_SERVER_REFUSING);
    run(&world, 1);
    hf_simnet_set_server(world.net, "https://api", HF_SIM_SERVER_FROZEN);
    run(&world, FROZEN_S);
    put_update(&world, 1);
    hf_simapi_compact(world.api);
    hf_simapi_fail(world.api, 10000, 403, 0);
    hf_simnet_set_server(world.net, "https://api", HF_SIM_SERVER_UP);
    run(&world, 1);
    unsigned refused = hf_simapi_counts(world.api)->refused;
    ck_assert_msg(refused >= SHARE / 2 && refused <= 2 * SHARE, "%u requests refused", refused);
    hf_simapi_fail(world.api, 0, 0, 0);
    (void)await_all(&world, 2 * SPREAD_S);
    run(&world, 5);
    ck_assert_uint_le(asked(&world) - before, NODES * (KINDS + 2) + NODES / 2 + 2 * refused);
    world_end(&world);
}
END_TEST

/* A ping that is under way when the server ends shows what the watches show: that the server is away, not the link. */
START_TEST(a_server_ends_during_a_ping)
{
    static struct world world;
    enum { FROZEN_S = 27, STARTING_S = 30, SHARE = NODES * STARTING_S / SPREAD_S };

    world_start(&world, NODES, FLEET);
    unsigned before = asked(&world);
    hf_simnet_set_server(world.net, "https://api", HF_SIM_SERVER_FROZEN);
    run(&world, FROZEN_S);
    unsigned pinging = 0;
    for (unsigned i = 0; i < NODES; i++)
        pinging += world.nodes[i].kube->silence.ping != NULL;
    ck_assert_msg(pinging >= NODES / 4, "%u pings under way", pinging);
    hf_simapi_fail(world.api, 100000, 403, 0);
    restart(&world, 1);
    (void)busiest(&world, STARTING_S);
    ck_assert_uint_eq(away(&world), NODES);
    unsigned vain = asked(&world) - before;
    ck_assert_msg(vain <= 2 * SHARE, "%u requests in vain", vain);
    world_end(&world);
}
END_TEST

/* A server that shuts down slowly ends one watch in good order, and cuts the others later: the one waits with them. */
START_TEST(one_watch_ends_before_the_others)
{
    static struct world world;
    enum { STARTING_S = 30, SHARE = NODES * STARTING_S / SPREAD_S };

    world_start(&world, NODES, FLEET);
    unsigned before = asked(&world);
    hf_simapi_end_watches_of(world.api, "EdgeUpdate");
    hf_simapi_fail(world.api, 100000, 403, 0);
    run(&world, 1);
    unsigned early = asked(&world) - before; /* before anything else told the node that the server ends */
    before = asked(&world);
    restart(&world, 1);
    (void)busiest(&world, STARTING_S);
    unsigned vain = asked(&world) - before;
    ck_assert_msg(early <= NODES / 4 && vain <= 2 * SHARE + 2 * early, "%u, then %u requests in vain", early, vain);
    hf_simapi_fail(world.api, 0, 0, 0);
    (void)await_all(&world, 3 * SPREAD_S);
    world_end(&world);
}
END_TEST

/* The watches of a node in a large fleet open so far apart that their bookmarks leave no pause that needs a ping. */
START_TEST(a_return_needs_few_pings)
{
    static struct world world;
    enum { LARGE = 1500, LARGE_SPREAD_S = 300, MINUTES = 2 };

    world_start(&world, NODES, LARGE);
    restart(&world, 1);
    (void)await_all(&world, LARGE_SPREAD_S + 60);
    unsigned before = hf_simapi_counts(world.api)->other;
    run(&world, MINUTES * 60);
    unsigned pings = hf_simapi_counts(world.api)->other - before;
    ck_assert_msg(pings <= NODES * MINUTES * 3 / 2, "%u pings", pings);
    world_end(&world);
}
END_TEST

/* A server that stays busy is soon asked by each subscription for itself, with a back-off. */
START_TEST(a_server_that_stays_busy)
{
    static struct world world;

    world_start(&world, 1, 10);
    hf_simapi_fail(world.api, 100000, 429, 0);
    restart(&world, 1);
    run(&world, 900);
    ck_assert_uint_eq(away(&world), 1);
    ck_assert_uint_lt(hf_simapi_counts(world.api)->refused, 300);
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(world.nodes[0].kube, sub)) != NULL;)
        ck_assert_int_eq(sub->reflector.resting, HF_REST_BUSY);
    world_end(&world);
}
END_TEST

/* {nodes that the EdgeUpdate selects, the spread in seconds} */
static const struct {
    unsigned selected;
    uint64_t spread_s;
} spreads[] = {{0, 10}, {10, 10}, {100, 20}, {1000, 200}, {2000, 300}, {1000000, 300}};

START_TEST(the_spread_grows_with_the_fleet)
{
    static struct world world;

    world_start(&world, 1, spreads[_i].selected);
    ck_assert_uint_eq(world.nodes[0].kube->spread_ns, spreads[_i].spread_s * HF_NS_PER_S);
    put_update(&world, 1); /* a smaller one beside it does not make the fleet smaller */
    run(&world, 1);
    hf_kube_set_spread(world.nodes[0].kube, 0);
    ck_assert_uint_eq(world.nodes[0].kube->spread_ns, spreads[_i].spread_s * HF_NS_PER_S);
    hf_kube_set_spread(world.nodes[0].kube, 300 * HF_NS_PER_S);
    ck_assert_uint_eq(world.nodes[0].kube->spread_ns, 300 * HF_NS_PER_S);
    world_end(&world);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, a_restart_costs_six_requests_a_node, 0, 2);
    tcase_add_test(tc, an_orderly_end_is_an_end);
    tcase_add_test(tc, one_kind_ends_for_all);
    tcase_add_test(tc, a_server_that_has_just_started_refuses);
    tcase_add_test(tc, a_right_that_is_gone);
    tcase_add_loop_test(tc, a_server_that_fills_its_caches, 0, (int)HF_LEN(early_statuses));
    tcase_add_loop_test(tc, a_server_without_history_is_not_ready_yet, 0, (int)HF_LEN(early_statuses));
    tcase_add_loop_test(tc, a_ready_server_with_empty_caches_refuses_nobody, 0, (int)HF_LEN(fills));
    tcase_add_test(tc, a_server_that_answers_late);
    tcase_add_test(tc, a_server_ends_during_a_ping);
    tcase_add_test(tc, one_watch_ends_before_the_others);
    tcase_add_test(tc, a_return_needs_few_pings);
    tcase_add_test(tc, a_server_that_stays_busy);
    tcase_add_loop_test(tc, the_spread_grows_with_the_fleet, 0, (int)HF_LEN(spreads));
}
HF_TEST_MAIN_CPU("kube/return", cases, 120)
