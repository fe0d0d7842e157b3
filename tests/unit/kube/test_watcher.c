/* SPDX-License-Identifier: Apache-2.0 */
/* The API client against a model of a kube-apiserver, on virtual time. */
#include <errno.h>

#include "kube/api/client.h"
#include "support/check_main.h"
#include "support/fakes/apiserver_sim.h"

struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simapi *api;
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    int reauths;
};

/* What a subscriber holds and heard. */
struct seen {
    struct world *world;
    struct hf_subscription *sub;
    json_t *held; /* name: resourceVersion */
    unsigned upserts, gone, synced, marks, proven, lost, refused, stale, unreadable;
    char mark[HF_RV_TEXT];
    bool in_contact;
    uint64_t lost_at;
    bool unsubscribe_on_upsert;
    char last_refused[600];
};

static void seen_upsert(void *arg, json_t *object)
{
    struct seen *seen = arg;

    ck_assert(hf_json_str(object, "kind") != NULL && hf_json_str(object, "apiVersion") != NULL);
    seen->upserts++;
    (void)json_object_set_new(seen->held, hf_json_str(object, "metadata.name"),
                              json_string(hf_json_str(object, "metadata.resourceVersion")));
    if (seen->unsubscribe_on_upsert) {
        hf_source_unsubscribe(seen->sub);
    }
}

static void seen_gone(void *arg, const char *name)
{
    struct seen *seen = arg;

    ck_assert(seen->in_contact);
    seen->gone++;
    ck_assert_msg(json_object_del(seen->held, name) == 0, "gone twice: %s", name);
}

static void seen_unreadable(void *arg, const char *name, const struct hf_err *err)
{
    struct seen *seen = arg;

    ck_assert(err != NULL);
    ck_assert_str_eq(name, "n000");
    seen->unreadable++;
}

static void seen_synced(void *arg, const char *resource_version)
{
    struct seen *seen = arg;

    (void)resource_version;
    seen->synced++;
}

static void seen_mark(void *arg, const char *resource_version)
{
    struct seen *seen = arg;

    seen->marks++;
    (void)snprintf(seen->mark, sizeof(seen->mark), "%s", resource_version);
}

static void seen_contact(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err)
{
    struct seen *seen = arg;

    (void)date;
    seen->in_contact = kind == HF_CONTACT_PROVEN;
    if (kind == HF_CONTACT_PROVEN) {
        seen->proven++;
    } else {
        ck_assert(err != NULL);
        seen->lost++;
        seen->lost_at = hf_simloop_now_ns(seen->world->loop);
    }
}

static void seen_refused(void *arg, const char *what, const struct hf_err *err)
{
    struct seen *seen = arg;

    (void)what;
    seen->refused++;
    seen->stale += err->code == ESTALE;
    (void)hf_err_text(err, seen->last_refused, sizeof(seen->last_refused));
}

static struct hf_source_sink sink_of(struct seen *seen)
{
    return (struct hf_source_sink){.arg = seen,
                                   .upsert = seen_upsert,
                                   .gone = seen_gone,
                                   .synced = seen_synced,
                                   .version = seen_mark,
                                   .contact = seen_contact,
                                   .refused = seen_refused};
}

static void subscribe(struct world *world, struct seen *seen, const char *kind, const char *name, const char *resume,
                      const char *const *known)
{
    const struct hf_source_ops *source = hf_kube_source(world->kube);
    struct hf_source_sink sink = sink_of(seen);

    seen->world = world;
    if (seen->held == NULL)
        seen->held = json_object();
    ck_assert_int_eq(source->subscribe(source->ctx, kind, name, resume, known, &sink, &seen->sub, NULL), 0);
    ck_assert_uint_eq(seen->upserts + seen->proven, 0); /* never inside the call */
}

static void seen_done(struct seen *seen)
{
    json_decref(seen->held);
    seen->held = NULL;
}

static int reauthenticate(void *arg, struct hf_err *err)
{
    (void)err;
    ((struct world *)arg)->reauths++;
    return 0;
}

static void start_kube(struct world *world, enum hf_kube_api api)
{
    struct hf_kube_params params = {
        .config = &world->config,
        .api = api,
        .field_manager = "holdfast-agent",
        .world = hf_simproc_world(world->proc, NULL),
        .http = hf_simclient_ops(world->client),
        .reauthenticate = reauthenticate,
        .arg = world,
        .retry_cap_ns = 30 * HF_NS_PER_S,
    };

    world->kube = hf_kube_new(&params, NULL);
    ck_assert_ptr_nonnull(world->kube);
}

static void world_start(struct world *world, uint64_t seed)
{
    *world = (struct world){.loop = hf_simloop_new(seed)};
    world->net = hf_simnet_new(world->loop);
    world->api = hf_simapi_new(world->loop, world->net, "https://api");
    world->proc = hf_simproc_new(world->loop, "node");
    world->client = hf_simnet_client(world->net, world->proc);
    world->config.server = strdup("https://api:6443");
    start_kube(world, HF_KUBE_AUTO);
}

static void world_end(struct world *world)
{
    hf_kube_free(world->kube);
    ck_assert_uint_eq(hf_simproc_timers(world->proc), 0);
    ck_assert_uint_eq(hf_simclient_calls(world->client), 0);
    hf_simclient_free(world->client);
    hf_simproc_free(world->proc);
    hf_simapi_free(world->api);
    hf_simnet_free(world->net);
    hf_simloop_free(world->loop);
    hf_kube_config_done(&world->config);
}

static void run(struct world *world, uint64_t seconds)
{
    (void)hf_simloop_run_for(world->loop, seconds * HF_NS_PER_S);
}

static void put(struct world *world, const char *kind, const char *name, int value)
{
    char *text =
        hf_asprintf("{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\"},"
                    "\"spec\":{\"value\":%d}}",
                    kind, name, value);

    (void)hf_simapi_put_text(world->api, text);
    free(text);
}

/* Makes so many EdgeUpdates of so many bytes each. */
static void put_large(struct world *world, int objects, size_t bytes)
{
    char *note = calloc(1, bytes + 1), name[16];

    ck_assert_ptr_nonnull(note);
    memset(note, 'x', bytes);
    for (int i = 0; i < objects; i++) {
        (void)snprintf(name, sizeof(name), "n%03d", i);
        (void)hf_simapi_put(world->api,
                            json_pack("{s:s, s:s, s:{s:s}, s:{s:s}}", "apiVersion", "edge.codcompass.io/v1alpha1",
                                      "kind", "EdgeUpdate", "metadata", "name", name, "spec", "note", note));
    }
    free(note);
}

static void same(const struct seen *seen, const char *kind)
{
    struct hf_simapi *api = seen->world->api;
    _cleanup_(hf_json_freep) json_t *list = NULL;
    char list_kind[64];

    (void)snprintf(list_kind, sizeof(list_kind), "%sList", kind);
    char *text = hf_simapi_list_text(api, kind, list_kind, NULL);
    list = json_loads(text, 0, NULL);
    free(text);
    const json_t *items = json_object_get(list, "items");
    ck_assert_uint_eq(json_array_size(items), json_object_size(seen->held));
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const char *held = json_string_value(json_object_get(seen->held, hf_json_str(item, "metadata.name")));
        ck_assert_msg(held != NULL && strcmp(held, hf_json_str(item, "metadata.resourceVersion")) == 0, "%s",
                      hf_json_str(item, "metadata.name"));
    }
}

/* ---- the tests ---------------------------------------------------------------------------------------------------- */

