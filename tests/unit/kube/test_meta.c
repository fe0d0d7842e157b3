/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of what was recorded of a MetaServer, against the model of one, on virtual time; and writes of all kinds. */
#include <errno.h>

#include "kube/api/client.h"
#include "support/check_main.h"
#include "support/fakes/metaserver_sim.h"

#define PORT "http://127.0.0.1:10550"

struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simapi *api;
    struct hf_simmeta *meta;
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    const struct hf_source_ops *source;
};

struct seen {
    struct world *world;
    struct hf_subscription *sub;
    json_t *held;
    unsigned upserts, gone, synced, proven, lost, refused;
    int why; /* errno of the last LOST; 0 none was given */
    char reason[256];
    bool in_contact, strict; /* strict: nothing may start that the cloud does not have */
    char mark[HF_RV_TEXT];
    uint64_t gone_at, proven_at;
};

static void on_upsert(void *arg, json_t *object)
{
    struct seen *seen = arg;

    seen->upserts++;
    ck_assert(!seen->strict ||
              hf_simapi_get(seen->world->api, "EdgeUpdate", hf_json_str(object, "metadata.name")) != NULL);
    (void)json_object_set_new(seen->held, hf_json_str(object, "metadata.name"),
                              json_string(hf_json_str(object, "metadata.resourceVersion")));
}

static void on_gone(void *arg, const char *name)
{
    struct seen *seen = arg;

    ck_assert_msg(seen->in_contact, "gone without contact: %s", name);
    ck_assert_msg(json_object_del(seen->held, name) == 0, "gone twice: %s", name);
    seen->gone++;
    seen->gone_at = hf_simloop_now_ns(seen->world->loop);
}

static void on_synced(void *arg, const char *version)
{
    (void)version;
    ((struct seen *)arg)->synced++;
}

static void on_mark(void *arg, const char *version)
{
    (void)snprintf(((struct seen *)arg)->mark, HF_RV_TEXT, "%s", version);
}

static void on_contact(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err)
{
    struct seen *seen = arg;

    seen->why = err != NULL ? err->code : 0;
    (void)snprintf(seen->reason, sizeof(seen->reason), "%s", err != NULL ? err->cause : "");
    ck_assert(date.unix_ns == 0 || !hf_kube_is_metaserver(seen->world->kube)); /* a proxy's clock is our own */
    seen->in_contact = kind == HF_CONTACT_PROVEN;
    *(seen->in_contact ? &seen->proven : &seen->lost) += 1;
    seen->proven_at = seen->in_contact ? hf_simloop_now_ns(seen->world->loop) : seen->proven_at;
}

static void on_refused(void *arg, const char *what, const struct hf_err *err)
{
    (void)what;
    (void)err;
    ((struct seen *)arg)->refused++;
}

/* The client's table, with a start() that can fail. */
static struct hf_http_ops http;
static const struct hf_http_ops *real_http;
static bool starts_fail;

static int may_start(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                     struct hf_err *err)
{
    return starts_fail ? -ENOMEM : real_http->start(ctx, request, ret_call, err);
}

static void start_kube(struct world *world, enum hf_kube_api api)
{
    struct hf_kube_params params = {.config = &world->config,
                                    .api = api,
                                    .field_manager = "holdfast-agent",
                                    .world = hf_simproc_world(world->proc, NULL),
                                    .http = &http};

    real_http = hf_simclient_ops(world->client);
    http = *real_http;
    http.start = may_start;
    starts_fail = false;
    world->kube = hf_kube_new(&params, NULL);
    world->source = hf_kube_source(world->kube);
}

static void world_start_at(struct world *world, uint64_t seed, const char *server, enum hf_kube_api api)
{
    *world = (struct world){.loop = hf_simloop_new(seed)};
    world->net = hf_simnet_new(world->loop);
    world->api = hf_simapi_new(world->loop, world->net, "https://cloud");
    if (strncmp(server, "http://", 7) == 0)
        world->meta = hf_simmeta_new(world->loop, world->net, world->api, server);
    world->proc = hf_simproc_new(world->loop, "node");
    world->client = hf_simnet_client(world->net, world->proc);
    world->config.server = strdup(server);
    start_kube(world, api);
}

static void world_start(struct world *world, uint64_t seed)
{
    world_start_at(world, seed, PORT, HF_KUBE_AUTO);
    ck_assert(hf_kube_is_metaserver(world->kube));
}

static void world_end(struct world *world)
{
    hf_kube_free(world->kube);
    ck_assert_uint_eq(hf_simproc_timers(world->proc), 0);
    hf_simclient_free(world->client);
    hf_simproc_free(world->proc);
    hf_simmeta_free(world->meta);
    hf_simapi_free(world->api);
    hf_simnet_free(world->net);
    hf_simloop_free(world->loop);
    hf_kube_config_done(&world->config);
}

