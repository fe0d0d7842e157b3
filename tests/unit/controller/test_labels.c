/* SPDX-License-Identifier: Apache-2.0 */
/* Labels that the controller writes to Nodes: the rule row by row, and the writer on virtual time against a small API
 * server that knows field managers. */
#include <errno.h>

#include "controller/labels/label_rule.h"
#include "controller/labels/label_writer.h"
#include "support/check_main.h"
#include "support/fakes/simnet.h"
#include "web/metrics.h"

#define S HF_NS_PER_S
#define P "edge.codcompass.io/"

enum { NODES = 60 };

static json_t *yaml(const char *text)
{
    json_t *json = NULL;

    ck_assert_int_eq(hf_yaml_parse(hf_view_of(text), NULL, &json, NULL), 0);
    return json;
}

/* ---- the rule ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *status, *want; /* YAML in flow style */
    int r;
    unsigned refused;
} reports[] = {
    {"{}", "{}", 0, 0},
    {"{labels: {}}", "{}", 0, 0},
    {"{labels: {" P "class: small, " P "empty: ''}}", "{" P "class: small, " P "empty: ''}", 0, 0},
    {"{labels: {kubernetes.io/hostname: other}}", "{}", 0, 1},
    {"{labels: {node-role.kubernetes.io/control-plane: '', " P "a: b}}", "{" P "a: b}", 0, 1},
    {"{labels: {" P "a: 5, " P "b: {c: d}}}", "{}", 0, 2},
    {"{labels: {" P "a: 'two words', " P "b: -x, '" P "x/y': z, '" P "': z}}", "{}", 0, 4},
    {"{labels: {edge.codcompass.ioo/a: b, x." P "a: b}}", "{}", 0, 2},
    {"{labels: [a]}", "{}", 0, 0},
    {"5", NULL, -ENODATA, 0},
    {"null", NULL, -ENODATA, 0},
};

START_TEST(what_a_report_wants)
{
    for (size_t i = 0; i < HF_LEN(reports); i++) {
        char text[600];
        unsigned refused = 0;
        _cleanup_(hf_json_freep) json_t *labels = NULL;
        (void)snprintf(text, sizeof(text), "{metadata: {name: n1}, status: %s}", reports[i].status);
        _cleanup_(hf_json_freep) json_t *edgenode = yaml(text);
        int r = hf_label_rule_wanted(edgenode, &labels, &refused);
        ck_assert_msg(r == reports[i].r && refused == reports[i].refused, "%s: %d, %u", reports[i].status, r, refused);
        if (r < 0)
            continue;
        _cleanup_(hf_json_freep) json_t *want = yaml(reports[i].want);
        ck_assert_msg(json_equal(labels, want), "%s", reports[i].status);
    }
    _cleanup_(hf_json_freep) json_t *none = yaml("{metadata: {name: n1}}");
    json_t *labels = NULL;
    ck_assert_int_eq(hf_label_rule_wanted(none, &labels, NULL), -ENODATA);
}
END_TEST

START_TEST(at_most_so_many)
{
    _cleanup_(hf_json_freep) json_t *edgenode = json_pack("{s:{s:{}}}", "status", "labels");
    _cleanup_(hf_json_freep) json_t *labels = NULL;
    json_t *reported = hf_json_mutable(hf_json_at(edgenode, "status.labels"));

    for (int i = 0; i < HF_LABEL_RULE_MAX + 1; i++) {
        char key[40];
        (void)snprintf(key, sizeof(key), P "l%d", i);
        ck_assert_int_eq(json_object_set_new(reported, key, json_string("x")), 0);
        if (i + 1 == HF_LABEL_RULE_MAX) {
            ck_assert_int_eq(hf_label_rule_wanted(edgenode, &labels, NULL), 0);
            ck_assert_uint_eq(json_object_size(labels), HF_LABEL_RULE_MAX);
        }
    }
    json_decref(labels);
    labels = NULL;
    ck_assert_int_eq(hf_label_rule_wanted(edgenode, &labels, NULL), -ENODATA);
}
END_TEST

