/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that cannot be parsed, in lists and watches: each costs itself and nothing else. */
#include <errno.h>

#include "kube/api/client.h"
#include "kube/rules/envelope.h"
#include "support/check_main.h"
#include "support/fakes/simnet.h"

enum { MAX_TEXT = 4 << 20, DEEP = 10000 };

/* ---- a server whose answers a test writes itself ------------------------------------------------------------------ */

struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    struct hf_subscription *sub;
    struct hf_buf pages[2], stream;
    unsigned lists, watches, refused, synced, gone, again;
    bool in_contact;
    json_t *held, *unreadable; /* name: resourceVersion; name: text of the error */
};

static void on_client_gone(void *arg, struct hf_simcall *call)
{
    (void)arg;
    (void)call;
}

static void serve(void *arg, struct hf_simcall *call)
{
    struct world *world = arg;
    char text[8];

    if (!hf_simcall_is(call, "/apis/edge.codcompass.io/v1alpha1/edgeupdates") ||
        hf_simcall_query(call, "sendInitialEvents", text, sizeof(text))) {
        hf_simcall_reply(call, 400, "application/json", "{}");
        return;
    }
    if (hf_simcall_query(call, "watch", text, sizeof(text))) {
        world->watches++;
        hf_simcall_respond(
            call, &(struct hf_http_response){.status = 200, .content_length = -1, .content_type = "application/json"});
        if (world->stream.n > 0)
            hf_simcall_send(call, world->stream.p, world->stream.n);
        hf_simcall_on_gone(call, on_client_gone, NULL);
        return; /* stays open */
    }
    const struct hf_buf *page = &world->pages[hf_simcall_query(call, "continue", text, sizeof(text))];
    world->lists++;
    hf_simcall_respond(
        call, &(struct hf_http_response){.status = 200, .content_length = -1, .content_type = "application/json"});
    hf_simcall_send(call, page->p, page->n);
    hf_simcall_end(call);
}

static void on_upsert(void *arg, json_t *object)
{
    (void)json_object_set_new(((struct world *)arg)->held, hf_json_str(object, "metadata.name"),
                              json_string(hf_json_str(object, "metadata.resourceVersion")));
}

static void on_gone(void *arg, const char *name)
{
    struct world *world = arg;

    world->gone++;
    ck_assert_msg(json_object_del(world->held, name) == 0, "%s is gone and never came", name);
}

static void on_synced(void *arg, const char *resource_version)
{
    (void)resource_version;
    ((struct world *)arg)->synced++;
}

static void on_contact(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err)
{
    (void)date;
    (void)err;
    ((struct world *)arg)->in_contact = kind == HF_CONTACT_PROVEN;
}

static void on_refused(void *arg, const char *what, const struct hf_err *err)
{
    (void)what;
    (void)err;
    ((struct world *)arg)->refused++;
}

static void on_unreadable(void *arg, const char *name, const struct hf_err *err)
{
    struct world *world = arg;
    char text[600];

    if (err == NULL) {
        ck_assert_msg(json_object_del(world->unreadable, name) == 0, "%s was not unreadable", name);
        return;
    }
    world->again += json_object_get(world->unreadable, name) != NULL;
    (void)json_object_set_new(world->unreadable, name, json_string(hf_err_text(err, text, sizeof(text))));
}

static void world_start(struct world *world)
{
    *world = (struct world){.loop = hf_simloop_new(5),
                            .pages = {HF_BUF_INIT(MAX_TEXT), HF_BUF_INIT(MAX_TEXT)},
                            .stream = HF_BUF_INIT(MAX_TEXT),
                            .held = json_object(),
                            .unreadable = json_object()};
    world->net = hf_simnet_new(world->loop);
    world->proc = hf_simproc_new(world->loop, "node");
    world->client = hf_simnet_client(world->net, world->proc);
    world->config.server = strdup("https://api");
    hf_simnet_serve(world->net, "https://api", serve, world);
}