START_TEST(lists_then_follows)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 1);
    hf_simapi_set_watchlist(world.api, _i == 0 || _i == 3);
    if (_i == 3)
        hf_simapi_break_watchlist(world.api);
    hf_simapi_set_page(world.api, _i == 2 ? 2 : 0);
    for (int i = 0; i < 5; i++)
        put(&world, "EdgeUpdate", (const char *[]){"a", "b", "c", "d", "e"}[i], i);
    put(&world, "SyncPolicy", "other", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 5);
    ck_assert(seen.synced == 1 && seen.upserts == 5 && seen.in_contact && seen.marks == 1);
    put(&world, "EdgeUpdate", "f", 6);
    put(&world, "EdgeUpdate", "a", 7);
    (void)hf_simapi_delete(world.api, "EdgeUpdate", "b");
    run(&world, 1);
    ck_assert(seen.upserts == 7 && seen.gone == 1 && seen.refused == 0);
    same(&seen, "EdgeUpdate");
    const struct hf_simapi_counts *counts = hf_simapi_counts(world.api);
    ck_assert_uint_eq(counts->watchlists,
                      _i == 3 ? 2 : 1); /* one that is broken off may be a busy server, two are not */
    ck_assert_uint_eq(counts->lists, _i == 0 ? 0 : 1);
    ck_assert_uint_eq(counts->pages, _i == 2 ? 2 : 0);
    ck_assert(counts->bare_watches == 0 && counts->exact_lists == 0);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

/* What is declined is told again by a list that is asked for, whenever that is: while the first is on its way, while a watch is
 * open, while the server is away; `synced` then means that list. Of two questions in one moment comes one list. */
START_TEST(declined_and_listed_again)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    static const uint64_t moments_ms[] = {0, 1, 2, 5, 10, 5000};

    world_start(&world, 3 + (uint64_t)_i);
    hf_simapi_set_watchlist(world.api, _i % 2 == 0);
    hf_simapi_set_page(world.api, _i % 4 == 3 ? 2 : 0);
    for (int i = 0; i < 5; i++)
        put(&world, "EdgeUpdate", (const char *[]){"a", "b", "c", "d", "e"}[i], i);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    (void)hf_simloop_run_for(world.loop, moments_ms[_i / 2] * HF_NS_PER_MS);
    seen.synced = 0;
    seen.sub->source->decline(seen.sub, "b", true);
    seen.sub->source->decline(seen.sub, "d", false);
    (void)json_object_del(seen.held, "b");
    (void)json_object_del(seen.held, "d");
    seen.sub->source->relist(seen.sub);
    seen.sub->source->relist(seen.sub);
    if (_i / 2 == 5)
        (void)hf_simapi_delete(world.api, "EdgeUpdate", "a");
    run(&world, 20);
    ck_assert_uint_eq(seen.synced, 1);
    same(&seen, "EdgeUpdate");
    ck_assert(seen.in_contact && seen.lost == 0 && seen.refused == 0);
    const struct hf_simapi_counts *counts = hf_simapi_counts(world.api);
    ck_assert_uint_le(counts->watchlists + counts->lists,
                      2 + (_i % 2 == 1)); /* the WatchList that is refused is asked for once */
    seen_done(&seen);
    world_end(&world);
}
END_TEST

START_TEST(idle_makes_no_requests)
{
    struct world world;
    struct seen seen[4] = {{.upserts = 0}};
    static const char *const kinds[] = {"EdgeUpdate", "SyncPolicy", "EdgeNode", "Node"};
    world_start(&world, 2);
    hf_simapi_set_bookmarks(world.api, _i == 0 ? 60 * HF_NS_PER_S : 0);
    for (int i = 0; i < 4; i++)
        subscribe(&world, &seen[i], kinds[i], i >= 2 ? "node" : NULL, "", NULL);
    run(&world, 4 * 3600);
    const struct hf_simapi_counts *counts = hf_simapi_counts(world.api);
    ck_assert_uint_eq(counts->watchlists, 4);
    ck_assert_uint_eq(counts->lists, 0);
    ck_assert_uint_le(counts->other, 12); /* no poll; a question when the rhythm of bookmarks has changed */
    ck_assert_uint_le(counts->watches, 4 * (2 + 4 * 3600 / 1800));
    ck_assert_uint_ge(counts->watches, 4 * 4 * 3600 / 3600);
    ck_assert(seen[0].in_contact && seen[0].lost == 0);
    ck_assert_uint_eq(seen[0].marks, 1); /* bookmarks that say nothing new are not passed on */
    for (int i = 0; i < 4; i++)
        seen_done(&seen[i]);
    world_end(&world);
}
END_TEST

/* A load balancer on the way cuts connections without a byte for a while, as HAProxy does with the `timeout client` and
 * `timeout server` of kubeadm's documentation: 35 s, and 20 s in older ones. */
static const struct {
    uint64_t idle_s;
    unsigned watches, lost, pings; /* times until the client knows, and an hour later on */
} balancers[] = {{35, 4, 1, 40},  {35, 1, 1, 120},  {20, 4, 3, 120}, {20, 3, 3, 180},
                 {20, 1, 3, 240}, {120, 1, 1, 120}, {120, 4, 1, 40}};

/* Losses of contact in the first half hour after a break, and pings in the four hours after that. */
static void sit_behind(unsigned balancer, uint64_t seed, unsigned *lost, unsigned *pings)
{
    struct world world;
    struct seen seen[4] = {{.upserts = 0}};
    static const char *const kinds[] = {"EdgeUpdate", "SyncPolicy", "EdgeNode", "Node"};
    world_start(&world, seed);
    hf_simapi_set_bookmarks(world.api, 61 * HF_NS_PER_S + 500 * HF_NS_PER_MS);
    hf_simclient_set_idle_limit(world.client, balancers[balancer].idle_s * HF_NS_PER_S);
    for (unsigned i = 0; i < balancers[balancer].watches; i++)
        subscribe(&world, &seen[i], kinds[i], i >= 2 ? "node" : NULL, "", NULL);
    run(&world, 100);
    hf_simclient_break(world.client);
    run(&world, 1800);
    unsigned asked = hf_simapi_counts(world.api)->other;
    run(&world, 4 * 3600);
    *pings += hf_simapi_counts(world.api)->other - asked;
    *lost += seen[0].lost;
    ck_assert(seen[0].in_contact);
    for (unsigned i = 0; i < balancers[balancer].watches; i++)
        seen_done(&seen[i]);
    world_end(&world);
}

/* How soon the client learns what the balancer does depends on when the cuts come: the bounds are those of a mean. */
START_TEST(behind_a_load_balancer)
{
    enum { SEEDS = 8 };
    unsigned lost = 0, pings = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        sit_behind((unsigned)_i, seed, &lost, &pings);
    ck_assert_msg(lost <= SEEDS * balancers[_i].lost, "%d: lost %u times in %d", _i, lost, SEEDS);
    ck_assert_msg(pings <= SEEDS * 4 * balancers[_i].pings, "%d: %u pings in %d hours", _i, pings, 4 * SEEDS);
}
END_TEST

START_TEST(resumes_without_a_list)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 3);
    put(&world, "EdgeUpdate", "a", 1);
    put(&world, "EdgeUpdate", "b", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 5);
    hf_kube_free(world.kube); /* the process ends; things happen meanwhile */
    put(&world, "EdgeUpdate", "a", 2);
    (void)hf_simapi_delete(world.api, "EdgeUpdate", "b");
    struct hf_simapi_counts before = *hf_simapi_counts(world.api);
    start_kube(&world, HF_KUBE_AUTO);
    char resume[HF_RV_TEXT];
    memcpy(resume, seen.mark, sizeof(resume));
    seen.upserts = seen.gone = seen.synced = seen.proven = 0;
    subscribe(&world, &seen, "EdgeUpdate", NULL, resume, (const char *const[]){"a", "b", NULL});
    run(&world, 5);
    ck_assert_msg(seen.upserts == 1 && seen.gone == 1 && seen.synced == 1, "%u %u %u", seen.upserts, seen.gone,
                  seen.synced);
    same(&seen, "EdgeUpdate");
    const struct hf_simapi_counts *counts = hf_simapi_counts(world.api);
    ck_assert(counts->lists == before.lists && counts->watchlists == before.watchlists &&
              counts->watches == before.watches + 1);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

/* The point on the disk is older than an object there, for it is written seldom: the watch tells how the object came to
 * what it is, and the subscriber never goes back in time. */
