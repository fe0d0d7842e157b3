/* SPDX-License-Identifier: Apache-2.0 */
/* The uid of its Node in each EdgeNode, on virtual time against a small API server. */
#include "controller/csr/node_binder.h"

#include "support/check_main.h"
#include "support/fakes/simnet.h"

#define S HF_NS_PER_S

enum { NODES = 60 };

static struct {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    struct hf_node_binder *binder;
    json_t *marks; /* of the EdgeNodes, by name; the uid of each is "e-" and its name */
    unsigned patches, flying, most_flying;
    int status; /* of every PATCH; 0: performed */
    bool leads, incomplete, silent;
} w;

static const char *mark(const char *name)
{
    const char *text = json_string_value(json_object_get(w.marks, name));

    return text != NULL ? text : "";
}

static void edgenode_comes(const char *name)
{
    _cleanup_(hf_json_freep) json_t *object =
        json_pack("{s:{s:s, s:o, s:{s:s}}}", "metadata", "name", name, "uid", json_sprintf("e-%s", name), "annotations",
                  HF_NODE_BINDER_ANNOTATION, mark(name));
    hf_node_binder_take_edgenode(w.binder, object);
}

static void node_comes(const char *name, const char *uid)
{
    _cleanup_(hf_json_freep) json_t *object = json_pack("{s:{s:s, s:s}}", "metadata", "name", name, "uid", uid);

    hf_node_binder_take_node(w.binder, object);
}

static void answer(void *arg)
{
    struct hf_simcall *call = arg;
    struct hf_view text = hf_simcall_body(call);
    _cleanup_(hf_json_freep) json_t *body = json_loadb(text.p, text.n, 0, NULL);
    const char *name = hf_json_str_or(body, "metadata.name", ""), *uid = hf_json_str_or(body, "metadata.uid", "");
    char manager[80] = "";

    w.flying--;
    w.patches++;
    ck_assert_str_eq(hf_simcall_method(call), "PATCH");
    ck_assert(strstr(hf_simcall_target(call), "/edgenodes/") != NULL);
    ck_assert(hf_simcall_query(call, "fieldManager", manager, sizeof(manager)));
    ck_assert_str_eq(manager, "holdfast-controller-nodes");
    int status = w.status != 0 ? w.status : strncmp(uid, "e-", 2) != 0 || strcmp(uid + 2, name) != 0 ? 409 : 200;
    if (status == 200)
        ck_assert_int_eq(
            json_object_set(w.marks, name,
                            json_object_get(hf_json_at(body, "metadata.annotations"), HF_NODE_BINDER_ANNOTATION)),
            0);
    hf_simcall_respond(
        call, &(struct hf_http_response){.status = status, .content_length = -1, .content_type = "application/json"});
    hf_simcall_send(call, "{\"kind\":\"Status\"}", strlen("{\"kind\":\"Status\"}"));
    hf_simcall_end(call);
    if (status == 200)
        edgenode_comes(name);
}

static void handle(void *arg, struct hf_simcall *call)
{
    (void)arg;
    w.flying++;
    w.most_flying = HF_MAX(w.most_flying, w.flying);
    if (!w.silent)
        hf_simloop_post(w.loop, S / 2, answer, call);
}

static bool leads(void *arg)
{
    (void)arg;
    return w.leads;
}

static bool is_complete(void *arg)
{
    (void)arg;
    return !w.incomplete;
}

static void start(void)
{
    memset(&w, 0, sizeof(w));
    w.loop = hf_simloop_new(5);
    w.net = hf_simnet_new(w.loop);
    hf_simnet_serve(w.net, "https://api", handle, &w);
    w.config.server = strdup("https://api:6443");
    w.proc = hf_simproc_new(w.loop, "a");
    w.client = hf_simnet_client(w.net, w.proc);
    const struct hf_kube_params params = {.config = &w.config,
                                          .api = HF_KUBE_APISERVER,
                                          .field_manager = "holdfast-controller",
                                          .world = hf_simproc_world(w.proc, NULL),
                                          .http = hf_simclient_ops(w.client),
                                          .fleet = true};
    w.kube = hf_kube_new(&params, NULL);
    w.marks = json_object();
    w.leads = true;
    const struct hf_node_binder_params binder = {
        .env = {.kube = w.kube, .world = hf_simproc_world(w.proc, NULL), .leads = leads}, .is_complete = is_complete};
    w.binder = hf_node_binder_new(&binder);
    ck_assert(w.kube != NULL && w.binder != NULL);
}

static void end(void)
{
    hf_node_binder_free(w.binder);
    hf_kube_free(w.kube);
    ck_assert_uint_eq(hf_simproc_timers(w.proc), 0);
    hf_simclient_free(w.client);
    hf_simproc_free(w.proc);
    hf_simnet_free(w.net);
    hf_simloop_free(w.loop);
    hf_kube_config_done(&w.config);
    json_decref(w.marks);
}