static void subscribe(struct world *world, struct seen *seen, const char *kind, const char *name, const char *resume,
                      const char *const *known)
{
    struct hf_source_sink sink = {.arg = seen,
                                  .upsert = on_upsert,
                                  .gone = on_gone,
                                  .synced = on_synced,
                                  .version = on_mark,
                                  .contact = on_contact,
                                  .refused = on_refused};

    seen->world = world;
    if (seen->held == NULL)
        seen->held = json_object();
    ck_assert_int_eq(world->source->subscribe(world->source->ctx, kind, name, resume, known, &sink, &seen->sub, NULL),
                     0);
}

static void run(struct world *world, uint64_t seconds)
{
    (void)hf_simloop_run_for(world->loop, seconds * HF_NS_PER_S);
}

static char *object(const char *kind, const char *name, int value)
{
    return hf_asprintf("{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\","
                       "\"resourceVersion\":\"%d\"},\"spec\":{\"value\":%d}}",
                       kind, name, value, value);
}

static void put(struct world *world, const char *kind, const char *name, int value)
{
    char *text = object(kind, name, value);

    (void)hf_simapi_put_text(world->api, text);
    free(text);
}

static void haunt(struct world *world, const char *name, int version)
{
    char *text = object("EdgeUpdate", name, version);

    hf_simmeta_haunt(world->meta, text);
    free(text);
}

static bool holds(const struct seen *seen, const char *name)
{
    return json_object_get(seen->held, name) != NULL;
}