START_TEST(resumes_behind_what_is_held)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    char resume[HF_RV_TEXT];
    world_start(&world, 3);
    put(&world, "EdgeUpdate", "a", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 5);
    memcpy(resume, seen.mark, sizeof(resume));
    put(&world, "EdgeUpdate", "a", 2);
    put(&world, "EdgeUpdate", "a", 3);
    run(&world, 5);
    same(&seen, "EdgeUpdate");
    hf_kube_free(world.kube);
    start_kube(&world, HF_KUBE_AUTO);
    seen.upserts = seen.synced = seen.proven = 0;
    subscribe(&world, &seen, "EdgeUpdate", NULL, resume, (const char *const[]){"a", NULL});
    seen.sub->source->holds(seen.sub, "a", hf_json_str_or(seen.held, "a", ""));
    run(&world, 5);
    ck_assert_uint_eq(seen.upserts, 1);
    same(&seen, "EdgeUpdate");
    put(&world, "EdgeUpdate", "a", 4);
    run(&world, 5);
    same(&seen, "EdgeUpdate");
    seen_done(&seen);
    world_end(&world);
}
END_TEST

START_TEST(a_resume_too_old_becomes_one_list)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 4);
    put(&world, "EdgeUpdate", "a", 1);
    (void)hf_simapi_put_text(world.api, "{\"kind\":\"EdgeUpdate\",\"metadata\":{\"name\":\"c\"}}");
    hf_simapi_compact(world.api);
    seen.held = json_pack("{s:s,s:s}", "a", "1", "lost", "1");
    subscribe(&world, &seen, "EdgeUpdate", NULL, "50", (const char *const[]){"a", "lost", NULL});
    run(&world, 12);
    ck_assert(seen.gone == 1 && seen.synced == 1 && seen.lost == 0 && seen.upserts == 2);
    same(&seen, "EdgeUpdate");
    ck_assert_uint_eq(hf_simapi_counts(world.api)->watchlists, 1);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

START_TEST(expired_in_the_stream)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 5);
    hf_simapi_set_watchlist(world.api, _i == 0);
    put(&world, "EdgeUpdate", "a", 1);
    put(&world, "EdgeUpdate", "b", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 20);
    (void)hf_simapi_delete(world.api, "EdgeUpdate", "b");
    hf_simapi_expire_watches(world.api);
    run(&world, 10);
    ck_assert(seen.synced == 2 && seen.gone == 1);
    ck_assert_uint_eq(seen.upserts, 2); /* what did not change is not told again */
    const struct hf_simapi_counts *counts = hf_simapi_counts(world.api);
    ck_assert_uint_eq(_i == 0 ? counts->watchlists : counts->lists, 2);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

START_TEST(a_watch_that_ends_goes_on)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 6);
    put(&world, "EdgeUpdate", "a", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 3000);
    struct hf_simapi_counts before = *hf_simapi_counts(world.api);
    hf_simapi_end_watches(world.api);
    put(&world, "EdgeUpdate", "b", 1);
    run(&world, 1);
    same(&seen, "EdgeUpdate");
    ck_assert(hf_simapi_counts(world.api)->watches == before.watches + 1 && seen.lost == 0);
    /* A server that ends every watch at once is not asked in a hot loop. */
    for (int i = 0; i < 100; i++) {
        hf_simapi_end_watches(world.api);
        run(&world, 1);
    }
    ck_assert_uint_lt(hf_simapi_counts(world.api)->watches, before.watches + 40);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

/* A cut of the link, of either kind, in the middle of a silent watch. */
static const struct {
    const char *name;
    enum hf_simlink_state link;
    enum hf_simserver_state server;
    uint64_t away_s, found_s, back_s; /* lost within, converged within */
} cuts[] = {
    {"link silent", HF_SIM_LINK_SILENT, HF_SIM_SERVER_UP, 600, 60, 31},
    {"link down", HF_SIM_LINK_DOWN, HF_SIM_SERVER_UP, 600, 60, 31},
    {"server restarted", HF_SIM_LINK_UP, HF_SIM_SERVER_REFUSING, 20, 5, 16},
    {"server away for long", HF_SIM_LINK_UP, HF_SIM_SERVER_REFUSING, 7200, 5, 16},
    {"server lost power", HF_SIM_LINK_UP, HF_SIM_SERVER_SILENT, 600, 60, 31},
    {"server frozen", HF_SIM_LINK_UP, HF_SIM_SERVER_FROZEN, 600, 60, 31},
};

START_TEST(comes_back)
{
    struct world world;
    struct seen seen = {.upserts = 0}, others[3] = {{.upserts = 0}};
    static const char *const kinds[] = {"SyncPolicy", "EdgeNode", "Node"};
    world_start(&world, 7);
    put(&world, "EdgeUpdate", "a", 1);
    put(&world, "EdgeUpdate", "b", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    for (int i = 0; i < 3; i++)
        subscribe(&world, &others[i], kinds[i], i > 0 ? "node" : NULL, "", NULL);
    run(&world, 7200);
    uint64_t cut = hf_simloop_now_ns(world.loop);
    struct hf_simapi_counts before = *hf_simapi_counts(world.api);
    hf_simclient_set_state(world.client, cuts[_i].link);
    hf_simnet_set_server(world.net, "https://api", cuts[_i].server);
    run(&world, 1);
    put(&world, "EdgeUpdate", "a", 2);
    (void)hf_simapi_delete(world.api, "EdgeUpdate", "b");
    run(&world, cuts[_i].found_s);
    ck_assert_msg(!seen.in_contact && seen.lost >= 1, "%s: not found", cuts[_i].name);
    ck_assert_uint_le(seen.lost_at - cut, (cuts[_i].found_s + 1) * HF_NS_PER_S);
    run(&world, cuts[_i].away_s);
    ck_assert(!seen.in_contact && seen.gone == 0 && json_object_size(seen.held) == 2);
    hf_simclient_set_state(world.client, HF_SIM_LINK_UP);
    hf_simnet_set_server(world.net, "https://api", HF_SIM_SERVER_UP);
    run(&world, cuts[_i].back_s);
    ck_assert_msg(seen.in_contact, "%s: not back", cuts[_i].name);
    same(&seen, "EdgeUpdate");
    const struct hf_simapi_counts *counts = hf_simapi_counts(world.api);
    ck_assert(counts->lists == before.lists && counts->watchlists == before.watchlists); /* no relist */
    for (int i = 0; i < 3; i++)
        seen_done(&others[i]);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

/* One watch alone hears a bookmark a minute; a server that stands still at any moment between two is found within one all the same. */
START_TEST(one_watch_alone)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    unsigned after_s = 0;
    world_start(&world, 11);
    put(&world, "EdgeUpdate", "a", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, (_i < 6 ? 2 : 3600) + (uint64_t)_i * 13); /* the first of them while it is still learning */
    ck_assert(seen.in_contact);
    hf_simnet_set_server(world.net, "https://api", HF_SIM_SERVER_FROZEN);
    for (; seen.in_contact && after_s < 200; after_s++)
        run(&world, 1);
    ck_assert_msg(after_s <= 60, "%d: found after %u s", _i, after_s);
    hf_simnet_set_server(world.net, "https://api", HF_SIM_SERVER_UP);
    run(&world, 61);
    ck_assert(seen.in_contact);
    same(&seen, "EdgeUpdate");
    seen_done(&seen);
    world_end(&world);
}
END_TEST

/* ... and while all is well that costs one small question a minute, no relist, no lost contact. */
START_TEST(one_watch_at_rest)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 12);
    put(&world, "EdgeUpdate", "a", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 600);
    struct hf_simapi_counts before = *hf_simapi_counts(world.api);
    run(&world, 3600);
    ck_assert(seen.in_contact && seen.lost == 0);
    ck_assert_uint_eq(hf_simapi_counts(world.api)->lists, before.lists);
    ck_assert_uint_le(hf_simapi_counts(world.api)->other - before.other, 66);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