static void run(double seconds)
{
    (void)hf_simloop_run_for(w.loop, (uint64_t)(seconds * (double)S));
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

START_TEST(follows_the_node)
{
    node_comes("n1", "u1");
    run(2);
    ck_assert_uint_eq(w.patches, 0); /* there is no EdgeNode yet, and the controller makes none */
    edgenode_comes("n1");
    run(2);
    ck_assert_str_eq(mark("n1"), "u1");
    edgenode_comes("n1");
    run(60);
    ck_assert_uint_eq(w.patches, 1);
    /* deleted, and registered again */
    hf_node_binder_drop_node(w.binder, "n1");
    run(2);
    ck_assert_str_eq(mark("n1"), HF_NODE_BINDER_NONE);
    node_comes("n1", "u2");
    run(2);
    ck_assert_str_eq(mark("n1"), "u2");
    /* replaced in one step; and somebody changed the annotation */
    node_comes("n1", "u3");
    run(2);
    ck_assert_str_eq(mark("n1"), "u3");
    ck_assert_int_eq(json_object_set_new(w.marks, "n1", json_string("u1")), 0);
    edgenode_comes("n1");
    run(2);
    ck_assert_str_eq(mark("n1"), "u3");
    ck_assert_uint_eq(w.patches, 5);
    /* the EdgeNode goes, and with it what is written there */
    hf_node_binder_drop_edgenode(w.binder, "n1");
    hf_node_binder_drop_node(w.binder, "n1");
    run(60);
    ck_assert_uint_eq(w.patches, 5);
}
END_TEST

/* As long as Nodes may be unknown, none is missing. */
START_TEST(waits_for_all_nodes)
{
    w.incomplete = true;
    edgenode_comes("n1");
    edgenode_comes("n2");
    run(60);
    ck_assert_uint_eq(w.patches, 0);
    node_comes("n1", "u1");
    run(2);
    ck_assert_str_eq(mark("n1"), "u1");
    ck_assert_str_eq(mark("n2"), "");
    w.incomplete = false;
    run(10);
    ck_assert_str_eq(mark("n2"), HF_NODE_BINDER_NONE);
}
END_TEST

START_TEST(only_the_leader_writes)
{
    w.leads = false;
    node_comes("n1", "u1");
    edgenode_comes("n1");
    run(60);
    ck_assert_uint_eq(w.patches, 0);
    w.leads = true;
    hf_node_binder_lead(w.binder);
    run(2);
    ck_assert_str_eq(mark("n1"), "u1");
}
END_TEST

START_TEST(few_at_a_time)
{
    for (int i = 0; i < NODES; i++) {
        char name[20];
        (void)snprintf(name, sizeof(name), "n%d", i);
        node_comes(name, "u1");
        edgenode_comes(name);
    }
    run(0.4);
    ck_assert_uint_eq(w.most_flying, HF_NODE_BINDER_MAX_FLYING);
    run(60);
    ck_assert_uint_eq(json_object_size(w.marks), NODES);
    ck_assert_uint_eq(w.patches, NODES);
    ck_assert_uint_eq(w.most_flying, HF_NODE_BINDER_MAX_FLYING);
}
END_TEST

/* All that are on their way go, as when a pool of nodes is deleted: the others have their turn. */
START_TEST(goes_on_after_those_that_leave)
{
    enum { POOL = HF_NODE_BINDER_MAX_FLYING };

    w.silent = true;
    for (int i = 0; i <= POOL; i++) {
        char name[20];
        (void)snprintf(name, sizeof(name), "n%d", i);
        node_comes(name, "u1");
        edgenode_comes(name);
    }
    run(0.4);
    ck_assert_uint_eq(w.flying, POOL);
    w.silent = false;
    for (int i = 0; i < POOL; i++) {
        char name[20];
        (void)snprintf(name, sizeof(name), "n%d", i);
        hf_node_binder_drop_node(w.binder, name);
        hf_node_binder_drop_edgenode(w.binder, name);
    }
    run(2);
    ck_assert_str_eq(mark("n8"), "u1");
}
END_TEST

static void not_found(void *arg, const struct hf_kube_answer *answer)
{
    (void)arg;
    (void)answer;
}

/* While the client has no room for a request, each turn finds that out for one object, not at once for all. */
START_TEST(a_full_client_takes_turns)
{
    struct hf_kube_pending *others[HF_KUBE_CALL_MAX_IN_FLIGHT];
    const struct hf_kube_call call = {.verb = HF_KUBE_GET, .api_version = "v1", .plural = "nodes", .name = "n0"};
    struct hf_err err = HF_ERR_INIT;

    w.silent = true;
    for (size_t i = 0; i < HF_LEN(others); i++)
        ck_assert_int_eq(hf_kube_call_send(w.kube, &call, not_found, NULL, &others[i], &err), 0);
    for (int i = 0; i < NODES; i++) {
        char name[20];
        (void)snprintf(name, sizeof(name), "n%d", i);
        node_comes(name, "u1");
        edgenode_comes(name);
    }
    run(0.2);
    w.silent = false;
    for (size_t i = 0; i < HF_LEN(others); i++)
        hf_kube_call_cancel(others[i]);
    run(5);
    ck_assert_uint_ge(json_object_size(w.marks), NODES / 2);
    run(10);
    ck_assert_uint_eq(json_object_size(w.marks), NODES);
}
END_TEST

START_TEST(failures)
{
    static const int statuses[] = {403, 409, 500};

    w.status = statuses[_i];
    node_comes("n1", "u1");
    edgenode_comes("n1");
    run(35);
    ck_assert_uint_ge(w.patches, 2);
    ck_assert_uint_le(w.patches, 5);
    w.status = 0;
    run(20);
    ck_assert_str_eq(mark("n1"), "u1");
    /* freed with a request on its way */
    node_comes("n1", "u2");
    run(0.1);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, start, end);
    tcase_add_test(tc, follows_the_node);
    tcase_add_test(tc, waits_for_all_nodes);
    tcase_add_test(tc, only_the_leader_writes);
    tcase_add_test(tc, few_at_a_time);
    tcase_add_test(tc, goes_on_after_those_that_leave);
    tcase_add_test(tc, a_full_client_takes_turns);
    tcase_add_loop_test(tc, failures, 0, 3);
}

HF_TEST_MAIN("controller/node_binder", cases)