static void subscribe(struct world *world, const char *const *known)
{
    struct hf_kube_params params = {.config = &world->config,
                                    .api = HF_KUBE_APISERVER,
                                    .field_manager = "m",
                                    .world = hf_simproc_world(world->proc, NULL),
                                    .http = hf_simclient_ops(world->client)};
    struct hf_source_sink sink = {.arg = world,
                                  .upsert = on_upsert,
                                  .gone = on_gone,
                                  .synced = on_synced,
                                  .contact = on_contact,
                                  .refused = on_refused,
                                  .unreadable_object = on_unreadable};

    world->kube = hf_kube_new(&params, NULL);
    ck_assert_ptr_nonnull(world->kube);
    for (size_t i = 0; known != NULL && known[i] != NULL; i++)
        (void)json_object_set_new(world->held, known[i], json_string("1"));
    const struct hf_source_ops *source = hf_kube_source(world->kube);
    ck_assert_int_eq(source->subscribe(source->ctx, "EdgeUpdate", NULL, "", known, &sink, &world->sub, NULL), 0);
    (void)hf_simloop_run_for(world->loop, 20 * HF_NS_PER_S);
}

static void world_end(struct world *world)
{
    hf_kube_free(world->kube);
    hf_simclient_free(world->client);
    hf_simproc_free(world->proc);
    hf_simnet_free(world->net);
    hf_simloop_free(world->loop);
    hf_kube_config_done(&world->config);
    hf_buf_done(&world->pages[0]);
    hf_buf_done(&world->pages[1]);
    hf_buf_done(&world->stream);
    json_decref(world->held);
    json_decref(world->unreadable);
}

/* ---- texts -------------------------------------------------------------------------------------------------------- */

enum bad { GOOD, DEEP_OBJECT, ZERO, NOT_UTF8, TWICE, HALF_PAIR, BAD_BRACKETS, BAD_KINDS };

static void add(struct hf_buf *out, const char *text)
{
    ck_assert_int_eq(hf_buf_add_str(out, text), 0);
}

static void add_value(struct hf_buf *out, enum bad bad)
{
    static const char *const values[BAD_KINDS] = {
        [GOOD] = "{\"]}\":\"\\\"}]\"}", [ZERO] = "\"a\\u0000b\"",    [NOT_UTF8] = "\"\xc3\"",
        [TWICE] = "{\"a\":1,\"a\":2}",  [HALF_PAIR] = "\"\\ud800\"", [BAD_BRACKETS] = "[}"};

    if (bad != DEEP_OBJECT) {
        add(out, values[bad]);
        return;
    }
    for (int i = 0; i < DEEP; i++)
        add(out, i % 2 == 0 ? "{\"a\":" : "[");
    add(out, "1");
    for (int i = DEEP; i-- > 0;)
        add(out, i % 2 == 0 ? "}" : "]");
}

static void add_object(struct hf_buf *out, const char *name, unsigned version, enum bad bad)
{
    add(out, "{\"spec\":{\"release\":");
    add_value(out, bad);
    ck_assert_int_eq(hf_buf_addf(out, "},\"metadata\":{\"name\":\"%s\",\"resourceVersion\":\"%u\"}}", name, version),
                     0);
}

static void begin_page(struct hf_buf *page)
{
    hf_buf_clear(page);
    add(page, "{\"kind\":\"EdgeUpdateList\",\"items\":[");
}

static void end_page(struct hf_buf *page, unsigned version, const char *next)
{
    ck_assert_int_eq(
        hf_buf_addf(page, "],\"metadata\":{\"resourceVersion\":\"%u\",\"continue\":\"%s\"}}\n", version, next), 0);
}

/* A page of `n` objects n0, n1 and so on; those from `first` on, `bads` of them, are bad. */
static void make_page(struct hf_buf *page, size_t n, size_t first, size_t bads, enum bad bad, const char *next)
{
    char name[24];

    begin_page(page);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(name, sizeof(name), "n%zu", i);
        add(page, i > 0 ? ", " : " ");
        add_object(page, name, 5, i >= first && i < first + bads ? bad : GOOD);
    }
    end_page(page, 50, next);
}