START_TEST(returns_are_spread)
{
    struct world world;
    enum { NODES = 200 };
    static struct seen seen[NODES];
    world_start(&world, 8);
    hf_kube_set_spread(world.kube, 300 * HF_NS_PER_S);
    memset(seen, 0, sizeof(seen));
    /* Two hundred subscriptions, each with a client of its own, stand for two hundred nodes. */
    struct hf_kube *kubes[NODES];
    struct hf_kube *first = world.kube;
    for (int i = 0; i < NODES; i++) {
        start_kube(&world, HF_KUBE_AUTO);
        kubes[i] = world.kube;
        hf_kube_set_spread(world.kube, 300 * HF_NS_PER_S);
        subscribe(&world, &seen[i], "EdgeUpdate", NULL, "", NULL);
    }
    world.kube = first;
    run(&world, 100);
    hf_simnet_set_server(world.net, "https://api", HF_SIM_SERVER_REFUSING);
    run(&world, 1);
    hf_simnet_set_server(world.net, "https://api", HF_SIM_SERVER_UP);
    unsigned most = 0, last = hf_simapi_counts(world.api)->watches;
    for (int t = 0; t < 300; t += 10) {
        run(&world, 10);
        unsigned now = hf_simapi_counts(world.api)->watches;
        most = HF_MAX(most, now - last);
        last = now;
    }
    for (int i = 0; i < NODES; i++) {
        ck_assert_msg(seen[i].in_contact, "node %d is not back after 300 s", i);
        hf_kube_free(kubes[i]);
        seen_done(&seen[i]);
    }
    ck_assert_msg(most <= NODES / 5, /* among them the first ends of those that are back */
                  "%u of %d came back in the same 10 s", most, NODES);
    world_end(&world);
}
END_TEST

static const struct {
    const char *name;
    int status;
    unsigned times;
    uint64_t retry_after_s;
    uint64_t after_s, before_s; /* not synced at, synced at */
    int reauths;
} failures[] = {
    {"401 once", 401, 1, 0, 0, 2, 1},
    {"401 again", 401, 3, 0, 0, 20, 1},
    {"403", 403, 3, 0, 0, 30, 0},
    {"404", 404, 4, 0, 0, 60, 0},
    {"429 with Retry-After", 429, 1, 20, 20, 23, 0},
    {"503 with Retry-After", 503, 1, 40, 40, 45, 0},
    {"500", 500, 5, 0, 0, 70, 0},
    {"410 for ever so often", 410, 2, 0, 0, 12, 0},
    {"a redirect", 302, 1, 0, 0, 3, 0},
};

START_TEST(refusals)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 9);
    put(&world, "EdgeUpdate", "a", 1);
    hf_simapi_fail(world.api, failures[_i].times, failures[_i].status, failures[_i].retry_after_s * HF_NS_PER_S);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, failures[_i].after_s);
    ck_assert_msg(seen.synced == 0 || failures[_i].after_s == 0, "%s: too early", failures[_i].name);
    run(&world, failures[_i].before_s - failures[_i].after_s);
    ck_assert_msg(seen.synced == 1 && seen.upserts == 1, "%s: synced %u, upserts %u", failures[_i].name, seen.synced,
                  seen.upserts);
    ck_assert_msg(world.reauths >= failures[_i].reauths, "%s: %d", failures[_i].name, world.reauths);
    ck_assert((failures[_i].status != 403 && failures[_i].status != 404) || seen.refused == failures[_i].times);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

START_TEST(crds_come_later)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 10);
    hf_simapi_set_crds(world.api, false);
    put(&world, "EdgeUpdate", "a", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 3600);
    ck_assert(seen.synced == 0 && seen.refused > 5 && !seen.in_contact);
    ck_assert_uint_lt(hf_simclient_started(world.client), 60); /* says so, and does not hammer */
    hf_simapi_set_crds(world.api, true);
    run(&world, 301);
    ck_assert(seen.synced == 1 && seen.in_contact);
    same(&seen, "EdgeUpdate");
    seen_done(&seen);
    world_end(&world);
}
END_TEST

START_TEST(an_empty_list_of_a_real_server_counts)
{
    struct world world;
    struct seen seen = {.held = json_pack("{s:s}", "a", "5")};
    world_start(&world, 11);
    hf_simapi_set_watchlist(world.api, _i == 0);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", (const char *const[]){"a", NULL});
    run(&world, 5);
    ck_assert(seen.gone == 1 && seen.synced == 1);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

START_TEST(a_list_from_the_past_deletes_nothing)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 12);
    hf_simapi_set_watchlist(world.api, _i == 0);
    put(&world, "EdgeUpdate", "a", 1);
    put(&world, "EdgeUpdate", "b", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 5);
    /* A lagging cache: the store is asked, and is believed. */
    hf_simapi_stale_cache(world.api, 20);
    hf_simapi_expire_watches(world.api);
    run(&world, 20);
    ck_assert(seen.stale == 1 && seen.gone == 0 && seen.synced == 2 && seen.in_contact);
    ck_assert_uint_eq(hf_simapi_counts(world.api)->exact_lists, 1);
    hf_simapi_stale_cache(world.api, 0);
    /* A restored backup that lacks b: told, nothing is deleted; a second, undoubted answer may. */
    (void)hf_simapi_delete(world.api, "EdgeUpdate", "b");
    json_t *a = json_deep_copy(hf_simapi_get(world.api, "EdgeUpdate", "a"));
    run(&world, 1);
    ck_assert_uint_eq(seen.gone, 1);
    put(&world, "EdgeUpdate", "b", 2);
    run(&world, 1);
    hf_simapi_rewind(world.api, 50);
    (void)hf_simapi_delete(world.api, "EdgeUpdate", "b");
    (void)hf_simapi_put(world.api, a);
    hf_simapi_compact(world.api);
    hf_simapi_expire_watches(world.api);
    run(&world, 30);
    ck_assert_msg(seen.stale >= 3 && json_object_size(seen.held) == 2 && seen.in_contact, "stale %u held %zu %s",
                  seen.stale, json_object_size(seen.held), seen.last_refused);
    seen.sub->source->refresh(seen.sub);
    run(&world, 30);
    ck_assert_uint_eq(seen.gone, 2);
    same(&seen, "EdgeUpdate");
    seen_done(&seen);
    world_end(&world);
}
END_TEST

static void on_written(void *arg, int r, uint64_t retry_after_ns, const json_t *answer, const struct hf_err *err)
{
    (void)retry_after_ns, (void)answer, (void)err;
    ck_assert_int_eq(r, 0);
    ++*(unsigned *)arg;
}

static void write_status(struct world *world, int sequence, unsigned *ret_written)
{
    const struct hf_source_ops *source = hf_kube_source(world->kube);
    struct hf_delivery *delivery;
    json_t *body = json_pack("{s:s, s:s, s:{s:s}, s:{s:i}}", "apiVersion", "edge.codcompass.io/v1alpha1", "kind",
                             "EdgeNode", "metadata", "name", "node", "status", "sequence", sequence);

    ck_assert_int_eq(source->apply(source->ctx, body, "status", on_written, ret_written, &delivery, NULL), 0);
    json_decref(body);
    run(world, 1);
}

/* etcd is restored from a backup while the API server is down. The watches resume from above its revision, where a real
 * server stays silent; the version of our own write shows it. Then the same for a node that was off meanwhile. */
