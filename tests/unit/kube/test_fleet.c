/* SPDX-License-Identifier: Apache-2.0 */
/* A client that follows a whole fleet (hf_kube_params.fleet): more objects than a node ever has, in large pages, and
 * Nodes without what nobody reads. The server here answers by rule, so that tens of thousands of objects cost little.
 */
#include <errno.h>

#include "base/parse.h"
#include "kube/kube.h"
#include "kube/rules/ledger.h"
#include "support/check_main.h"
#include "support/fakes/simnet.h"

enum { MANY = HF_LEDGER_MAX_OBJECTS + 5000 };

struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    unsigned objects, lists, fills, watches, plain_accepts, cached_lists;
    char first_list[200], accept[120];
    bool watchlist, large; /* large: each object has 40 KiB */
};

struct seen {
    unsigned upserts, synced, refused, wrong;
    const char *kind, *api_version;
    bool in_contact;
};

/* ---- the server -------------------------------------------------------------------------------------------------- */

static void add_object(const struct world *world, bool metadata, unsigned i, struct hf_buf *out)
{
    static char note[40 << 10];

    if (world->large && *note == '\0')
        memset(note, 'x', sizeof(note) - 1);
    const char *kind = metadata ? "PartialObjectMetadata" : "EdgeNode";
    const char *version = metadata ? "meta.k8s.io/v1" : "edge.codcompass.io/v1alpha1";
    ck_assert_int_eq(hf_buf_addf(out,
                                 "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":{\"name\":\"n%06u\","
                                 "\"resourceVersion\":\"%u\",\"annotations\":{\"note\":\"%s\"}}}",
                                 kind, version, i, i + 1, world->large ? note : ""),
                     0);
}

static uint64_t number(const struct hf_simcall *call, const char *key, uint64_t fallback)
{
    char text[32];
    uint64_t n = fallback;

    if (hf_simcall_query(call, key, text, sizeof(text)))
        ck_assert_int_eq(hf_parse_u64(text, 0, UINT64_MAX, &n), 0);
    return n;
}

static void serve_list(struct world *world, struct hf_simcall *call, bool metadata)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(256 << 20);
    uint64_t at = number(call, "continue", 0), end = at + number(call, "limit", UINT32_MAX);
    char next[32] = "";

    if (world->lists++ == 0)
        (void)snprintf(world->first_list, sizeof(world->first_list), "%s", hf_simcall_target(call));
    world->cached_lists += number(call, "resourceVersion", 1) == 0;
    if (number(call, "resourceVersion", 1) == 0) /* the watch cache ignores the limit */
        end = world->objects;
    ck_assert_int_eq(hf_buf_add_str(&out, "{\"items\":["), 0);
    for (; at < end && at < world->objects; at++) {
        add_object(world, metadata, (unsigned)at, &out);
        ck_assert_int_eq(at + 1 < end && at + 1 < world->objects ? hf_buf_add_str(&out, ",") : 0, 0);
    }
    if (at < world->objects)
        (void)snprintf(next, sizeof(next), "%ju", (uintmax_t)at);
    ck_assert_int_eq(hf_buf_addf(&out,
                                 "],\"kind\":\"%s\",\"apiVersion\":\"v1\",\"metadata\":{\"continue\":\"%s\","
                                 "\"resourceVersion\":\"%u\"}}",
                                 metadata ? "PartialObjectMetadataList" : "EdgeNodeList", next, world->objects + 1),
                     0);
    hf_simcall_reply(call, 200, "application/json", hf_buf_str(&out));
}