#define OWNED(labels)                                                                                                  \
    "{metadata: {managedFields: [{manager: holdfast-controller-labels, operation: Apply, fieldsV1: {'f:metadata': "    \
    "{'f:labels': " labels "}}}, {manager: kubectl, operation: Update, fieldsV1: {'f:metadata': {'f:labels': {'f:" P   \
    "k': {}}}}}], labels: "

static const struct {
    const char *node, *labels;
    bool same;
} owned[] = {
    {"{metadata: {labels: {" P "a: b}}}", "{}", true}, /* another's label */
    {"{metadata: {labels: {" P "a: b}}}", "{" P "a: b}", false},
    {OWNED("{'f:" P "a': {}, 'f:" P "c': {}}") "{" P "a: b, " P "c: d, " P "k: l}}}", "{" P "c: d, " P "a: b}", true},
    {OWNED("{'f:" P "a': {}}") "{" P "a: changed}}}", "{" P "a: b}", false},
    {OWNED("{'f:" P "a': {}, 'f:" P "c': {}}") "{" P "a: b, " P "c: d}}}", "{" P "a: b}", false},
    {OWNED("{'f:" P "a': {}}") "{" P "a: b}}}", "{" P "a: b, " P "c: d}", false},
    {OWNED("{'f:" P "a': {}}") "{}}}", "{" P "a: b}", false},
    {OWNED("{}") "{}}}", "{}", true},
};

START_TEST(what_a_node_has)
{
    for (size_t i = 0; i < HF_LEN(owned); i++) {
        _cleanup_(hf_json_freep) json_t *node = yaml(owned[i].node), *labels = yaml(owned[i].labels);
        bool same = hf_label_rule_owned(node) == hf_label_rule_sum(labels);
        ck_assert_msg(same == owned[i].same, "row %zu", i);
    }
}
END_TEST

/* ---- the server -------------------------------------------------------------------------------------------------- */

static struct {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    struct hf_metrics *metrics;
    struct hf_label_writer *writer;
    json_t *nodes, *edgenodes; /* by name */
    unsigned reads, patches, releases, flying, most_flying;
    int status; /* of every PATCH; 0: performed */
    bool leads, slow;
} w;

static void reply(struct hf_simcall *call, int status, const json_t *object)
{
    char *text = object != NULL ? json_dumps(object, 0) : strdup("{\"kind\":\"Status\"}");

    hf_simcall_respond(
        call, &(struct hf_http_response){.status = status, .content_length = -1, .content_type = "application/json"});
    hf_simcall_send(call, text, strlen(text));
    hf_simcall_end(call);
    free(text);
}

static json_t *fields_of(const json_t *item)
{
    return json_object_get(hf_json_mutable(hf_json_at(item, "fieldsV1.f:metadata")), "f:labels");
}

static json_t *item_of(json_t *meta, const char *manager)
{
    json_t *managed = json_object_get(meta, "managedFields");

    if (managed == NULL) {
        managed = json_array();
        ck_assert_int_eq(json_object_set_new(meta, "managedFields", managed), 0);
    }
    for (size_t i = 0; i < json_array_size(managed); i++)
        if (strcmp(hf_json_str_or(json_array_get(managed, i), "manager", ""), manager) == 0)
            return json_array_get(managed, i);
    json_t *item = json_pack("{s:s, s:s, s:{s:{s:{}}}}", "manager", manager, "operation", "Apply", "fieldsV1",
                             "f:metadata", "f:labels");
    ck_assert_int_eq(json_array_append_new(managed, item), 0);
    return item;
}

static bool has_owner(const json_t *meta, const char *field)
{
    const json_t *managed = json_object_get(meta, "managedFields");

    for (size_t i = 0; i < json_array_size(managed); i++)
        if (json_object_get(fields_of(json_array_get(managed, i)), field) != NULL)
            return true;
    return false;
}