/* A LIST that cannot even start is a loss of contact like another, which the source reports when its caller is back. */
START_TEST(a_list_that_cannot_start)
{
    struct world world;
    struct seen seen = {.upserts = 0}, other = {.upserts = 0};

    world_start(&world, 1);
    put(&world, "EdgeUpdate", "a", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    subscribe(&world, &other, "SyncPolicy", NULL, "", NULL);
    run(&world, 5);
    ck_assert(seen.in_contact && other.in_contact && seen.lost == 0 && other.lost == 0);
    starts_fail = true;
    if (_i == 0)
        seen.sub->source->refresh(seen.sub);
    else
        seen.sub->source->relist(seen.sub);
    ck_assert(seen.lost == 0 && other.lost == 0); /* not inside the call */
    run(&world, 1);
    ck_assert(seen.lost == 1 && other.lost == 1 && seen.why == ENOMEM);
    starts_fail = false;
    run(&world, 60);
    ck_assert(seen.in_contact && other.in_contact);
    hf_source_unsubscribe(seen.sub);
    hf_source_unsubscribe(other.sub);
    json_decref(seen.held);
    json_decref(other.held);
    world_end(&world);
}
END_TEST

/* ---- the rows ----------------------------------------------------------------------------------------------------- */

START_TEST(in_contact)
{
    struct world world;
    struct seen seen = {.upserts = 0}, node = {.upserts = 0};
    world_start(&world, 1);
    put(&world, "EdgeUpdate", "a", 1);
    put(&world, "Node", "n", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    subscribe(&world, &node, "Node", "n", "", NULL);
    run(&world, 5);
    ck_assert(seen.upserts == 1 && seen.synced >= 1 && seen.in_contact);
    ck_assert(node.upserts == 1 && node.synced >= 1 && node.in_contact);
    /* CloudCore serves all nodes one after the other: no more than needed. */
    ck_assert_uint_le(hf_simmeta_counts(world.meta)->lists, 3);
    put(&world, "EdgeUpdate", "b", 2);
    run(&world, 1);
    ck_assert(holds(&seen, "b"));
    (void)hf_simapi_delete(world.api, "EdgeUpdate", "b");
    run(&world, 1);
    ck_assert(seen.gone == 1 && !holds(&seen, "b")); /* DELETED made us ask, the list said it */
    /* Idle: nothing is asked but once an interval, by refresh. */
    unsigned lists = hf_simmeta_counts(world.meta)->lists;
    run(&world, 1000);
    ck_assert_uint_eq(hf_simmeta_counts(world.meta)->lists, lists);
    seen.sub->source->refresh(seen.sub);
    run(&world, 1);
    ck_assert_uint_eq(hf_simmeta_counts(world.meta)->lists, lists + 1);
    json_decref(seen.held);
    json_decref(node.held);
    world_end(&world);
}
END_TEST

START_TEST(deleted_while_away)
{
    struct world world;
    struct seen seen = {.upserts = 0}, policies = {.upserts = 0};
    world_start(&world, 2);
    put(&world, "EdgeUpdate", "a", 1);
    put(&world, "EdgeUpdate", "b", 1);
    put(&world, "SyncPolicy", "p", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    subscribe(&world, &policies, "SyncPolicy", NULL, "", NULL);
    run(&world, 5);
    hf_simmeta_cut(world.meta);
    (void)hf_simapi_delete(world.api, "EdgeUpdate", "b");
    (void)hf_simapi_delete(world.api, "SyncPolicy", "p");
    put(&world, "EdgeUpdate", "c", 1);
    const uint64_t interval = 300;
    uint64_t healed = 0, connected = 0;
    for (uint64_t t = 0; t < 7200; t += interval) { /* the agent's heartbeat */
        seen.sub->source->refresh(seen.sub);
        policies.sub->source->refresh(policies.sub);
        if (t == 3600) {
            hf_simmeta_heal(world.meta, 60 * HF_NS_PER_S);
            healed = hf_simloop_now_ns(world.loop);
            connected = healed + 60 * HF_NS_PER_S;
        }
        run(&world, interval);
        if (healed == 0)
            ck_assert(seen.gone == 0 && policies.gone == 0 && !holds(&seen, "c") && !seen.in_contact);
    }
    ck_assert(seen.gone == 1 && policies.gone == 1 && holds(&seen, "c") && seen.in_contact && policies.in_contact);
    ck_assert(seen.gone_at >= connected && seen.gone_at - connected < 40 * HF_NS_PER_S);
    ck_assert(policies.gone_at >= connected && policies.gone_at - connected < 40 * HF_NS_PER_S);
    ck_assert_uint_eq(hf_simmeta_counts(world.meta)->most_lists_at_once, 1); /* one probe at a time */
    json_decref(seen.held);
    json_decref(policies.held);
    world_end(&world);
}
END_TEST

START_TEST(ghosts_start_nothing)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 3);
    put(&world, "EdgeUpdate", "a", 1);
    haunt(&world, "ghost", 50);    /* older than the list */
    haunt(&world, "young", 99999); /* newer than anything: its version alone would let it pass */
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 60);
    ck_assert(seen.upserts == 1 && holds(&seen, "a"));
    /* Each reopening of the watch replays them. */
    for (int i = 0; i < 5; i++) {
        hf_simclient_break(world.client);
        run(&world, 60);
    }
    ck_assert(seen.upserts == 1 && seen.gone == 0);
    /* A new life that resumes, with and without the cloud. */
    for (int i = 0; i < 2; i++) {
        hf_kube_free(world.kube);
        if (i == 1)
            hf_simmeta_cut(world.meta);
        start_kube(&world, HF_KUBE_METASERVER);
        char resume[HF_RV_TEXT];
        memcpy(resume, seen.mark, sizeof(resume));
        subscribe(&world, &seen, "EdgeUpdate", NULL, resume, (const char *const[]){"a", NULL});
        run(&world, 600);
        ck_assert(!holds(&seen, "ghost") && !holds(&seen, "young") && holds(&seen, "a") && seen.gone == 0);
    }
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

/* What a person is to look at. */
#define FROM_STORE                                                                                                     \
    "the MetaServer answered from its own store: the cloud did not answer; look at the link, CloudCore, or "           \
    "modules.dynamicController.enable (docs/how-to/kubeedge.md)"

START_TEST(an_empty_list_away_removes_nothing)
{
    struct world world;
    struct seen seen = {.held = json_pack("{s:s,s:s}", "a", "1", "b", "1")};
    world_start(&world, 4);
    put(&world, "EdgeUpdate", "a", 1);
    hf_simmeta_cut(world.meta); /* the store knows nothing: 200 with no items */
    subscribe(&world, &seen, "EdgeUpdate", NULL, "40", (const char *const[]){"a", "b", NULL});
    for (int i = 0; i < 10; i++) {
        run(&world, 300);
        seen.sub->source->refresh(seen.sub);
    }
    ck_assert(seen.gone == 0 && seen.upserts == 0 && seen.synced == 0 && !seen.in_contact && seen.proven == 0);
    ck_assert_str_eq(seen.reason, FROM_STORE);
    hf_simmeta_restart(world.meta); /* lists then come at once, still from the store */
    run(&world, 300);
    ck_assert(seen.gone == 0 && seen.upserts == 0 && !seen.in_contact);
    hf_simmeta_heal(world.meta, 50 * HF_NS_PER_S);
    run(&world, 100);
    ck_assert(seen.gone == 1 && seen.upserts == 1 && seen.in_contact); /* b was really gone */
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

START_TEST(the_open_stream_goes_on)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 5);
    put(&world, "EdgeUpdate", "a", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 10);
    hf_simmeta_cut(world.meta);
    seen.sub->source->refresh(seen.sub);
    run(&world, 120);
    ck_assert(!seen.in_contact);
    put(&world, "EdgeUpdate", "a", 2);
    put(&world, "EdgeUpdate", "b", 2);
    unsigned watches = hf_simmeta_counts(world.meta)->watches;
    hf_simmeta_heal(world.meta, HF_NS_PER_S);
    run(&world, 12); /* an event is a sign: no waiting for the end of a backoff */
    ck_assert(seen.in_contact && holds(&seen, "b") && seen.upserts == 3);
    ck_assert_uint_eq(hf_simmeta_counts(world.meta)->watches, watches);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

START_TEST(edgecore_restarts)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 6);
    put(&world, "EdgeUpdate", "a", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 10);
    hf_simmeta_restart(world.meta);
    run(&world, 20);
    ck_assert(!seen.in_contact && seen.gone == 0);
    put(&world, "EdgeUpdate", "b", 1);
    run(&world, 40);
    ck_assert(seen.in_contact && holds(&seen, "b") && seen.gone == 0);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