START_TEST(a_backup_is_restored)
{
    struct world world;
    struct seen seen = {.upserts = 0}, own = {.upserts = 0};
    unsigned written = 0;
    world_start(&world, 34);
    put(&world, "EdgeUpdate", "a", 1);
    put(&world, "EdgeNode", "node", 1);
    hf_simapi_rewind(world.api, 500);
    put(&world, "EdgeUpdate", "b", 1);
    if (_i == 0) {
        subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
        subscribe(&world, &own, "EdgeNode", "node", "", NULL);
        run(&world, 300);
        hf_simnet_set_server(world.net, "https://api", HF_SIM_SERVER_REFUSING);
        run(&world, 20);
    }
    hf_simapi_rewind(world.api, 110);
    put(&world, "EdgeUpdate", "a", 2);
    put(&world, "EdgeUpdate", "b", 1);
    put(&world, "EdgeNode", "node", 1);
    if (_i == 1) {
        seen.held = json_pack("{s:s, s:s}", "a", "101", "b", "501");
        own.held = json_pack("{s:s}", "node", "102");
        subscribe(&world, &seen, "EdgeUpdate", NULL, "501", (const char *const[]){"a", "b", NULL});
        subscribe(&world, &own, "EdgeNode", "node", "501", (const char *const[]){"node", NULL});
    }
    hf_simnet_set_server(world.net, "https://api", HF_SIM_SERVER_UP);
    run(&world, 60);
    ck_assert(seen.in_contact && own.in_contact);
    (void)hf_simapi_delete(world.api, "EdgeUpdate", "b");
    write_status(&world, 7, &written);
    run(&world, 30);
    ck_assert_uint_eq(written, 1);
    same(&own, "EdgeNode");
    ck_assert_str_eq(hf_json_str_or(seen.held, "a", ""), "111");
    ck_assert(seen.gone == 0 && json_object_size(seen.held) == 2); /* b is in doubt */
    ck_assert_uint_eq(hf_simapi_counts(world.api)->exact_lists, 2);
    put(&world, "EdgeUpdate", "a", 3);
    run(&world, 1);
    ck_assert_uint_eq(strtoull(hf_json_str_or(seen.held, "a", ""), NULL, 10), hf_simapi_version(world.api));
    write_status(&world, 8, &written);
    run(&world, 100);
    ck_assert(written == 2 && seen.in_contact);
    ck_assert_uint_eq(hf_simapi_counts(world.api)->exact_lists, 2);
    seen_done(&seen);
    seen_done(&own);
    world_end(&world);
}
END_TEST

/* A client follows, and etcd is restored from a backup while the server is away: "a" is in an older version again, and
 * "lost" was made after it. The store then counts on past their versions. `far`: not past all versions. */
static void restore_and_count_on(struct world *world, struct seen *seen, struct seen *own, bool far)
{
    put(world, "EdgeUpdate", "a", 1);
    json_t *before = json_deep_copy(hf_simapi_get(world->api, "EdgeUpdate", "a"));
    uint64_t backup = hf_simapi_version(world->api);

    hf_simapi_rewind(world->api, backup + 20);
    put(world, "EdgeUpdate", "a", 2);
    put(world, "EdgeUpdate", "lost", 1);
    put(world, "EdgeNode", "node", 1);
    if (far) {
        hf_simapi_rewind(world->api, 500);
        put(world, "EdgeNode", "node", 2);
    }
    subscribe(world, seen, "EdgeUpdate", NULL, "", NULL);
    subscribe(world, own, "EdgeNode", "node", "", NULL);
    run(world, 300);
    hf_simnet_set_server(world->net, "https://api", HF_SIM_SERVER_REFUSING);
    run(world, 20);
    (void)hf_simapi_delete(world->api, "EdgeUpdate", "lost");
    hf_simapi_rewind(world->api, backup - 1);
    (void)hf_simapi_put(world->api, before);
    hf_simapi_rewind(world->api, backup + 40);
    put(world, "EdgeNode", "node", 3);
    hf_simnet_set_server(world->net, "https://api", HF_SIM_SERVER_UP);
    run(world, 60);
}

/* _i 0: a write shows the restore. _i 1: the store has passed all versions, and the caller knows. */
START_TEST(a_backup_is_restored_and_counts_on)
{
    struct world world;
    struct seen seen = {.upserts = 0}, own = {.upserts = 0};
    unsigned written = 0;
    world_start(&world, 35);
    restore_and_count_on(&world, &seen, &own, _i == 0);
    if (_i == 0)
        write_status(&world, 7, &written);
    else
        hf_kube_restored(world.kube);
    run(&world, 60);
    if (_i == 0) /* in doubt until the next refresh */
        (void)json_object_del(seen.held, "lost");
    same(&seen, "EdgeUpdate");
    ck_assert(seen.gone == (unsigned)_i && seen.in_contact);
    seen_done(&seen);
    seen_done(&own);
    world_end(&world);
}
END_TEST

/* For a client that nothing tells: the list itself has an object in an older version than before. */
START_TEST(a_list_contradicts_what_came_before)
{
    struct world world;
    struct seen seen = {.upserts = 0}, own = {.upserts = 0};
    world_start(&world, 35);
    hf_simapi_set_watchlist(world.api, _i == 0);
    restore_and_count_on(&world, &seen, &own, false);
    hf_simapi_compact(world.api);
    hf_simapi_expire_watches(world.api);
    run(&world, 60);
    ck_assert(seen.stale >= 2 && seen.gone == 0);
    seen.sub->source->refresh(seen.sub);
    run(&world, 60);
    same(&seen, "EdgeUpdate");
    ck_assert(seen.gone == 1 && seen.in_contact);
    unsigned lists = hf_simapi_counts(world.api)->exact_lists;
    run(&world, 600);
    ck_assert_uint_eq(hf_simapi_counts(world.api)->exact_lists, lists);
    seen_done(&seen);
    seen_done(&own);
    world_end(&world);
}
END_TEST

/* The store is restored while the node is off. As the agent subscribes: the node's own object has no version to resume
 * from. */
START_TEST(a_backup_is_restored_while_the_node_is_off)
{
    struct world world;
    struct seen seen = {.held = json_pack("{s:s, s:s}", "a", "101", "b", "501")}, own = {.upserts = 0};
    unsigned written = 0;
    world_start(&world, 34);
    hf_simapi_rewind(world.api, 110);
    put(&world, "EdgeUpdate", "a", 2);
    put(&world, "EdgeUpdate", "b", 1);
    put(&world, "EdgeNode", "node", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "501", (const char *const[]){"a", "b", NULL});
    subscribe(&world, &own, "EdgeNode", "node", "", NULL);
    run(&world, 60);
    ck_assert(seen.in_contact && own.in_contact);
    write_status(&world, 7, &written);
    run(&world, 60);
    ck_assert_uint_eq(written, 1);
    same(&seen, "EdgeUpdate");
    put(&world, "EdgeUpdate", "a", 3);
    run(&world, 1);
    same(&seen, "EdgeUpdate");
    seen_done(&seen);
    seen_done(&own);
    world_end(&world);
}
END_TEST

/* After a restart a server answers that is behind what the node has on its disk, and past where it resumes. */
START_TEST(a_restart_meets_a_server_that_is_behind)
{
    struct world world;
    struct seen seen = {.held = json_pack("{s:s, s:s}", "a", "130", "b", "120")};
    world_start(&world, 36);
    hf_simapi_set_watchlist(world.api, _i == 0);
    put(&world, "EdgeUpdate", "a", 1);
    hf_simapi_compact(world.api);
    hf_simapi_fail_at(world.api, "limit=100", 503); /* the store does not answer */
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", (const char *const[]){"a", "b", NULL});
    seen.sub->source->holds(seen.sub, "a", "130");
    seen.sub->source->holds(seen.sub, "b", "120");
    run(&world, 60);
    ck_assert(seen.gone == 0 && seen.stale >= 1 && seen.synced == 0);
    ck_assert_str_eq(hf_json_str_or(seen.held, "b", ""), "120");
    if (_i == 1) /* a LIST tells its version before its items */
        ck_assert_str_eq(hf_json_str_or(seen.held, "a", ""), "130");
    seen_done(&seen);
    world_end(&world);
}
END_TEST