/* A forced server-side apply: what the manager alone owned and does not send goes, and others lose what it changes. */
static int apply(json_t *node, const char *manager, const json_t *body)
{
    json_t *meta = json_object_get(node, "metadata"), *labels = json_object_get(meta, "labels");
    json_t *item = item_of(meta, manager), *sent = hf_json_mutable(hf_json_at(body, "metadata.labels"));
    _cleanup_(hf_json_freep) json_t *old = json_copy(fields_of(item));
    json_t *value;
    const char *key;

    if (strcmp(hf_json_str_or(body, "metadata.uid", ""), hf_json_str_or(node, "metadata.uid", "-")) != 0)
        return 409;
    (void)json_object_clear(fields_of(item));
    json_object_foreach(sent, key, value) {
        char field[200];
        (void)snprintf(field, sizeof(field), "f:%s", key);
        json_t *managed = json_object_get(meta, "managedFields");
        for (size_t i = 0; !json_equal(json_object_get(labels, key), value) && i < json_array_size(managed); i++)
            (void)json_object_del(fields_of(json_array_get(managed, i)), field);
        ck_assert_int_eq(json_object_set_new(fields_of(item), field, json_object()), 0);
        ck_assert_int_eq(json_object_set(labels, key, value), 0);
    }
    json_object_foreach(old, key, value)
        if (!has_owner(meta, key))
            (void)json_object_del(labels, key + 2);
    return 200;
}

static void answer(void *arg)
{
    struct hf_simcall *call = arg;
    const char *target = hf_simcall_target(call), *slash = strrchr(target, '/');
    char name[40], manager[80] = "";
    bool is_node = strstr(target, "/api/v1/nodes/") != NULL;

    w.flying--;
    (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(slash + 1, "?"), slash + 1);
    json_t *object = json_object_get(is_node ? w.nodes : w.edgenodes, name);
    if (strcmp(hf_simcall_method(call), "GET") == 0) {
        w.reads++;
        reply(call, object != NULL ? 200 : 404, object);
        return;
    }
    struct hf_view text = hf_simcall_body(call);
    _cleanup_(hf_json_freep) json_t *body = json_loadb(text.p, text.n, 0, NULL);
    w.patches++;
    ck_assert_str_eq(hf_simcall_method(call), "PATCH");
    ck_assert(is_node && hf_simcall_query(call, "fieldManager", manager, sizeof(manager)));
    bool is_release = strcmp(manager, "holdfast-agent") == 0;
    ck_assert(is_release || strcmp(manager, HF_LABEL_RULE_MANAGER) == 0);
    ck_assert(!is_release || json_object_size(hf_json_at(body, "metadata.labels")) == 0);
    w.releases += is_release;
    int status = w.status != 0 ? w.status : object == NULL ? 404 : apply(object, manager, body);
    reply(call, status, status == 200 ? object : NULL);
}

static void handle(void *arg, struct hf_simcall *call)
{
    (void)arg;
    w.flying++;
    w.most_flying = HF_MAX(w.most_flying, w.flying);
    if (w.slow)
        hf_simloop_post(w.loop, S, answer, call);
    else
        answer(call);
}

static bool leads(void *arg)
{
    (void)arg;
    return w.leads;
}

static struct hf_label_writer *writer_new(void)
{
    const struct hf_leader_env env = {
        .kube = w.kube,
        .world = {.sched = hf_simproc_sched(w.proc), .clock = hf_simproc_clock(w.proc), .metrics = w.metrics},
        .leads = leads};

    return hf_label_writer_new(&env);
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
    w.metrics = hf_metrics_new();
    const struct hf_kube_params params = {.config = &w.config,
                                          .api = HF_KUBE_APISERVER,
                                          .field_manager = "holdfast-controller",
                                          .world = hf_simproc_world(w.proc, NULL),
                                          .http = hf_simclient_ops(w.client),
                                          .fleet = true};
    w.kube = hf_kube_new(&params, NULL);
    w.nodes = json_object();
    w.edgenodes = json_object();
    w.leads = true;
    w.writer = writer_new();
    ck_assert(w.kube != NULL && w.writer != NULL);
}