/* ---- lists -------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t n, first, bads;
} places[] = {
    {"first", 3, 0, 1},          {"middle", 3, 1, 1},         {"last", 3, 2, 1},           {"all", 3, 0, 3},
    {"alone", 1, 0, 1},          {"first of 500", 500, 0, 1}, {"inside 500", 500, 250, 1}, {"most of 500", 500, 0, 60},
    {"last of 500", 500, 499, 1}};

START_TEST(a_bad_item_costs_itself)
{
    for (size_t i = 0; i < HF_LEN(places); i++) {
        struct world world;
        char bad_name[24];
        if (_i == DEEP_OBJECT && places[i].bads > 3)
            continue;
        world_start(&world);
        make_page(&world.pages[0], places[i].n, places[i].first, places[i].bads, (enum bad)_i, "");
        (void)snprintf(bad_name, sizeof(bad_name), "n%zu", places[i].first);
        subscribe(&world, (const char *const[]){bad_name, "other", NULL});
        ck_assert_msg(world.synced == 1 && world.in_contact && world.lists == 1, "%s: not synced", places[i].name);
        ck_assert_msg(json_object_size(world.unreadable) == places[i].bads, "%s", places[i].name);
        ck_assert_ptr_nonnull(json_object_get(world.unreadable, bad_name));
        ck_assert_str_eq(json_string_value(json_object_get(world.held, bad_name)), "1"); /* the version before stays */
        ck_assert_ptr_null(json_object_get(world.held, "other"));
        ck_assert_uint_eq(json_object_size(world.held), places[i].n - places[i].bads + 1);
        ck_assert(world.gone == 1 && world.refused == 0);
        world_end(&world);
    }
}
END_TEST

/* An item that may be any object: nothing is gone, and the next refresh lists again. */
START_TEST(an_item_without_a_name)
{
    static const char *const items[] = {"7",
                                        "null",
                                        "{}",
                                        "[[",
                                        "{\"metadata\":{\"name\":\"a\\u0000\"}}",
                                        "{\"metadata\":{\"name\":\"\"},\"a\":\"\\u0000\"}",
                                        "{\"metadata\":{\"name\":\"a\",\"name\":\"b\"}}",
                                        "{\"metadata\":{\"name\":\"a\"},\"metadata\":{\"name\":\"b\"}}"};
    struct world world;

    world_start(&world);
    begin_page(&world.pages[0]);
    add_object(&world.pages[0], "good", 5, GOOD);
    add(&world.pages[0], ",");
    add(&world.pages[0], items[_i]);
    if (_i == 3)
        add(&world.pages[0], "]]");
    end_page(&world.pages[0], 50, "");
    subscribe(&world, (const char *const[]){"held", NULL});
    ck_assert(world.synced == 1 && world.in_contact && world.gone == 0);
    ck_assert_uint_eq(json_object_size(world.held), 2);
    ck_assert_ptr_nonnull(json_object_get(world.unreadable, "item 2 of page 1"));
    begin_page(&world.pages[0]);
    add_object(&world.pages[0], "good", 5, GOOD);
    end_page(&world.pages[0], 51, "");
    world.sub->source->refresh(world.sub);
    (void)hf_simloop_run_for(world.loop, 20 * HF_NS_PER_S);
    ck_assert(world.lists == 2 && world.gone == 1 && json_object_size(world.unreadable) == 0);
    world_end(&world);
}
END_TEST

START_TEST(pages_go_on_behind_bad_items)
{
    struct world world;

    world_start(&world);
    make_page(&world.pages[0], 3, 0, 3, DEEP_OBJECT, "2");
    begin_page(&world.pages[1]);
    add_object(&world.pages[1], "later", 6, GOOD);
    end_page(&world.pages[1], 50, "");
    subscribe(&world, (const char *const[]){"n1", NULL});
    ck_assert(world.synced == 1 && world.lists == 2 && world.gone == 0);
    ck_assert(json_object_size(world.held) == 2 && json_object_size(world.unreadable) == 3);
    world_end(&world);
}
END_TEST