/* A process ends between a doubtful round and the next refresh: the next one lists, and learns what is gone. */
START_TEST(a_restart_in_doubt)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 12);
    hf_simapi_set_watchlist(world.api, _i == 0);
    put(&world, "EdgeUpdate", "a", 1);
    put(&world, "EdgeUpdate", "b", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 5);
    json_t *a = json_deep_copy(hf_simapi_get(world.api, "EdgeUpdate", "a"));
    hf_simapi_rewind(world.api, 50);
    (void)hf_simapi_delete(world.api, "EdgeUpdate", "b");
    (void)hf_simapi_put(world.api, a);
    hf_simapi_compact(world.api);
    hf_simapi_expire_watches(world.api);
    run(&world, 60);
    ck_assert(seen.gone == 0 && json_object_size(seen.held) == 2 && seen.in_contact);
    ck_assert_str_eq(seen.mark, "");
    hf_kube_free(world.kube);
    start_kube(&world, HF_KUBE_AUTO);
    seen.upserts = seen.gone = seen.synced = seen.proven = 0;
    subscribe(&world, &seen, "EdgeUpdate", NULL, seen.mark, (const char *const[]){"a", "b", NULL});
    run(&world, 60);
    ck_assert_uint_eq(seen.gone, 1);
    ck_assert_str_ne(seen.mark, "");
    seen_done(&seen);
    world_end(&world);
}
END_TEST

/* A watch brings an object that is longer than a line may be, then other changes: the next refresh names it. */
START_TEST(a_line_that_is_too_long)
{
    struct world world;
    struct seen seen = {.upserts = 0, .held = json_object()};
    struct hf_source_sink sink = sink_of(&seen);
    unsigned lists;
    world_start(&world, 12);
    put(&world, "EdgeUpdate", "n000", 1);
    put(&world, "EdgeUpdate", "z", 1);
    const struct hf_source_ops *source = hf_kube_source(world.kube);
    sink.unreadable_object = seen_unreadable;
    seen.world = &world;
    ck_assert_int_eq(source->subscribe(source->ctx, "EdgeUpdate", NULL, "", NULL, &sink, &seen.sub, NULL), 0);
    run(&world, 5);
    put_large(&world, 1, 5 << 20);
    put(&world, "EdgeUpdate", "z", 2);
    run(&world, 10);
    seen.sub->source->refresh(seen.sub);
    run(&world, 300);
    ck_assert_uint_eq(seen.unreadable, 1);
    lists = hf_simapi_counts(world.api)->exact_lists;
    for (int i = 0; i < 10; i++) {
        seen.sub->source->refresh(seen.sub);
        run(&world, 300);
    }
    ck_assert_uint_eq(hf_simapi_counts(world.api)->exact_lists, lists);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

/* The object is there from the start: no WatchList can name it. */
START_TEST(a_line_that_is_too_long_in_the_first_list)
{
    struct world world;
    struct seen seen = {.upserts = 0, .held = json_object()};
    struct hf_source_sink sink = sink_of(&seen);
    world_start(&world, 12);
    put(&world, "EdgeUpdate", "n000", 1);
    put(&world, "EdgeUpdate", "z", 1);
    put_large(&world, 1, 5 << 20);
    const struct hf_source_ops *source = hf_kube_source(world.kube);
    sink.unreadable_object = seen_unreadable;
    seen.world = &world;
    ck_assert_int_eq(source->subscribe(source->ctx, "EdgeUpdate", NULL, "", (const char *const[]){"old", NULL}, &sink,
                                       &seen.sub, NULL),
                     0);
    (void)json_object_set_new(seen.held, "old", json_string("1"));
    for (int i = 0; i < 10; i++) {
        run(&world, 300);
        seen.sub->source->refresh(seen.sub);
    }
    run(&world, 300);
    ck_assert_uint_eq(hf_simapi_counts(world.api)->exact_lists, 1);
    ck_assert_str_ne(seen.mark, "");
    ck_assert_uint_eq(seen.gone, 1);
    ck_assert_uint_eq(seen.unreadable, 1);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

/* A write that changes nothing has an old version as its answer: nothing is listed again. */
START_TEST(a_write_that_changes_nothing)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    unsigned written = 0;
    world_start(&world, 35);
    put(&world, "EdgeNode", "node", 1);
    subscribe(&world, &seen, "EdgeNode", "node", "", NULL);
    run(&world, 10);
    write_status(&world, 1, &written);
    for (int i = 0; i < 10; i++)
        put(&world, "EdgeUpdate", "a", i);
    run(&world, 100); /* a bookmark is above the object's version */
    write_status(&world, 1, &written);
    run(&world, 30);
    ck_assert(written == 2 && seen.stale == 0 && seen.synced == 1);
    ck_assert_uint_eq(hf_simapi_counts(world.api)->lists, 0);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

START_TEST(garbage_in_the_stream)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    static char big[HF_WATCH_STREAM_MAX_LINE + 100];
    world_start(&world, 13);
    hf_simclient_set_link(world.client, &(struct hf_simlink){.chunk_max = 70000});
    put(&world, "EdgeUpdate", "a", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 5);
    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\n';
    hf_simapi_raw(world.api, "EdgeUpdate", big, sizeof(big));
    static const char lines[] = "not json\n\n{\"type\":\"ADDED\"}\n{\"type\":\"ODD\",\"object\":{}}\n"
                                "{\"type\":\"ADDED\",\"object\":{\"metadata\":{}}}\n";
    hf_simapi_raw(world.api, "EdgeUpdate", lines, sizeof(lines) - 1);
    put(&world, "EdgeUpdate", "b", 1);
    run(&world, 5);
    ck_assert_uint_eq(seen.refused, 5);
    ck_assert(seen.lost == 0);
    same(&seen, "EdgeUpdate");
    for (int i = 0; i < 20; i++)
        hf_simapi_raw(world.api, "EdgeUpdate", "rubbish\n", 8);
    run(&world, 5);
    ck_assert_uint_eq(seen.lost, 1); /* given up, and opened again */
    put(&world, "EdgeUpdate", "c", 1);
    run(&world, 5);
    same(&seen, "EdgeUpdate");
    seen_done(&seen);
    world_end(&world);
}
END_TEST

START_TEST(one_object_by_name)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 14);
    put(&world, "EdgeNode", "n1", 1);
    put(&world, "EdgeNode", "n2", 1);
    subscribe(&world, &seen, "EdgeNode", "n1", "", NULL);
    run(&world, 5);
    put(&world, "EdgeNode", "n2", 2);
    put(&world, "EdgeNode", "n1", 2);
    run(&world, 1);
    ck_assert(seen.upserts == 2 && json_object_size(seen.held) == 1);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