START_TEST(a_call_that_takes_ten_seconds_delays_nothing)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 7);
    put(&world, "EdgeUpdate", "a", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 10);
    hf_simmeta_cut(world.meta);
    /* Whatever is asked of the source while a probe waits returns at once: no virtual time passes inside any call of it, and
     * the loop is never blocked, so that a timer of a second fires every second. */
    uint64_t before = hf_simloop_now_ns(world.loop);
    seen.sub->source->refresh(seen.sub);
    ck_assert_uint_eq(hf_simloop_now_ns(world.loop), before);
    run(&world, 9);
    ck_assert(seen.in_contact); /* its answer is not there yet */
    run(&world, 2);
    ck_assert(!seen.in_contact);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

START_TEST(unsubscribing_while_a_probe_waits)
{
    struct world world;
    struct seen seen = {.upserts = 0}, other = {.upserts = 0};
    world_start(&world, 13);
    put(&world, "SyncPolicy", "p", 1);
    hf_simmeta_cut(world.meta);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    subscribe(&world, &other, "SyncPolicy", NULL, "", NULL);
    run(&world, 2);
    hf_source_unsubscribe(seen.sub); /* its list is on its way */
    hf_simmeta_heal(world.meta, 0);
    run(&world, 60);
    ck_assert(other.in_contact && other.upserts == 1 && seen.proven == 0);
    hf_source_unsubscribe(other.sub);
    run(&world, 60);
    json_decref(seen.held);
    json_decref(other.held);
    world_end(&world);
}
END_TEST

START_TEST(answers_that_are_no_lists)
{
    static const int statuses[] = {403, 404, 500, 302};
    struct world world;
    struct seen seen = {.held = json_pack("{s:s}", "a", "1")};
    world_start(&world, 14);
    hf_simmeta_refuse(world.meta, statuses[_i], 3);
    put(&world, "EdgeUpdate", "b", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", (const char *const[]){"a", NULL});
    run(&world, 1);
    ck_assert(!seen.in_contact && seen.gone == 0);
    run(&world, 120);
    ck_assert(seen.in_contact && seen.gone == 1 && seen.upserts == 1);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

/* The store keeps what it was last told by a watch; a list passes it by. */
START_TEST(an_old_copy_in_the_store_is_no_news)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 25);
    for (int i = 0; i < 5; i++)
        put(&world, "EdgeUpdate", "a", i);
    haunt(&world, "a", 1);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 10);
    ck_assert_msg(seen.in_contact && seen.upserts >= 1 && seen.refused == 0, "%u upserts, %u refused", seen.upserts,
                  seen.refused);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

/* CloudCore without deploy/kubeedge.yaml: the answers look like those of an empty cluster that is away. */
START_TEST(the_cloud_may_not)
{
    struct world world;
    struct seen seen = {.held = json_pack("{s:s}", "a", "1")}, policies = {.upserts = 0};
    world_start(&world, 21);
    put(&world, "EdgeUpdate", "b", 1);
    put(&world, "SyncPolicy", "p", 1);
    hf_simmeta_forbid(world.meta, "EdgeUpdate", true);
    hf_simmeta_forbid(world.meta, "SyncPolicy", _i == 0);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "40", (const char *const[]){"a", NULL});
    subscribe(&world, &policies, "SyncPolicy", NULL, "", NULL);
    run(&world, 300);
    ck_assert_msg(seen.why == EACCES, "%d: '%s'", seen.why, seen.reason);
    ck_assert_str_eq(
        seen.reason,
        "CloudCore is not allowed to list edgeupdates.edge.codcompass.io, so the MetaServer answers from its "
        "own store: kubectl apply -f crds/ -f deploy/kubeedge.yaml");
    ck_assert(!seen.in_contact && seen.gone == 0 && seen.synced == 0 && seen.proven == 0);
    /* The other is served as if nothing were, and as fast, and the barred one does not keep asking. */
    ck_assert(policies.in_contact == (_i == 1) && policies.upserts == (_i == 1 ? 1 : 0));
    ck_assert(_i == 1 || policies.why == EACCES);
    ck_assert_uint_le(hf_simmeta_counts(world.meta)->reviews, 25);
    unsigned lists = hf_simmeta_counts(world.meta)->lists;
    policies.sub->source->refresh(policies.sub);
    run(&world, 1);
    ck_assert_uint_gt(hf_simmeta_counts(world.meta)->lists, lists);
    /* Away and back: still barred, and said so again. */
    hf_simmeta_cut(world.meta);
    policies.sub->source->refresh(policies.sub);
    run(&world, 60);
    ck_assert(!policies.in_contact && !seen.in_contact);
    hf_simmeta_heal(world.meta, 0);
    run(&world, 60);
    ck_assert(seen.why == EACCES && seen.proven == 0 && policies.in_contact == (_i == 1));
    /* kubectl apply -f deploy/kubeedge.yaml */
    hf_simmeta_forbid(world.meta, "EdgeUpdate", false);
    hf_simmeta_forbid(world.meta, "SyncPolicy", false);
    run(&world, 100);
    ck_assert(seen.in_contact && holds(&seen, "b") && seen.gone == 1 && policies.in_contact && policies.upserts >= 1);
    ck_assert_uint_eq(hf_simmeta_counts(world.meta)->most_lists_at_once, 1);
    json_decref(seen.held);
    json_decref(policies.held);
    world_end(&world);
}
END_TEST