static const char *const broken_pages[] = {
    "",
    "[]",
    "{",
    "{\"kind\":\"EdgeUpdateList\",\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[}}",
    "{\"kind\":\"EdgeUpdateList\",\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[{} {}]}",
    "{\"kind\":\"EdgeUpdateList\",\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[{},]}",
    "{\"kind\":\"EdgeUpdateList\",\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[],\"items\":[]}",
    "{\"kind\":\"EdgeUpdateList\",\"metadata\":{\"resourceVersion\":\"5\"},\"items\":{}}",
    "{\"kind\":\"EdgeUpdateList\",\"metadata\":{\"resourceVersion\":\"5\",\"x\":\"\\u0000\"},\"items\":[]}",
    "{\"kind\":\"EdgeUpdateList\",\"kind\":\"EdgeUpdateList\",\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[]}",
    "{\"kind\":\"EdgeUpdateList\",\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[]} 7",
};

/* Parts of the list itself: the whole page is refused, and nothing of it is reported. */
START_TEST(a_broken_page_is_refused_whole)
{
    struct world world;

    world_start(&world);
    add(&world.pages[0], broken_pages[_i]);
    subscribe(&world, (const char *const[]){"held", NULL});
    ck_assert(world.synced == 0 && world.gone == 0 && world.refused > 0 && json_object_size(world.held) == 1);
    world_end(&world);
}
END_TEST

START_TEST(a_truncated_page_is_refused_whole)
{
    struct hf_buf page = HF_BUF_INIT(MAX_TEXT);
    struct hf_view items;
    json_t *rest;

    make_page(&page, 4, 1, 1, ZERO, "next");
    for (size_t n = 0; n < page.n - 2; n++) /* the last bytes are the closing bracket and a line end */
        ck_assert_int_lt(hf_envelope_list((struct hf_view){page.p, n}, &rest, &items, NULL), 0);
    ck_assert_int_eq(hf_envelope_list(hf_buf_view(&page), &rest, &items, NULL), 0);
    json_decref(rest);
    hf_buf_done(&page);
}
END_TEST

/* ---- watches ------------------------------------------------------------------------------------------------------ */

static void add_event(struct hf_buf *out, const char *type, const char *name, unsigned version, enum bad bad)
{
    ck_assert_int_eq(hf_buf_addf(out, "{\"type\":\"%s\",\"object\":", type), 0);
    add_object(out, name, version, bad);
    add(out, "}\n");
}

/* More bad events in a row than unusable lines end a stream. */
START_TEST(bad_events_do_not_end_the_watch)
{
    struct world world;
    char name[24];

    world_start(&world);
    make_page(&world.pages[0], 2, 0, 0, GOOD, "");
    for (unsigned i = 0; i < 50; i++) {
        (void)snprintf(name, sizeof(name), "n%u", i % 25);
        add_event(&world.stream, i < 2 ? "MODIFIED" : "ADDED", name, 51 + i,
                  _i == DEEP_OBJECT && i > 0 ? ZERO : (enum bad)_i);
    }
    add_event(&world.stream, "MODIFIED", "n0", 200, GOOD);
    add_event(&world.stream, "DELETED", "n1", 201, (enum bad)_i); /* was good once */
    add_event(&world.stream, "DELETED", "n2", 202, (enum bad)_i); /* was never good */
    add_event(&world.stream, "ADDED", "last", 203, GOOD);
    subscribe(&world, NULL);
    ck_assert_msg(world.synced == 1 && world.watches == 1 && world.lists == 1 && world.in_contact, "%u watches",
                  world.watches);
    ck_assert(world.gone == 1 && world.refused == 0 && json_object_size(world.held) == 2);
    ck_assert_str_eq(json_string_value(json_object_get(world.held, "n0")), "200");
    ck_assert_uint_eq(json_object_size(world.unreadable), 22); /* n3 to n24 */
    ck_assert_uint_eq(world.again, 25);                        /* each second version is news */
    world_end(&world);
}
END_TEST