START_TEST(a_sink_may_unsubscribe)
{
    struct world world;
    struct seen seen = {.unsubscribe_on_upsert = true};
    world_start(&world, 15);
    hf_simapi_set_watchlist(world.api, _i == 0);
    put(&world, "EdgeUpdate", "a", 1);
    put(&world, "EdgeUpdate", "b", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 600);
    ck_assert(seen.upserts == 1 && seen.synced == 0);
    ck_assert_uint_eq(hf_simclient_calls(world.client), 0);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

START_TEST(one_dead_stream_among_living_ones)
{
    struct world world;
    struct seen seen = {.upserts = 0}, other = {.upserts = 0};
    world_start(&world, 16);
    put(&world, "EdgeUpdate", "a", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    subscribe(&world, &other, "SyncPolicy", NULL, "", NULL);
    run(&world, 1000);
    hf_simapi_mute(world.api, "EdgeUpdate");
    put(&world, "EdgeUpdate", "a", 2);
    run(&world, 60);
    ck_assert_uint_eq(seen.upserts, 1);
    run(&world, 180);
    ck_assert(seen.upserts == 2 && seen.in_contact && seen.lost == 1 && other.lost == 0);
    same(&seen, "EdgeUpdate");
    seen_done(&seen);
    seen_done(&other);
    world_end(&world);
}
END_TEST

static void login_page(void *arg, struct hf_simcall *call)
{
    ++*(unsigned *)arg;
    hf_simcall_reply(call, 200, "text/html", "<html>sign in</html>");
}

static void login_json(void *arg, struct hf_simcall *call)
{
    ++*(unsigned *)arg;
    hf_simcall_reply(call, 200, "application/json", "{\"sign\":\"in\"}");
}

START_TEST(a_login_page_is_no_contact)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    unsigned asked = 0;
    world_start(&world, 17);
    hf_simnet_serve(world.net, "https://api", _i == 0 ? login_page : login_json, &asked);
    hf_kube_free(world.kube);
    free(world.config.server);
    world.config.server = strdup(_i == 0 ? "https://api" : "http://api"); /* plain: lists first */
    hf_simnet_serve(world.net, "http://api", login_json, &asked);
    start_kube(&world, HF_KUBE_AUTO);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", (const char *const[]){"a", NULL});
    run(&world, 600);
    ck_assert(!seen.in_contact && seen.proven == 0 && seen.gone == 0 && seen.synced == 0);
    ck_assert(asked > 5 && asked < 100);
    ck_assert(_i == 0 || seen.refused > 5);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

/* Pages without end, each new or each the same. */
static void endless_pages(void *arg, struct hf_simcall *call)
{
    unsigned *asked = arg;
    char text[200];

    ++*asked;
    (void)snprintf(
        text, sizeof(text),
        "{\"kind\":\"EdgeUpdateList\",\"items\":[],\"metadata\":{\"resourceVersion\":\"9\",\"continue\":\"%u\"}}",
        *asked % 2 == 0 && *asked < 100000 ? *asked : 7);
    hf_simcall_reply(call, 200, "application/json", text);
}

START_TEST(a_list_without_end)
{
    struct world world;
    struct seen seen = {.held = json_pack("{s:s}", "a", "1")};
    unsigned asked = _i == 0 ? 0 : 100001;
    world_start(&world, 21);
    hf_simapi_set_watchlist(world.api, false);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", (const char *const[]){"a", NULL});
    world.kube->no_watchlist = true;
    hf_simnet_serve(world.net, "https://api", endless_pages, &asked);
    run(&world, 60);
    ck_assert(seen.gone == 0 && seen.synced == 0 && seen.refused > 0);
    ck_assert_uint_lt(asked - (_i == 0 ? 0u : 100001u), 5000);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

/* Large objects, whomever they are for, must not keep a server's list out of reach: smaller pages hold them. */
START_TEST(a_page_of_large_objects)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    enum { BYTES = 1 << 20, OBJECTS = 40 };

    world_start(&world, 30);
    hf_simapi_set_watchlist(world.api, false);
    put_large(&world, OBJECTS, BYTES);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 60);
    ck_assert(seen.synced == 1 && seen.upserts == OBJECTS && seen.in_contact);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

static const struct hf_simlink slow = {
    .delay_min_ns = HF_NS_PER_MS, .delay_max_ns = HF_NS_PER_MS, .bytes_per_s = 8000, .chunk_max = 1400};

/* 3 MB over 64 kbit/s take more than six minutes: by a WatchList; by a LIST; by a LIST from a server that ends an
 * answer after a minute. */
static const struct {
    const char *name;
    bool watchlist;
    uint64_t answer_limit_s;
    unsigned lists;
} slow_ways[] = {{"WatchList", true, 0, 0}, {"LIST", false, 0, 1}, {"LIST in pages", false, 60, 3}};

START_TEST(a_slow_link)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    enum { BYTES = 10000, OBJECTS = 300 };

    world_start(&world, 31);
    hf_simapi_set_watchlist(world.api, slow_ways[_i].watchlist);
    hf_simnet_set_answer_limit(world.net, slow_ways[_i].answer_limit_s * HF_NS_PER_S);
    hf_simclient_set_link(world.client, &slow);
    put_large(&world, OBJECTS, BYTES);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 900);
    ck_assert_msg(seen.synced == 1 && seen.in_contact, "%s: synced %u", slow_ways[_i].name, seen.synced);
    same(&seen, "EdgeUpdate");
    ck_assert_uint_eq(hf_simapi_counts(world.api)->lists, slow_ways[_i].lists);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

/* While the bytes of a list fill a slow link, an answer to a ping would come late: no ping asks if the server is
 * there. */
START_TEST(no_pings_beside_a_list)
{
    struct world world;
    struct seen seen = {.upserts = 0}, policies = {.upserts = 0};
    enum { BYTES = 100000, OBJECTS = 20 };

    world_start(&world, 33);
    hf_simapi_set_watchlist(world.api, false);
    put_large(&world, OBJECTS, BYTES);
    subscribe(&world, &policies, "SyncPolicy", NULL, "", NULL);
    run(&world, 10);
    ck_assert_uint_eq(policies.synced, 1);
    hf_simclient_set_link(world.client, &slow);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 200);
    ck_assert_uint_eq(seen.synced, 0);
    ck_assert_uint_le(hf_simapi_counts(world.api)->other, 1);
    run(&world, 300);
    ck_assert(seen.synced == 1 && policies.lost == 0);
    ck_assert_uint_ge(hf_simapi_counts(world.api)->other, 2);
    seen_done(&seen);
    seen_done(&policies);
    world_end(&world);
}
END_TEST

/* A WatchList whose objects stop coming is given up after 20 seconds, also while bookmarks come: by a list. */
START_TEST(a_watchlist_without_end)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 32);
    put(&world, "EdgeUpdate", "a", 1);
    hf_simapi_endless_watchlist(world.api);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 30);
    ck_assert(seen.synced == 1 && seen.in_contact && seen.lost == 0);
    run(&world, 100);
    ck_assert(seen.synced == 1 && seen.lost == 0);
    ck_assert_uint_eq(hf_simapi_counts(world.api)->lists, 1);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

START_TEST(counted)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    _cleanup_(hf_metrics_freep) struct hf_metrics *metrics = hf_metrics_new();
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    world_start(&world, 18);
    hf_kube_free(world.kube);
    struct hf_kube_params params = {.config = &world.config,
                                    .field_manager = "m",
                                    .world = hf_simproc_world(world.proc, NULL),
                                    .http = hf_simclient_ops(world.client)};
    params.world.metrics = metrics;
    world.kube = hf_kube_new(&params, NULL);
    put(&world, "EdgeUpdate", "a", 1);
    hf_simapi_fail(world.api, 1, 500, 0);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 10);
    hf_simapi_raw(world.api, "EdgeUpdate", "rubbish\n", 8);
    run(&world, 1);
    ck_assert_int_eq(hf_metrics_format(metrics, &text), 0);
    static const char *const lines[] = {
        "holdfast_kube_requests_total{verb=\"watchlist\",code=\"500\"} 1\n",
        "holdfast_kube_events_total{kind=\"EdgeUpdate\"} 2\n", "holdfast_kube_doubts_total{reason=\"garbage\"} 1\n",
        "holdfast_source_errors_total{kind=\"EdgeUpdate\",reason=\"Busy\"} 1\n", "holdfast_kube_contact 1\n"};
    for (size_t i = 0; i < HF_LEN(lines); i++)
        ck_assert_msg(strstr(hf_buf_str(&text), lines[i]) != NULL, "%s is not in\n%s", lines[i], hf_buf_str(&text));
    hf_kube_set_retry_cap(world.kube, 60 * HF_NS_PER_S);
    hf_kube_set_spread(world.kube, 0);
    hf_kube_free(world.kube);
    world.kube = NULL;
    seen_done(&seen);
    world_end(&world);
}
END_TEST

/* What fails is counted by the kind asked for and why, however it was asked. */
START_TEST(errors_counted)
{
    static const struct {
        int status;
        const char *reason;
    } cases[] = {{403, "Forbidden"}, {404, "NotFound"}, {401, "Unauthorized"}, {503, "Busy"}, {422, "Invalid"}};
    struct world world;
    struct seen seen = {.upserts = 0};
    struct hf_metrics *metrics = hf_metrics_new();
    world_start(&world, 21);
    world.kube->metrics.errors =
        hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_source_errors_total", "", HF_LABELS("kind", "reason"));
    hf_simapi_fail(world.api, 3, cases[_i].status, 0);
    subscribe(&world, &seen, "SyncPolicy", NULL, "", NULL);
    run(&world, 100);
    ck_assert_uint_eq(seen.synced > 0, 1);
    double n = hf_metric_value(hf_metric_with(world.kube->metrics.errors, HF_LABELS("SyncPolicy", cases[_i].reason)));
    ck_assert_msg(n >= 1 && n <= 3, "%d: %g", cases[_i].status, n);
    seen_done(&seen);
    world_end(&world);
    hf_metrics_free(metrics);
}
END_TEST