static void end(void)
{
    hf_label_writer_free(w.writer);
    hf_kube_free(w.kube);
    ck_assert_uint_eq(hf_simproc_timers(w.proc), 0);
    hf_simclient_free(w.client);
    hf_simproc_free(w.proc);
    hf_metrics_free(w.metrics);
    hf_simnet_free(w.net);
    hf_simloop_free(w.loop);
    hf_kube_config_done(&w.config);
    json_decref(w.nodes);
    json_decref(w.edgenodes);
}

static void run(double seconds)
{
    (void)hf_simloop_run_for(w.loop, (uint64_t)(seconds * (double)S));
}

/* The watch brings the object as it is now. */
static void node_comes(const char *name)
{
    if (json_object_get(w.nodes, name) == NULL)
        ck_assert_int_eq(json_object_set_new(w.nodes, name,
                                             json_pack("{s:s, s:{s:s, s:s, s:{s:s}}}", "kind", "Node", "metadata",
                                                       "name", name, "uid", name, "labels", "other", "stays")),
                         0);
    hf_label_writer_take_node(w.writer, json_object_get(w.nodes, name));
}

static void edgenode_comes(const char *name, const char *labels)
{
    char text[300];

    (void)snprintf(text, sizeof(text), "{kind: EdgeNode, metadata: {name: %s}, status: {labels: %s}}", name, labels);
    ck_assert_int_eq(json_object_set_new(w.edgenodes, name, yaml(text)), 0);
    hf_label_writer_take_edgenode(w.writer, json_object_get(w.edgenodes, name));
}

static const char *label(const char *node, const char *key)
{
    const json_t *labels = hf_json_at(json_object_get(w.nodes, node), "metadata.labels");
    const char *value = json_string_value(json_object_get(labels, key));

    return value != NULL ? value : "";
}

/* ---- the writer -------------------------------------------------------------------------------------------------- */

START_TEST(writes_what_is_reported)
{
    start();
    edgenode_comes("n1", "{" P "a: b, " P "c: d, kubernetes.io/os: plan9}");
    run(20);
    ck_assert_uint_eq(w.reads + w.patches, 0); /* no Node yet */
    node_comes("n1");
    run(20);
    ck_assert_str_eq(label("n1", P "a"), "b");
    ck_assert_str_eq(label("n1", P "c"), "d");
    ck_assert_str_eq(label("n1", "kubernetes.io/os"), "");
    ck_assert_str_eq(label("n1", "other"), "stays");
    ck_assert_uint_eq(w.patches, 1);
    node_comes("n1"); /* the watch brings our own write, and reports that repeat the labels */
    edgenode_comes("n1", "{" P "c: d, " P "a: b, kubernetes.io/os: plan9}");
    run(600);
    ck_assert_uint_eq(w.patches, 1);

    edgenode_comes("n1", "{" P "a: e}"); /* one changes, one goes */
    run(20);
    ck_assert_str_eq(label("n1", P "a"), "e");
    ck_assert_str_eq(label("n1", P "c"), "");
    ck_assert_uint_eq(w.patches, 2);

    json_t *labels = hf_json_mutable(hf_json_at(json_object_get(w.nodes, "n1"), "metadata.labels"));
    ck_assert_int_eq(json_object_set_new(labels, P "a", json_string("by hand")), 0);
    node_comes("n1");
    run(20);
    ck_assert_str_eq(label("n1", P "a"), "e");
    ck_assert_int_eq(
        json_object_set_new(w.edgenodes, "n1", yaml("{kind: EdgeNode, metadata: {name: n1}, status: {sequence: 9}}")),
        0);
    hf_label_writer_take_edgenode(w.writer, json_object_get(w.edgenodes, "n1")); /* an agent that writes by itself */
    run(20);
    ck_assert_str_eq(label("n1", P "a"), "");
    ck_assert_str_eq(label("n1", "other"), "stays");
    end();
}
END_TEST