static void serve_fill(struct world *world, struct hf_simcall *call, bool metadata)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(256 << 20);

    world->fills++;
    if (!world->watchlist) {
        hf_simcall_reply(call, 422, "application/json", "{\"kind\":\"Status\",\"code\":422}");
        return;
    }
    hf_simcall_respond(
        call, &(struct hf_http_response){.status = 200, .content_length = -1, .content_type = "application/json"});
    for (unsigned i = 0; i < world->objects; i++) {
        ck_assert_int_eq(hf_buf_add_str(&out, "{\"type\":\"ADDED\",\"object\":"), 0);
        add_object(world, metadata, i, &out);
        ck_assert_int_eq(hf_buf_add_str(&out, "}\n"), 0);
    }
    ck_assert_int_eq(
        hf_buf_addf(&out,
                    "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"X\",\"metadata\":{\"resourceVersion\":\"%u\","
                    "\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n",
                    world->objects + 1),
        0);
    hf_simcall_send(call, out.p, out.n);
}

static void handle(void *arg, struct hf_simcall *call)
{
    struct world *world = arg;
    const char *accept = hf_simcall_header(call, "Accept");
    char yes[8];

    if (accept == NULL) { /* the ping of a silent connection */
        hf_simcall_reply(call, 200, "application/json", "{}");
        return;
    }
    bool metadata = strstr(accept, "as=PartialObjectMetadata") != NULL;
    (void)snprintf(world->accept, sizeof(world->accept), "%s", accept);
    world->plain_accepts += !metadata;
    if (!hf_simcall_query(call, "watch", yes, sizeof(yes))) {
        serve_list(world, call, metadata);
    } else if (hf_simcall_query(call, "sendInitialEvents", yes, sizeof(yes))) {
        serve_fill(world, call, metadata);
    } else {
        world->watches++;
        hf_simcall_respond(
            call, &(struct hf_http_response){.status = 200, .content_length = -1, .content_type = "application/json"});
    }
}

/* ---- the subscriber ---------------------------------------------------------------------------------------------- */

static void seen_upsert(void *arg, json_t *object)
{
    struct seen *seen = arg;

    seen->upserts++;
    seen->wrong += strcmp(hf_json_str_or(object, "kind", ""), seen->kind) != 0 ||
                   strcmp(hf_json_str_or(object, "apiVersion", ""), seen->api_version) != 0;
}

static void seen_synced(void *arg, const char *resource_version)
{
    (void)resource_version;
    ((struct seen *)arg)->synced++;
}

static void seen_contact(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err)
{
    (void)date;
    (void)err;
    ((struct seen *)arg)->in_contact = kind == HF_CONTACT_PROVEN;
}

static void seen_refused(void *arg, const char *what, const struct hf_err *err)
{
    (void)what;
    (void)err;
    ((struct seen *)arg)->refused++;
}

static void world_start(struct world *world, bool fleet, bool watchlist, unsigned objects)
{
    *world = (struct world){.loop = hf_simloop_new(3), .watchlist = watchlist, .objects = objects};
    world->net = hf_simnet_new(world->loop);
    hf_simnet_serve(world->net, "https://api", handle, world);
    world->proc = hf_simproc_new(world->loop, "controller");
    world->client = hf_simnet_client(world->net, world->proc);
    world->config.server = strdup("https://api:6443");
    struct hf_kube_params params = {
        .config = &world->config,
        .api = HF_KUBE_APISERVER,
        .field_manager = "holdfast-controller",
        .world = hf_simproc_world(world->proc, NULL),
        .http = hf_simclient_ops(world->client),
        .fleet = fleet,
    };
    world->kube = hf_kube_new(&params, NULL);
    ck_assert_ptr_nonnull(world->kube);
}

static void world_end(struct world *world)
{
    hf_kube_free(world->kube);
    hf_simclient_free(world->client);
    hf_simproc_free(world->proc);
    hf_simnet_free(world->net);
    hf_simloop_free(world->loop);
    hf_kube_config_done(&world->config);
}