START_TEST(the_kind_is_not_installed)
{
    struct world world;
    struct seen seen = {.upserts = 0}, policies = {.upserts = 0};
    world_start(&world, 22);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    subscribe(&world, &policies, "SyncPolicy", NULL, "", NULL);
    run(&world, 10);
    unsigned proven = seen.proven;
    ck_assert(proven > 0);
    hf_simmeta_unknow(world.meta, "EdgeUpdate", true); /* it was removed */
    seen.sub->source->refresh(seen.sub);
    run(&world, 120);
    ck_assert_msg(seen.why == ENOENT && strstr(seen.reason, "kubectl apply -f crds/") != NULL, "%s", seen.reason);
    ck_assert(policies.in_contact && seen.proven == proven); /* that the other is served says nothing for it */
    hf_simmeta_unknow(world.meta, "EdgeUpdate", false);
    run(&world, 100);
    ck_assert(seen.in_contact);
    json_decref(seen.held);
    json_decref(policies.held);
    world_end(&world);
}
END_TEST

/* Away, and known to be away: the store answers at once too. That is no right that is missing. */
/* The list kind of Node is spelled right by the store too. A kind that the cloud does not serve costs its own subscriber the
 * contact, and no other one. */
START_TEST(a_refused_kind_of_one_word)
{
    struct world world;
    struct seen updates = {.strict = false}, nodes = {.strict = false};
    world_start(&world, 31);
    if (_i == 0)
        hf_simmeta_forbid(world.meta, "Node", true);
    else
        hf_simmeta_unknow(world.meta, "Node", true);
    (void)hf_simapi_put_text(world.api, "{\"kind\":\"Node\",\"metadata\":{\"name\":\"n\"}}");
    subscribe(&world, &updates, "EdgeUpdate", NULL, "", NULL);
    subscribe(&world, &nodes, "Node", "n", "", NULL);
    run(&world, 600);
    ck_assert(updates.in_contact && updates.lost <= 1); /* the first answer of an unknown kind is a puzzle */
    ck_assert(!nodes.in_contact && nodes.why == (_i == 0 ? EACCES : ENOENT));
    ck_assert_uint_le(hf_simmeta_counts(world.meta)->lists, 2 * 600 / 30);
    hf_simmeta_forbid(world.meta, "Node", false);
    hf_simmeta_unknow(world.meta, "Node", false);
    run(&world, 200);
    ck_assert(updates.in_contact && nodes.in_contact);
    json_decref(updates.held);
    json_decref(nodes.held);
    world_end(&world);
}
END_TEST

START_TEST(away_is_not_forbidden)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 23);
    hf_simmeta_cut(world.meta);
    hf_simmeta_restart(world.meta);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 300);
    ck_assert(hf_simmeta_counts(world.meta)->reviews > 0 && !seen.in_contact);
    ck_assert_msg(seen.why != EACCES && seen.why != ENOENT, "%s", seen.reason);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

START_TEST(unsubscribing_while_a_review_waits)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world, 24);
    hf_simmeta_forbid(world.meta, "EdgeUpdate", true);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    hf_simclient_set_link(world.client, &(struct hf_simlink){.delay_min_ns = HF_NS_PER_S, .delay_max_ns = HF_NS_PER_S});
    for (unsigned i = 0; hf_simmeta_counts(world.meta)->reviews == 0 && i < 100; i++)
        (void)hf_simloop_run_for(world.loop, HF_NS_PER_S / 10);
    ck_assert_uint_eq(hf_simmeta_counts(world.meta)->reviews, 1);
    hf_source_unsubscribe(seen.sub);
    run(&world, 60);
    ck_assert(seen.lost == 0 && seen.proven == 0);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

static const struct {
    const char *name;
    int status;
    const char *body;
    enum hf_review want;
} reviews[] = {
    {"no", 201, "{\"kind\":\"SelfSubjectAccessReview\",\"status\":{\"allowed\":false}}", HF_REVIEW_FORBIDDEN},
    {"yes", 201, "{\"kind\":\"SelfSubjectAccessReview\",\"status\":{\"allowed\":true}}", HF_REVIEW_ALLOWED},
    {"yes, 200", 200, "{\"kind\":\"SelfSubjectAccessReview\",\"status\":{\"allowed\":true}}", HF_REVIEW_ALLOWED},
    {"away", 500, "{\"kind\":\"Status\",\"message\":\"failed to access cloud Application center\"}",
     HF_REVIEW_UNANSWERED},
    {"may not even ask", 403, "{\"kind\":\"Status\"}", HF_REVIEW_UNANSWERED},
    {"the question itself", 200, "{\"kind\":\"SelfSubjectAccessReview\",\"spec\":{}}", HF_REVIEW_UNANSWERED},
    {"a word", 201, "{\"kind\":\"SelfSubjectAccessReview\",\"status\":{\"allowed\":\"false\"}}", HF_REVIEW_UNANSWERED},
    {"something else", 200, "{\"kind\":\"EdgeNode\",\"status\":{\"allowed\":false}}", HF_REVIEW_UNANSWERED},
    {"no JSON", 200, "<html>", HF_REVIEW_UNANSWERED},
    {"nothing", 201, "", HF_REVIEW_UNANSWERED},
};