START_TEST(a_nudge_ends_the_rest)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 19);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 10);
    hf_simclient_set_state(world.client, HF_SIM_LINK_DOWN);
    run(&world, 3600);
    ck_assert(!seen.in_contact);
    hf_simclient_set_state(world.client, HF_SIM_LINK_UP);
    hf_kube_nudge(world.kube);
    (void)hf_simloop_run_for(world.loop, 100 * HF_NS_PER_MS);
    ck_assert(seen.in_contact);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

/* Contact is lost between a refresh and the turn of the loop that reports it: the report would be about the past. */
START_TEST(a_refresh_does_not_outlive_the_contact)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 21);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 10);
    ck_assert(seen.in_contact);
    hf_simproc_set_lateness(world.proc, HF_NS_PER_S);
    seen.sub->source->refresh(seen.sub);
    hf_simproc_set_lateness(world.proc, 0);
    hf_simclient_set_state(world.client, HF_SIM_LINK_DOWN);
    hf_simclient_break(world.client);
    unsigned proven = seen.proven;
    run(&world, 2);
    ck_assert(!seen.in_contact && seen.proven == proven);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

START_TEST(what_cannot_be_subscribed_to)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    struct hf_source_sink sink = sink_of(&seen);
    world_start(&world, 20);
    const struct hf_source_ops *source = hf_kube_source(world.kube);
    static char long_mark[100];
    memset(long_mark, '1', sizeof(long_mark) - 1);
    ck_assert_int_eq(source->subscribe(source->ctx, "Secret", NULL, "", NULL, &sink, &seen.sub, NULL), -EINVAL);
    ck_assert_int_eq(source->subscribe(source->ctx, "Node", "", "", NULL, &sink, &seen.sub, NULL), -EINVAL);
    ck_assert_int_eq(source->subscribe(source->ctx, "Node", "n", long_mark, NULL, &sink, &seen.sub, NULL), -EINVAL);
    hf_source_unsubscribe(NULL);
    hf_source_abandon(NULL);
    world_end(&world);
}
END_TEST

/* Whatever the network does, in the end the subscriber holds what the server holds, and `gone` was never said wrongly. */
START_TEST(any_weather)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    char name[2] = "a";
    world_start(&world, 1000 + (uint64_t)_i);
    hf_simapi_set_watchlist(world.api, _i % 3 != 0);
    hf_simapi_set_page(world.api, _i % 2 == 0 ? 3 : 0);
    hf_simclient_set_link(world.client, &(struct hf_simlink){.delay_min_ns = HF_NS_PER_MS,
                                                             .delay_max_ns = 800 * HF_NS_PER_MS,
                                                             .chunk_max = 50,
                                                             .break_ppm = 2000,
                                                             .duplicate_ppm = 100000});
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    for (int step = 0; step < 60; step++) {
        *name = (char)('a' + hf_simloop_below(world.loop, 12));
        switch (hf_simloop_below(world.loop, 9)) {
        case 0:
            (void)hf_simapi_delete(world.api, "EdgeUpdate", name);
            break;
        case 1:
            hf_simclient_set_state(world.client, (enum hf_simlink_state)hf_simloop_below(world.loop, 3));
            break;
        case 2:
            hf_simnet_set_server(world.net, "https://api", (enum hf_simserver_state)hf_simloop_below(world.loop, 3));
            break;
        case 3:
            hf_simapi_compact(world.api);
            break;
        case 4:
            hf_simapi_fail(world.api, 2, (const int[]){401, 410, 429, 500}[hf_simloop_below(world.loop, 4)], 0);
            break;
        case 5:
            hf_simapi_expire_watches(world.api);
            break;
        default:
            put(&world, "EdgeUpdate", name, step);
        }
        run(&world, 1 + hf_simloop_below(world.loop, 90));
    }
    hf_simclient_set_state(world.client, HF_SIM_LINK_UP);
    hf_simnet_set_server(world.net, "https://api", HF_SIM_SERVER_UP);
    hf_simapi_fail(world.api, 0, 0, 0);
    hf_simclient_set_link(world.client, &(struct hf_simlink){.delay_max_ns = HF_NS_PER_MS});
    run(&world, 310);
    ck_assert(seen.in_contact && seen.stale == 0);
    same(&seen, "EdgeUpdate");
    ck_assert_uint_eq(hf_simapi_counts(world.api)->bare_watches, 0);
    seen_done(&seen);
    world_end(&world);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, lists_then_follows, 0, 4);
    tcase_add_loop_test(tc, declined_and_listed_again, 0, 12);
    tcase_add_loop_test(tc, behind_a_load_balancer, 0, HF_LEN(balancers));
    tcase_add_loop_test(tc, idle_makes_no_requests, 0, 2);
    tcase_add_test(tc, resumes_without_a_list);
    tcase_add_test(tc, resumes_behind_what_is_held);
    tcase_add_test(tc, a_resume_too_old_becomes_one_list);
    tcase_add_loop_test(tc, expired_in_the_stream, 0, 2);
    tcase_add_test(tc, a_watch_that_ends_goes_on);
    tcase_add_loop_test(tc, comes_back, 0, (int)HF_LEN(cuts));
    tcase_add_loop_test(tc, one_watch_alone, 0, 14);
    tcase_add_test(tc, one_watch_at_rest);
    tcase_add_test(tc, returns_are_spread);
    tcase_add_loop_test(tc, refusals, 0, (int)HF_LEN(failures));
    tcase_add_test(tc, crds_come_later);
    tcase_add_loop_test(tc, an_empty_list_of_a_real_server_counts, 0, 2);
    tcase_add_loop_test(tc, a_list_from_the_past_deletes_nothing, 0, 2);
    tcase_add_loop_test(tc, a_backup_is_restored, 0, 2);
    tcase_add_loop_test(tc, a_backup_is_restored_and_counts_on, 0, 2);
    tcase_add_loop_test(tc, a_list_contradicts_what_came_before, 0, 2);
    tcase_add_test(tc, a_backup_is_restored_while_the_node_is_off);
    tcase_add_loop_test(tc, a_restart_meets_a_server_that_is_behind, 0, 2);
    tcase_add_loop_test(tc, a_restart_in_doubt, 0, 2);
    tcase_add_test(tc, a_line_that_is_too_long);
    tcase_add_test(tc, a_line_that_is_too_long_in_the_first_list);
    tcase_add_test(tc, a_write_that_changes_nothing);
    tcase_add_test(tc, garbage_in_the_stream);
    tcase_add_test(tc, one_object_by_name);
    tcase_add_loop_test(tc, a_sink_may_unsubscribe, 0, 2);
    tcase_add_test(tc, one_dead_stream_among_living_ones);
    tcase_add_loop_test(tc, a_login_page_is_no_contact, 0, 2);
    tcase_add_loop_test(tc, a_list_without_end, 0, 2);
    tcase_add_test(tc, a_page_of_large_objects);
    tcase_add_loop_test(tc, a_slow_link, 0, HF_LEN(slow_ways));
    tcase_add_test(tc, no_pings_beside_a_list);
    tcase_add_test(tc, a_watchlist_without_end);
    tcase_add_test(tc, counted);
    tcase_add_loop_test(tc, errors_counted, 0, 5);
    tcase_add_test(tc, a_nudge_ends_the_rest);
    tcase_add_test(tc, a_refresh_does_not_outlive_the_contact);
    tcase_add_test(tc, what_cannot_be_subscribed_to);
    tcase_add_loop_test(tc, any_weather, 0, 40);
}
HF_TEST_MAIN_CPU("kube/watcher", cases, 120)