/* What the agent wrote while it wrote the labels itself. */
static void agent_wrote(const char *name, const char *labels)
{
    char text[300];

    (void)snprintf(text, sizeof(text), "{metadata: {uid: %s, labels: %s}}", name, labels);
    _cleanup_(hf_json_freep) json_t *body = yaml(text);
    ck_assert_int_eq(apply(json_object_get(w.nodes, name), "holdfast-agent", body), 200);
}

/* The agent has written a, b and c. Now it reports a as before and b changed; so the agent's c goes, and so does a when
 * the policy later drops it. */
START_TEST(takes_over_from_the_agent)
{
    start();
    node_comes("n1");
    agent_wrote("n1", "{" P "a: old, " P "b: old, " P "c: old}");
    node_comes("n1");
    edgenode_comes("n1", "{" P "a: old, " P "b: new}");
    run(20);
    ck_assert_str_eq(label("n1", P "a"), "old");
    ck_assert_str_eq(label("n1", P "b"), "new");
    ck_assert_str_eq(label("n1", P "c"), "");
    ck_assert_str_eq(label("n1", "other"), "stays");
    ck_assert_uint_eq(w.releases, 1);
    node_comes("n1");
    run(600);
    ck_assert_uint_eq(w.patches, 2); /* the own labels and the release, once */
    edgenode_comes("n1", "{" P "b: new}");
    run(20);
    ck_assert_str_eq(label("n1", P "a"), "");
    end();
}
END_TEST

/* Also if the policy gives no label any more, and if the own labels are all there already. */
START_TEST(removes_the_agents_last_label)
{
    start();
    node_comes("n1");
    agent_wrote("n1", "{" P "c: old}");
    node_comes("n1");
    edgenode_comes("n1", "{}");
    run(20);
    ck_assert_str_eq(label("n1", P "c"), "");
    ck_assert(w.releases == 1 && w.patches == 1);
    agent_wrote("n1", "{" P "c: again}"); /* an old agent comes back for a moment */
    node_comes("n1");
    w.status = 500;
    run(20);
    ck_assert_str_eq(label("n1", P "c"), "again");
    w.status = 0;
    run(60); /* the failure is tried again */
    ck_assert_str_eq(label("n1", P "c"), "");
    end();
}
END_TEST

/* An agent that writes its labels itself reports none, and keeps them. */
START_TEST(leaves_the_labels_of_an_agent_that_writes)
{
    start();
    node_comes("n1");
    agent_wrote("n1", "{" P "a: b}");
    node_comes("n1");
    ck_assert_int_eq(
        json_object_set_new(w.edgenodes, "n1", yaml("{kind: EdgeNode, metadata: {name: n1}, status: {sequence: 9}}")),
        0);
    hf_label_writer_take_edgenode(w.writer, json_object_get(w.edgenodes, "n1"));
    run(600);
    ck_assert_str_eq(label("n1", P "a"), "b");
    ck_assert_uint_eq(w.patches, 0);
    end();
}
END_TEST

/* Only the leader writes; what a leader has done, the next one does not repeat; what it left, the next one does. */
START_TEST(survives_a_failover)
{
    start();
    node_comes("n1");
    node_comes("n2");
    edgenode_comes("n1", "{" P "a: b}");
    run(20);
    ck_assert_uint_eq(w.patches, 1);
    w.leads = false;
    edgenode_comes("n2", "{" P "a: b}");
    run(60);
    ck_assert_uint_eq(w.patches, 1);
    hf_label_writer_free(w.writer); /* another replica, which knows only the objects */
    w.writer = writer_new();
    node_comes("n1");
    node_comes("n2");
    hf_label_writer_take_edgenode(w.writer, json_object_get(w.edgenodes, "n1"));
    hf_label_writer_take_edgenode(w.writer, json_object_get(w.edgenodes, "n2"));
    run(60);
    ck_assert_uint_eq(w.patches, 1);
    w.leads = true;
    hf_label_writer_lead(w.writer);
    run(20);
    ck_assert_uint_eq(w.patches, 2);
    ck_assert_str_eq(label("n2", P "a"), "b");
    end();
}
END_TEST