START_TEST(review)
{
    struct hf_view body = {reviews[_i].body, strlen(reviews[_i].body)};

    ck_assert_msg(hf_review_take(reviews[_i].status, body) == reviews[_i].want, "%s", reviews[_i].name);
}
END_TEST

START_TEST(review_of_each_kind)
{
    struct hf_buf text = HF_BUF_INIT(1024);

    ck_assert_int_eq(hf_review_body(hf_resource_find("SyncPolicy"), &text), 0);
    ck_assert_str_eq(hf_buf_str(&text),
                     "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SelfSubjectAccessReview\",\"spec\":"
                     "{\"resourceAttributes\":{\"verb\":\"list\",\"group\":\"edge.codcompass.io\",\"resource\":"
                     "\"syncpolicies\"}}}");
    text.n = 0;
    ck_assert_int_eq(hf_review_body(hf_resource_find("Node"), &text), 0);
    ck_assert_ptr_nonnull(strstr(hf_buf_str(&text), "\"group\":\"\",\"resource\":\"nodes\""));
    hf_buf_done(&text);
}
END_TEST

/* A MetaServer at an address that does not say so: recognised by what it does, before a ghost can start anything. */
START_TEST(recognised)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start_at(&world, 8, "http://192.0.2.7:8080", HF_KUBE_AUTO);
    ck_assert(!hf_kube_is_metaserver(world.kube));
    put(&world, "EdgeUpdate", "a", 1);
    haunt(&world, "ghost", 50);
    if (_i == 1)
        hf_simmeta_cut(world.meta);
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    run(&world, 60);
    ck_assert(hf_kube_is_metaserver(world.kube));
    ck_assert(!holds(&seen, "ghost") && seen.upserts == (_i == 1 ? 0 : 1));
    hf_simmeta_heal(world.meta, 0);
    run(&world, 60);
    ck_assert(seen.in_contact && holds(&seen, "a") && !holds(&seen, "ghost"));
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

/* ---- writes ------------------------------------------------------------------------------------------------------- */

struct answer {
    unsigned n;
    int r;
    uint64_t retry_after_ns;
    int64_t sequence;
};

static void on_done(void *arg, int r, uint64_t retry_after_ns, const json_t *json, const struct hf_err *err)
{
    struct answer *answer = arg;

    ck_assert((r < 0) == (err != NULL));
    answer->n++;
    answer->r = r;
    answer->retry_after_ns = retry_after_ns;
    answer->sequence = hf_json_int_or(json, "status.sequence", -1);
}

static struct hf_delivery *apply(struct world *world, struct answer *answer, const char *text, const char *subresource)
{
    struct hf_delivery *delivery = NULL;
    json_t *body = json_loads(text, 0, NULL);
    unsigned before = answer->n;

    ck_assert_int_eq(world->source->apply(world->source->ctx, body, subresource, on_done, answer, &delivery, NULL), 0);
    ck_assert_uint_eq(answer->n, before); /* never inside the call */
    json_decref(body);
    return delivery;
}

#define NODE "{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"n\"}"

START_TEST(statuses_written_while_away)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    struct answer answer = {.n = 0};
    world_start(&world, 9);
    put(&world, "EdgeNode", "n", 1);
    subscribe(&world, &seen, "EdgeNode", "n", "", NULL);
    run(&world, 5);
    (void)apply(&world, &answer, NODE ",\"status\":{\"sequence\":1}}", "status");
    run(&world, 1);
    ck_assert(answer.n == 1 && answer.r == 0 && answer.sequence == 1);
    hf_simmeta_cut(world.meta);
    /* Not known to be away: 500 after 10 s. Known: refused at once. Neither counts, and nothing is queued. */
    (void)apply(&world, &answer, NODE ",\"status\":{\"sequence\":2}}", "status");
    run(&world, 11);
    ck_assert(answer.n == 2 && answer.r == -EAGAIN);
    run(&world, 20);
    ck_assert(!seen.in_contact);
    unsigned patches = hf_simmeta_counts(world.meta)->patches;
    (void)apply(&world, &answer, NODE ",\"status\":{\"sequence\":3}}", "status");
    run(&world, 1);
    ck_assert(answer.n == 3 && answer.r == -EHOSTUNREACH);
    ck_assert_uint_eq(hf_simmeta_counts(world.meta)->patches, patches);
    hf_simmeta_heal(world.meta, 60 * HF_NS_PER_S);
    run(&world, 120);
    ck_assert(seen.in_contact);
    uint64_t version = hf_simapi_version(world.api);
    (void)apply(&world, &answer, NODE ",\"status\":{\"sequence\":4}}", "status"); /* the outbox's latest, once */
    run(&world, 5);
    ck_assert(answer.n == 4 && answer.r == 0 && answer.sequence == 4);
    ck_assert_uint_eq(hf_simapi_version(world.api), version + 1);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