static void follow(struct world *world, const char *kind, struct seen *seen)
{
    const struct hf_source_ops *source = hf_kube_source(world->kube);
    struct hf_source_sink sink = {
        .arg = seen, .upsert = seen_upsert, .synced = seen_synced, .contact = seen_contact, .refused = seen_refused};
    struct hf_subscription *sub;

    seen->kind = kind;
    seen->api_version = strcmp(kind, "EdgeNode") == 0 ? "edge.codcompass.io/v1alpha1" : "v1";
    ck_assert_int_eq(source->subscribe(source->ctx, kind, NULL, "", NULL, &sink, &sub, NULL), 0);
    (void)hf_simloop_run_for(world->loop, 90 * HF_NS_PER_S);
}

/* ---- the tests --------------------------------------------------------------------------------------------------- */

/* {fleet, the server does WatchList}: how many of the objects fit. */
static const struct {
    bool fleet, watchlist;
} ways[] = {{true, true}, {true, false}, {false, true}};

START_TEST(room_for_a_fleet)
{
    struct world world;
    struct seen seen = {.upserts = 0};

    world_start(&world, ways[_i].fleet, ways[_i].watchlist, MANY);
    follow(&world, "EdgeNode", &seen);
    ck_assert_uint_eq(seen.wrong, 0);
    ck_assert_uint_eq(seen.upserts, ways[_i].fleet ? MANY : HF_LEDGER_MAX_OBJECTS);
    ck_assert_uint_eq(seen.refused > 0, !ways[_i].fleet);
    ck_assert(seen.synced >= 1 && seen.in_contact);
    world_end(&world);
}
END_TEST

/* Without WatchList a fleet comes in pages of 500 from the store, never in one body from the watch cache. */
START_TEST(lists_in_large_pages)
{
    struct world world;
    struct seen seen = {.upserts = 0};

    world_start(&world, true, false, 10000);
    follow(&world, "EdgeNode", &seen);
    ck_assert_uint_eq(seen.upserts, 10000);
    ck_assert_uint_eq(world.lists, 20);
    ck_assert_uint_eq(world.cached_lists, 0);
    ck_assert_str_eq(world.first_list, "/apis/edge.codcompass.io/v1alpha1/edgenodes?limit=500");
    world_end(&world);
}
END_TEST

/* A page of 500 of them passes the limit of an answer: smaller pages hold them. */
START_TEST(large_objects_come_in_smaller_pages)
{
    struct world world;
    struct seen seen = {.upserts = 0};

    world_start(&world, true, false, 1200);
    world.large = true;
    follow(&world, "EdgeNode", &seen);
    ck_assert(seen.upserts == 1200 && seen.synced == 1 && seen.in_contact);
    ck_assert_uint_eq(world.lists, 13); /* one that was too large, and 12 of 100 */
    world_end(&world);
}
END_TEST

/* Nodes come as metadata, and subscribers see Nodes nevertheless. An agent gets its Node whole. */
START_TEST(nodes_without_their_status)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    bool fleet = _i < 2, watchlist = _i == 0;

    world_start(&world, fleet, watchlist, 10);
    if (!fleet) { /* only the question counts here */
        follow(&world, "Node", &seen);
        ck_assert_uint_gt(world.plain_accepts, 0);
        ck_assert_str_eq(world.accept, "application/json");
        world_end(&world);
        return;
    }
    follow(&world, "Node", &seen);
    ck_assert(seen.upserts == 10 && seen.wrong == 0 && seen.synced == 1 && seen.in_contact && seen.refused == 0);
    ck_assert_uint_eq(world.plain_accepts, 0);
    ck_assert_uint_eq(world.watches, watchlist ? 0 : 1);
    ck_assert_str_eq(world.accept, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
    world_end(&world);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, room_for_a_fleet, 0, (int)HF_LEN(ways));
    tcase_add_test(tc, lists_in_large_pages);
    tcase_add_test(tc, large_objects_come_in_smaller_pages);
    tcase_add_loop_test(tc, nodes_without_their_status, 0, 3);
}
HF_TEST_MAIN_CPU("kube/fleet", cases, 120)