/* The present objects decide, not those of the watch: another Node of that name, or a newer report. */
START_TEST(reads_before_it_writes)
{
    start();
    node_comes("n1");
    w.slow = true;
    edgenode_comes("n1", "{" P "a: old}");
    ck_assert_int_eq(
        json_object_set_new(w.edgenodes, "n1",
                            yaml("{kind: EdgeNode, metadata: {name: n1}, status: {labels: {" P "a: new}}}")),
        0);
    run(2.5); /* both are read; now somebody replaces the Node */
    ck_assert_int_eq(hf_json_put(json_object_get(w.nodes, "n1"), "metadata.uid", json_string("another")), 0);
    run(10);
    ck_assert_uint_eq(w.patches, 1);
    ck_assert_str_eq(label("n1", P "a"), "");
    run(60); /* the 409 is tried again */
    ck_assert_str_eq(label("n1", P "a"), "new");
    hf_label_writer_drop_node(w.writer, "n1");
    edgenode_comes("n1", "{" P "a: newer}");
    run(60);
    ck_assert_uint_eq(w.patches, 2);
    edgenode_comes("n3", "{" P "a: x}"); /* dropped while a request is on its way */
    node_comes("n3");
    w.slow = false;
    run(0.001);
    hf_label_writer_drop_node(w.writer, "n3");
    hf_label_writer_drop_edgenode(w.writer, "n3");
    run(60);
    ck_assert_uint_eq(w.patches, 2);
    end();
}
END_TEST

START_TEST(few_at_a_time)
{
    start();
    w.slow = true;
    for (int i = 0; i < NODES; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "n%02d", i);
        node_comes(name);
        edgenode_comes(name, "{" P "a: b}");
    }
    run(20);
    ck_assert_uint_le(w.most_flying, HF_LABEL_WRITER_MAX_FLYING);
    ck_assert_uint_lt(w.patches, NODES);
    run(60);
    ck_assert_uint_eq(w.patches, NODES);
    ck_assert_str_eq(label("n59", P "a"), "b");
    for (int i = 0; i < 200; i++) { /* a node that changes its mind all the time */
        edgenode_comes("n00", i % 2 == 0 ? "{" P "a: c}" : "{" P "a: d}");
        run(0.5);
    }
    ck_assert_uint_le(w.patches, NODES + 11);
    end();
}
END_TEST

START_TEST(refusals)
{
    start();
    node_comes("n1");
    w.status = 403;
    edgenode_comes("n1", "{" P "a: b}");
    run(290);
    ck_assert_uint_eq(w.patches, 1);
    w.status = 503;
    run(60);
    ck_assert_uint_ge(w.patches, 2);
    ck_assert_uint_le(w.patches, 4);
    w.status = 0;
    run(60);
    ck_assert_str_eq(label("n1", P "a"), "b");
    end();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, what_a_report_wants);
    tcase_add_test(tc, at_most_so_many);
    tcase_add_test(tc, what_a_node_has);
    tcase_add_test(tc, writes_what_is_reported);
    tcase_add_test(tc, takes_over_from_the_agent);
    tcase_add_test(tc, removes_the_agents_last_label);
    tcase_add_test(tc, leaves_the_labels_of_an_agent_that_writes);
    tcase_add_test(tc, survives_a_failover);
    tcase_add_test(tc, reads_before_it_writes);
    tcase_add_test(tc, few_at_a_time);
    tcase_add_test(tc, refusals);
}

HF_TEST_MAIN("controller/labels", cases)