static void yurthub(void *arg, struct hf_simcall *call)
{
    /* Offline it answers a PATCH with what it has cached. */
    (void)arg;
    hf_simcall_reply(
        call, 200, "application/json",
        "{\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"n\",\"uid\":\"u1\"},\"status\":{\"sequence\":1}}");
}

static const struct {
    const char *name;
    int status;
    unsigned times;
    int want_r;
} writes[] = {
    {"401, then fine", 401, 1, 0}, {"401 for good", 401, 9, -EACCES}, {"403", 403, 9, -EACCES},
    {"404", 404, 9, -ENOENT},      {"409", 409, 9, -EAGAIN},          {"422", 422, 9, -EBADMSG},
    {"400", 400, 9, -EBADMSG},     {"413", 413, 9, -EBADMSG},         {"429", 429, 9, -EAGAIN},
    {"500", 500, 9, -EAGAIN},      {"503", 503, 9, -EAGAIN},          {"302", 302, 9, -EAGAIN},
};

START_TEST(answers_to_writes)
{
    struct world world;
    struct answer answer = {.n = 0};
    world_start_at(&world, 10, "https://cloud:6443", HF_KUBE_APISERVER);
    hf_simapi_fail(world.api, writes[_i].times, writes[_i].status, 7 * HF_NS_PER_S);
    (void)apply(&world, &answer, NODE ",\"spec\":{}}", NULL);
    run(&world, 5);
    ck_assert_msg(answer.n == 1 && answer.r == writes[_i].want_r, "%s: %d", writes[_i].name, answer.r);
    ck_assert(answer.r == 0 || answer.retry_after_ns == 7 * HF_NS_PER_S);
    world_end(&world);
}
END_TEST

START_TEST(writes_to_a_real_server)
{
    struct world world;
    struct answer answer = {.n = 0}, other = {.n = 0};
    world_start_at(&world, 11, "https://cloud:6443", HF_KUBE_AUTO);
    /* Status needs an object. */
    (void)apply(&world, &answer, NODE ",\"status\":{\"sequence\":1}}", "status");
    run(&world, 1);
    ck_assert_int_eq(answer.r, -ENOENT);
    (void)apply(&world, &answer, NODE "}", NULL);
    run(&world, 1);
    (void)apply(&world, &answer, NODE ",\"status\":{\"sequence\":1}}", "status");
    run(&world, 1);
    ck_assert(answer.r == 0 && answer.sequence == 1);
    /* Labels: what is no longer said goes, what others said stays. */
    (void)hf_simapi_put_text(world.api,
                             "{\"kind\":\"Node\",\"metadata\":{\"name\":\"n\",\"labels\":{\"foreign\":\"x\"}}}");
    (void)apply(&world, &answer,
                "{\"kind\":\"Node\",\"metadata\":{\"name\":\"n\",\"labels\":{\"a\":\"1\",\"b\":\"1\"}}}", NULL);
    run(&world, 1);
    (void)apply(&world, &answer, "{\"kind\":\"Node\",\"metadata\":{\"name\":\"n\",\"labels\":{\"b\":\"2\"}}}", NULL);
    run(&world, 1);
    const json_t *labels = hf_json_at(hf_simapi_get(world.api, "Node", "n"), "metadata.labels");
    ck_assert(answer.r == 0 && json_object_size(labels) == 2 && hf_json_str(labels, "foreign") != NULL);
    ck_assert_uint_eq(hf_simapi_counts(world.api)->bare_patches, 0);
    /* Not in reach; abandoned; nonsense; too many. */
    hf_simclient_set_state(world.client, HF_SIM_LINK_DOWN);
    (void)apply(&world, &answer, NODE "}", NULL);
    hf_source_abandon(apply(&world, &other, NODE "}", NULL));
    run(&world, 60);
    ck_assert(answer.r == -EHOSTUNREACH && other.n == 0);
    struct hf_delivery *delivery;
    json_t *body = json_pack("{s:s}", "kind", "Secret");
    ck_assert_int_eq(world.source->apply(world.source->ctx, body, NULL, on_done, &answer, &delivery, NULL), -EINVAL);
    json_decref(body);
    body = json_pack("{s:s,s:{s:s}}", "kind", "Node", "metadata", "name", "n");
    for (int i = 0; i < HF_KUBE_MAX_DELIVERIES; i++)
        ck_assert_int_eq(world.source->apply(world.source->ctx, body, NULL, on_done, &other, &delivery, NULL), 0);
    ck_assert_int_eq(world.source->apply(world.source->ctx, body, NULL, on_done, &other, &delivery, NULL), -EAGAIN);
    json_decref(body);
    world_end(&world); /* with writes on their way */
}
END_TEST