/* A relist reports neither the same bad version again, nor forgets one that is still there. */
START_TEST(a_bad_version_is_reported_once)
{
    struct world world;

    world_start(&world);
    make_page(&world.pages[0], 3, 1, 2, ZERO, "");
    subscribe(&world, NULL);
    ck_assert(json_object_size(world.unreadable) == 2 && world.again == 0);
    world.sub->source->relist(world.sub);
    (void)hf_simloop_run_for(world.loop, 60 * HF_NS_PER_S);
    ck_assert(world.lists == 2 && json_object_size(world.unreadable) == 2 && world.again == 0);
    make_page(&world.pages[0], 2, 0, 0, GOOD, ""); /* n1 is good in the same version; n2 is deleted */
    world.sub->source->relist(world.sub);
    (void)hf_simloop_run_for(world.loop, 60 * HF_NS_PER_S);
    ck_assert(world.lists == 3 && json_object_size(world.unreadable) == 0 && world.gone == 0);
    ck_assert_uint_eq(json_object_size(world.held), 2);
    world_end(&world);
}
END_TEST

/* ---- identities --------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text, *name, *version; /* name NULL: unusable */
} objects[] = {
    {"{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"5\"}}", "a", "5"},
    {" { \"x\" : [ { ] } , \"metadata\" : { \"labels\":{\"name\":\"b\"}, \"name\" : \"a\" } } ", "a", ""},
    {" { \"x\" : [ {} ] , \"metadata\" : { \"labels\":{\"name\":\"b\"}, \"name\" : \"a\" } } ", "a", ""},
    {"{\"meta\\u0064ata\":{\"n\\u0061me\":\"\\u0061\"}}", "a", ""},
    {"{\"metadata\":{\"name\":\"a\",\"resourceVersion\":5}}", NULL, NULL},
    {"{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"\\u0000\"}}", NULL, NULL},
    {"{\"metadata\":{\"name\":\"\xff\"}}", NULL, NULL},
    {"{\"metadata\":[]}", NULL, NULL},
    {"{\"metadata\":{}", NULL, NULL},
    {"{\"metadata\":{},}", NULL, NULL},
    {"{\"metadata\" {}}", NULL, NULL},
    {"{\"metadata\":}", NULL, NULL},
    {"{\"metadata", NULL, NULL},
    {"\"\\", NULL, NULL},
    {"", NULL, NULL},
};

START_TEST(identities)
{
    struct hf_envelope_identity identity;
    int r = hf_envelope_identify(hf_view_of(objects[_i].text), &identity);

    ck_assert_msg((r == 0) == (objects[_i].name != NULL), "%s: %d", objects[_i].text, r);
    if (r == 0) {
        ck_assert_str_eq(identity.name, objects[_i].name);
        ck_assert_str_eq(identity.version, objects[_i].version);
    }
}
END_TEST

START_TEST(long_names)
{
    struct hf_buf text = HF_BUF_INIT(MAX_TEXT);
    struct hf_envelope_identity identity;
    char name[HF_ENVELOPE_MAX_NAME + 2];

    for (size_t n = HF_ENVELOPE_MAX_NAME; n < sizeof(name); n++) {
        memset(name, 'a', n);
        name[n] = '\0';
        hf_buf_clear(&text);
        add_object(&text, name, 5, ZERO);
        ck_assert_int_eq(hf_envelope_identify(hf_buf_view(&text), &identity), n <= HF_ENVELOPE_MAX_NAME ? 0 : -EBADMSG);
    }
    hf_buf_done(&text);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, a_bad_item_costs_itself, GOOD + 1, BAD_KINDS);
    tcase_add_loop_test(tc, an_item_without_a_name, 0, 8);
    tcase_add_test(tc, pages_go_on_behind_bad_items);
    tcase_add_loop_test(tc, a_broken_page_is_refused_whole, 0, (int)HF_LEN(broken_pages));
    tcase_add_test(tc, a_truncated_page_is_refused_whole);
    tcase_add_loop_test(tc, bad_events_do_not_end_the_watch, GOOD + 1, BAD_KINDS);
    tcase_add_test(tc, a_bad_version_is_reported_once);
    tcase_add_loop_test(tc, identities, 0, (int)HF_LEN(objects));
    tcase_add_test(tc, long_names);
}
HF_TEST_MAIN("kube/unreadable", cases)