START_TEST(a_2xx_that_shows_nothing_is_no_delivery)
{
    struct world world;
    struct answer answer = {.n = 0};
    world_start_at(&world, 12, "https://cloud:6443", HF_KUBE_AUTO);
    hf_simnet_serve(world.net, "https://cloud", yurthub, NULL);
    (void)apply(&world, &answer, NODE ",\"status\":{\"sequence\":2}}", "status");
    run(&world, 1);
    ck_assert(answer.n == 1 && answer.r == -EAGAIN);
    (void)apply(&world, &answer, NODE ",\"status\":{\"sequence\":1}}", "status");
    run(&world, 1);
    ck_assert(answer.n == 2 && answer.r == 0);
    json_t *body = json_pack("{s:{s:{s:s}}}", "metadata", "labels", "a", "1");
    json_t *shown = json_pack("{s:{s:{s:s,s:s}}}", "metadata", "labels", "a", "1", "b", "2");
    json_t *hidden = json_pack("{s:{s:{s:s}}}", "metadata", "labels", "a", "0");
    ck_assert_int_eq(hf_kube_apply_verify(body, shown, NULL), 0);
    ck_assert_int_eq(hf_kube_apply_verify(body, hidden, NULL), -EAGAIN);
    json_decref(body);
    json_decref(shown);
    json_decref(hidden);
    world_end(&world);
}
END_TEST

/* Cuts, healings, restarts and changes in any order: nothing starts that the cloud does not have, nothing is gone that it has, and
 * in the end the two are the same. */
START_TEST(any_weather)
{
    struct world world;
    struct seen seen = {.strict = true};
    char name[2] = "a";
    world_start(&world, 500 + (uint64_t)_i);
    hf_simclient_set_link(world.client, &(struct hf_simlink){.delay_max_ns = 20 * HF_NS_PER_MS, .chunk_max = 60});
    subscribe(&world, &seen, "EdgeUpdate", NULL, "", NULL);
    for (int step = 0; step < 60; step++) {
        *name = (char)('a' + hf_simloop_below(world.loop, 8));
        switch (hf_simloop_below(world.loop, 8)) {
        case 0:
            (void)hf_simapi_delete(world.api, "EdgeUpdate", name);
            break;
        case 1:
            hf_simmeta_cut(world.meta);
            break;
        case 2:
            hf_simmeta_heal(world.meta, hf_simloop_below(world.loop, 70) * HF_NS_PER_S);
            break;
        case 3:
            hf_simmeta_restart(world.meta);
            break;
        case 4:
            hf_simclient_break(world.client);
            break;
        default:
            put(&world, "EdgeUpdate", name, step);
        }
        run(&world, 1 + hf_simloop_below(world.loop, 60));
        seen.sub->source->refresh(seen.sub);
    }
    hf_simmeta_heal(world.meta, 60 * HF_NS_PER_S);
    run(&world, 150);
    seen.sub->source->refresh(seen.sub);
    run(&world, 60);
    ck_assert(seen.in_contact);
    for (*name = 'a'; *name <= 'h'; ++*name) {
        const json_t *object = hf_simapi_get(world.api, "EdgeUpdate", name);
        const char *held = json_string_value(json_object_get(seen.held, name));
        ck_assert_msg((object != NULL) == (held != NULL), "%s: held %d, exists %d", name, held != NULL, object != NULL);
        ck_assert(object == NULL || strcmp(held, hf_json_str(object, "metadata.resourceVersion")) == 0);
    }
    ck_assert_uint_eq(hf_simmeta_counts(world.meta)->most_lists_at_once, 1);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, in_contact);
    tcase_add_loop_test(tc, a_list_that_cannot_start, 0, 2);
    tcase_add_test(tc, deleted_while_away);
    tcase_add_test(tc, ghosts_start_nothing);
    tcase_add_test(tc, an_empty_list_away_removes_nothing);
    tcase_add_test(tc, the_open_stream_goes_on);
    tcase_add_test(tc, edgecore_restarts);
    tcase_add_test(tc, a_call_that_takes_ten_seconds_delays_nothing);
    tcase_add_test(tc, unsubscribing_while_a_probe_waits);
    tcase_add_loop_test(tc, answers_that_are_no_lists, 0, 4);
    tcase_add_test(tc, an_old_copy_in_the_store_is_no_news);
    tcase_add_loop_test(tc, the_cloud_may_not, 0, 2);
    tcase_add_test(tc, the_kind_is_not_installed);
    tcase_add_loop_test(tc, a_refused_kind_of_one_word, 0, 2);
    tcase_add_test(tc, away_is_not_forbidden);
    tcase_add_test(tc, unsubscribing_while_a_review_waits);
    tcase_add_loop_test(tc, review, 0, (int)HF_LEN(reviews));
    tcase_add_test(tc, review_of_each_kind);
    tcase_add_loop_test(tc, recognised, 0, 2);
    tcase_add_test(tc, statuses_written_while_away);
    tcase_add_loop_test(tc, answers_to_writes, 0, (int)HF_LEN(writes));
    tcase_add_test(tc, writes_to_a_real_server);
    tcase_add_test(tc, a_2xx_that_shows_nothing_is_no_delivery);
    tcase_add_loop_test(tc, any_weather, 0, 30);
}
HF_TEST_MAIN_CPU("kube/meta", cases, 120)
