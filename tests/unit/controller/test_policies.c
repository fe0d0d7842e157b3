/* SPDX-License-Identifier: Apache-2.0 */
/* The status of SyncPolicies: the counts row by row and against a count from nothing, and the writer on virtual time
 * against a model of an API server, with 10,000 nodes. */
#include <errno.h>

#include "api/conditions.h"
#include "controller/policies/policy_tally.h"
#include "controller/policies/policy_writer.h"
#include "support/check_main.h"
#include "support/fakes/apiserver_sim.h"
#include "support/makers/draw.h"
#include "web/metrics.h"

#define S HF_NS_PER_S

static json_t *yaml(const char *text)
{
    json_t *json = NULL;

    ck_assert_msg(hf_yaml_parse(hf_view_of(text), NULL, &json, NULL) == 0, "%s", text);
    return json;
}

static void take(struct hf_policy_tally *tally, int (*one)(struct hf_policy_tally *, const json_t *), const char *text)
{
    _cleanup_(hf_json_freep) json_t *object = yaml(text);

    ck_assert_msg(one(tally, object) == 0, "%s", text);
}

/* ---- the counts of one policy ------------------------------------------------------------------------------------ */

#define POLICY(selector)                                                                                               \
    "{metadata: {name: site, generation: 3, resourceVersion: '7'}, spec: {nodeSelector: " selector "}}"
#define REPORT(policy) "{agent: {version: '1'}, policy: " policy "}"
#define HAS(generation, sections)                                                                                      \
    REPORT("{name: site, policies: [{name: site, observedGeneration: " generation "}], sections: " sections "}")
#define DISK "[{path: disk, policy: site}]"
#define CONFLICT(text)                                                                                                 \
    "{agent: {version: '1'}, policy: {policies: [{name: site, observedGeneration: 3}], sections: " DISK "}, "          \
    "conditions: [{type: PolicyConflict, status: 'True', message: \"" text "\"}]}"

static const struct {
    const char *name, *selector, *status; /* of the node a, which has the label zone=1; NULL: no EdgeNode */
    struct hf_policy_counts want;         /* selected, taken, lagging, in effect, conflicts */
    const char *ready, *reason, *other, *message;
} rows[] = {
    {"no report",
     "{}",
     NULL,
     {1, 0, 0, 0, 0},
     "True",
     "InEffect",
     NULL,
     "0 of 1 selected node have generation 3; 1 is away"},
    {"taken",
     "{matchLabels: {zone: '1'}}",
     HAS("3", DISK),
     {1, 1, 0, 1, 0},
     "True",
     "InEffect",
     NULL,
     "1 of 1 selected node has generation 3"},
    {"an older generation",
     "{}",
     HAS("2", DISK),
     {1, 0, 1, 1, 0},
     "False",
     "Progressing",
     "Reconciling",
     "0 of 1 selected node have generation 3; 1 has it not yet, such as a: see `holdfast policy explain a`"},
    {"others come first",
     "{}",
     HAS("3", "[{path: disk, policy: other}]"),
     {1, 1, 0, 0, 0},
     "True",
     "Overridden",
     NULL,
     "1 of 1 selected node has generation 3; no section of it is in effect there: other policies come first, or it "
     "sets "
     "none"},
    {"not selected any more",
     "{matchLabels: {zone: '2'}}",
     HAS("2", DISK),
     {0, 0, 0, 1, 0},
     "True",
     "NoNodes",
     NULL,
     "nodeSelector selects no node"},
    {"an agent without the list",
     "{}",
     REPORT("{name: site, observedGeneration: 3}"),
     {1, 1, 0, 1, 0},
     "True",
     "InEffect",
     NULL,
     "1 of 1 selected node has generation 3"},
    {"another policy",
     "{}",
     REPORT("{name: sit, policies: [{name: sit, observedGeneration: 3}]}"),
     {1, 0, 1, 0, 0},
     "False",
     "Progressing",
     "Reconciling",
     "0 of 1 selected node have generation 3; 1 has it not yet, such as a: see `holdfast policy explain a`"},
    {"silent",
     "{}",
     "{conditions: [{type: Ready, status: Unknown, reason: NodeSilent}]}",
     {1, 0, 0, 0, 0},
     "True",
     "InEffect",
     NULL,
     "0 of 1 selected node have generation 3; 1 is away"},
    {"stopped",
     "{}",
     "{agent: {state: Stopped}}",
     {1, 0, 0, 0, 0},
     "True",
     "InEffect",
     NULL,
     "0 of 1 selected node have generation 3; 1 is away"},
    {"a conflict",
     "{}",
     CONFLICT("'alpha' and 'site' both set disk"),
     {1, 1, 0, 1, 1},
     "False",
     "PolicyConflict",
     "Stalled",
     "1 node reports a conflict with a policy of equal priority, such as a: see `holdfast policy explain a`"},
    {"a conflict of others",
     "{}",
     CONFLICT("site-b and on-site and site.x both set disk"),
     {1, 1, 0, 1, 0},
     "True",
     "InEffect",
     NULL,
     "1 of 1 selected node has generation 3"},
    {"not a selector",
     "{matchLabels: {zone: [1]}}",
     NULL,
     {0, 0, 0, 0, 0},
     "False",
     "Invalid",
     "Stalled",
     "nodeSelector is not valid, so that it selects no node"},
};

static void check_status(const json_t *body, size_t i)
{
    const json_t *conditions = hf_json_at(body, "status.conditions");

    ck_assert_int_eq(hf_json_int_or(body, "status.selected", -1), rows[i].want.selected);
    ck_assert_int_eq(hf_json_int_or(body, "status.inEffect", -1), rows[i].want.in_effect);
    ck_assert_int_eq(hf_json_int_or(body, "status.observedGeneration", -1), 3);
    ck_assert_str_eq(hf_json_str_or(body, "metadata.resourceVersion", ""), "7");
    ck_assert_str_eq(hf_json_str_or(json_array_get(conditions, 0), "type", ""), "Ready");
    ck_assert_str_eq(hf_json_str_or(json_array_get(conditions, 0), "status", ""), rows[i].ready);
    ck_assert_str_eq(hf_json_str_or(json_array_get(conditions, 0), "reason", ""), rows[i].reason);
    ck_assert_str_eq(hf_json_str_or(json_array_get(conditions, 0), "message", ""), rows[i].message);
    ck_assert_uint_eq(json_array_size(conditions), rows[i].other != NULL ? 2 : 1);
    if (rows[i].other != NULL)
        ck_assert_str_eq(hf_json_str_or(json_array_get(conditions, 1), "type", ""), rows[i].other);
}

/* Once with the policy first, once with the nodes first; and a written status is not written again. */
START_TEST(what_a_node_counts_as)
{
    for (size_t i = 0; i < 2 * HF_LEN(rows); i++) {
        size_t row = i / 2;
        char text[1000];
        _cleanup_(hf_policy_tally_freep) struct hf_policy_tally *tally = hf_policy_tally_new();
        _cleanup_(hf_json_freep) json_t *policy = yaml(POLICY("{}")), *selector = yaml(rows[row].selector);
        ck_assert_int_eq(hf_json_put(policy, "spec.nodeSelector", json_incref(selector)), 0);
        if (i % 2 == 0)
            ck_assert_int_eq(hf_policy_tally_take_policy(tally, policy), 0);
        take(tally, hf_policy_tally_take_node, "{metadata: {name: a, labels: {zone: '1', host: a}}}");
        (void)snprintf(text, sizeof(text), "{metadata: {name: a}, status: %s}", rows[row].status);
        if (rows[row].status != NULL)
            take(tally, hf_policy_tally_take_edgenode, text);
        take(tally, hf_policy_tally_take_edgenode, "{metadata: {name: no-node}, status: " HAS("3", DISK) "}");
        if (i % 2 == 1)
            ck_assert_int_eq(hf_policy_tally_take_policy(tally, policy), 0);
        const struct hf_policy_counts *n = hf_policy_tally_counts(tally, "site");
        ck_assert_msg(memcmp(n, &rows[row].want, sizeof(*n)) == 0, "%s: %u %u %u %u %u", rows[row].name, n->selected,
                      n->taken, n->lagging, n->in_effect, n->conflicts);
        _cleanup_(hf_json_freep) json_t *body = NULL, *again = NULL;
        ck_assert_int_eq(hf_policy_tally_status(tally, policy, 5 * S, &body), 0);
        ck_assert_msg(body != NULL, "%s", rows[row].name);
        check_status(body, row);
        ck_assert_int_eq(json_object_set(policy, "status", json_object_get(body, "status")), 0);
        ck_assert_int_eq(hf_policy_tally_status(tally, policy, 9 * S, &again), 0);
        ck_assert_ptr_null(again);
    }
}
END_TEST

START_TEST(without_the_policy)
{
    _cleanup_(hf_policy_tally_freep) struct hf_policy_tally *tally = hf_policy_tally_new();
    _cleanup_(hf_json_freep) json_t *policy = yaml(POLICY("{}")), *nameless = yaml("{metadata: {}}");
    json_t *body = NULL;

    ck_assert_int_eq(hf_policy_tally_status(tally, policy, 0, &body), -ENOENT);
    ck_assert_ptr_null(hf_policy_tally_counts(tally, "site"));
    ck_assert_int_eq(hf_policy_tally_take_policy(tally, nameless), -EBADMSG);
    ck_assert_int_eq(hf_policy_tally_take_node(tally, nameless), -EBADMSG);
    for (int i = 0; i < HF_POLICY_TALLY_MAX; i++) {
        char text[60];
        (void)snprintf(text, sizeof(text), "{metadata: {name: p%d}, spec: {}}", i);
        take(tally, hf_policy_tally_take_policy, text);
    }
    ck_assert_int_eq(hf_policy_tally_take_policy(tally, policy), -E2BIG);
    hf_policy_tally_drop_policy(tally, "p9");
    ck_assert_int_eq(hf_policy_tally_take_policy(tally, policy), 0);
}
END_TEST

/* ---- any order of changes ---------------------------------------------------------------------------------------- */

enum { ACTORS = 8, STEPS = 600, SEEDS = 8 };

struct present {
    json_t *nodes[ACTORS], *edgenodes[ACTORS], *policies[ACTORS];
};

static void put(json_t **place, const char *text)
{
    json_decref(*place);
    *place = text != NULL ? yaml(text) : NULL;
}

/* One change at random, to the tally and to what is present. */
static void change(struct hf_policy_tally *tally, struct present *now)
{
    unsigned i = draw() % ACTORS, a = draw() % 3, b = draw() % ACTORS;
    bool drop = draw() % 4 == 0;
    char text[400], name[8];

    (void)snprintf(name, sizeof(name), "x%u", i);
    switch (draw() % 3) {
    case 0:
        (void)snprintf(text, sizeof(text), "{metadata: {name: %s, labels: {zone: z%u, host: %s}}}", name, a, name);
        put(&now->nodes[i], drop ? NULL : text);
        if (drop)
            hf_policy_tally_drop_node(tally, name);
        else
            take(tally, hf_policy_tally_take_node, text);
        break;
    case 1:
        (void)snprintf(text, sizeof(text),
                       "{metadata: {name: %s}, status: {agent: {version: '1'}, policy: {policies: [{name: x%u, "
                       "observedGeneration: %u}], sections: [{path: disk, policy: x%u}]}}}",
                       name, b, a, b % 2 == 0 ? b : ACTORS);
        put(&now->edgenodes[i], drop ? NULL : text);
        if (drop)
            hf_policy_tally_drop_edgenode(tally, name);
        else
            take(tally, hf_policy_tally_take_edgenode, text);
        break;
    default:
        (void)snprintf(text, sizeof(text),
                       "{metadata: {name: %s, generation: %u}, spec: {nodeSelector: {matchLabels: {%s}}}}", name, a,
                       b == 0   ? "host: x3"
                       : b == 1 ? ""
                                : "zone: z1");
        put(&now->policies[i], drop ? NULL : text);
        if (drop)
            hf_policy_tally_drop_policy(tally, name);
        else
            take(tally, hf_policy_tally_take_policy, text);
        break;
    }
}

static void take_all(struct hf_policy_tally *tally, const struct present *now)
{
    for (unsigned i = 0; i < ACTORS; i++) {
        if (now->policies[i] != NULL)
            ck_assert_int_eq(hf_policy_tally_take_policy(tally, now->policies[i]), 0);
        if (now->edgenodes[i] != NULL)
            ck_assert_int_eq(hf_policy_tally_take_edgenode(tally, now->edgenodes[i]), 0);
        if (now->nodes[i] != NULL)
            ck_assert_int_eq(hf_policy_tally_take_node(tally, now->nodes[i]), 0);
    }
}

/* After any sequence of changes the counts are those of a tally that has only seen what is there now. */
START_TEST(any_order_counts_the_same)
{
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        draw_seed = seed;
        struct present now = {0};
        _cleanup_(hf_policy_tally_freep) struct hf_policy_tally *tally = hf_policy_tally_new();
        for (int step = 0; step < STEPS; step++) {
            change(tally, &now);
            if (step % 50 != 49)
                continue;
            _cleanup_(hf_policy_tally_freep) struct hf_policy_tally *fresh = hf_policy_tally_new();
            take_all(fresh, &now);
            for (unsigned i = 0; i < ACTORS; i++) {
                char name[8];
                (void)snprintf(name, sizeof(name), "x%u", i);
                const struct hf_policy_counts *have = hf_policy_tally_counts(tally, name);
                const struct hf_policy_counts *want = hf_policy_tally_counts(fresh, name);
                ck_assert_msg((have == NULL) == (want == NULL) &&
                                  (have == NULL || memcmp(have, want, sizeof(*have)) == 0),
                              "seed %d, step %d, %s", (int)seed, step, name);
            }
        }
        for (unsigned i = 0; i < ACTORS; i++) {
            put(&now.nodes[i], NULL);
            put(&now.edgenodes[i], NULL);
            put(&now.policies[i], NULL);
        }
    }
}
END_TEST

/* ---- the writer -------------------------------------------------------------------------------------------------- */

enum { FLEET = 10000 };

static struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simapi *api;
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    struct hf_metrics *metrics;
    struct hf_policy_writer *writer;
    bool leads, complete;
    unsigned patches; /* at the last call of writes() */
} w;

static bool leads(void *arg)
{
    return ((const struct world *)arg)->leads;
}

static bool is_complete(void *arg)
{
    return ((const struct world *)arg)->complete;
}

static uint64_t unix_ns(void *arg)
{
    (void)arg;
    return HF_SIM_UNIX_START + hf_simloop_now_ns(w.loop);
}

static void run(double seconds)
{
    (void)hf_simloop_run_for(w.loop, (uint64_t)(seconds * (double)S));
}

static void start(void)
{
    memset(&w, 0, sizeof(w));
    w.loop = hf_simloop_new(7);
    w.net = hf_simnet_new(w.loop);
    w.api = hf_simapi_new(w.loop, w.net, "https://api");
    w.proc = hf_simproc_new(w.loop, "controller");
    w.client = hf_simnet_client(w.net, w.proc);
    w.metrics = hf_metrics_new();
    w.config.server = strdup("https://api:6443");
    w.leads = w.complete = true;
    const struct hf_kube_params kube = {.config = &w.config,
                                        .api = HF_KUBE_APISERVER,
                                        .field_manager = "holdfast-controller",
                                        .world = hf_simproc_world(w.proc, NULL),
                                        .http = hf_simclient_ops(w.client),
                                        .fleet = true,
                                        .spread_ns = S};
    w.kube = hf_kube_new(&kube, NULL);
    const struct hf_policy_writer_params params = {
        .env = {.kube = w.kube,
                .world = {.sched = hf_simproc_sched(w.proc), .clock = hf_simproc_clock(w.proc), .metrics = w.metrics},
                .leads = leads,
                .arg = &w},
        .is_complete = is_complete,
        .unix_ns = unix_ns};
    w.writer = hf_policy_writer_new(&params, NULL);
    ck_assert_ptr_nonnull(w.writer);
}

static void end(void)
{
    hf_policy_writer_free(w.writer);
    hf_kube_free(w.kube);
    ck_assert_uint_eq(hf_simproc_timers(w.proc), 0);
    hf_simclient_free(w.client);
    hf_simapi_free(w.api);
    hf_simproc_free(w.proc);
    hf_simnet_free(w.net);
    hf_simloop_free(w.loop);
    hf_metrics_free(w.metrics);
    hf_kube_config_done(&w.config);
}

static unsigned writes(void)
{
    unsigned before = w.patches;

    w.patches = hf_simapi_counts(w.api)->patches;
    return w.patches - before;
}

static void put_policy(const char *name)
{
    char text[300];

    (void)snprintf(text, sizeof(text),
                   "{\"apiVersion\": \"edge.codcompass.io/v1alpha1\", \"kind\": \"SyncPolicy\", \"metadata\": "
                   "{\"name\": \"%s\", \"generation\": 1}, \"spec\": {\"disk\": {\"warnPercent\": 60}}}",
                   name);
    ck_assert_uint_ne(hf_simapi_put_text(w.api, text), 0);
}

static void node_comes(unsigned i)
{
    _cleanup_(hf_json_freep) json_t *node = json_pack("{s:{s:o}}", "metadata", "name", json_sprintf("n%u", i));

    hf_policy_writer_take_node(w.writer, node);
}

/* The node reports the policies p0 to p<n-1>. */
static void node_reports(unsigned i, unsigned n)
{
    json_t *policies = json_array(), *sections = json_array();

    for (unsigned p = 0; p < n; p++) {
        json_t *name = json_sprintf("p%u", p);
        ck_assert_int_eq(
            json_array_append_new(policies, json_pack("{s:O, s:i}", "name", name, "observedGeneration", 1)), 0);
        ck_assert_int_eq(json_array_append_new(sections, json_pack("{s:s, s:o}", "path", "disk", "policy", name)), 0);
    }
    _cleanup_(hf_json_freep) json_t *edgenode =
        json_pack("{s:{s:o}, s:{s:{s:s}, s:{s:o, s:o}}}", "metadata", "name", json_sprintf("n%u", i), "status", "agent",
                  "version", "1", "policy", "policies", policies, "sections", sections);
    hf_policy_writer_take_edgenode(w.writer, edgenode);
}

static json_int_t of_policy(const char *name, const char *path)
{
    return hf_json_int_or(hf_simapi_get(w.api, "SyncPolicy", name), path, -1);
}

static const char *reason_of(const char *name)
{
    const json_t *conditions = hf_json_at(hf_simapi_get(w.api, "SyncPolicy", name), "status.conditions");

    return hf_json_str_or(json_array_get(conditions, 0), "reason", "");
}

START_TEST(writes_what_it_counts)
{
    start();
    w.leads = w.complete = false;
    put_policy("p0");
    node_comes(1);
    run(30);
    ck_assert_uint_eq(writes(), 0);
    w.leads = true;
    hf_policy_writer_lead(w.writer);
    run(30);
    ck_assert_uint_eq(writes(), 0); /* not all nodes are there */
    w.complete = true;
    run(2);
    ck_assert_uint_eq(writes(), 1);
    ck_assert_int_eq(of_policy("p0", "status.selected"), 1);
    ck_assert_int_eq(of_policy("p0", "status.inEffect"), 0);
    ck_assert_str_eq(reason_of("p0"), "InEffect"); /* the node has never reported: it is away */
    node_reports(1, 0);
    run(15);
    ck_assert_str_eq(reason_of("p0"), "Progressing");
    node_reports(1, 1);
    run(15);
    ck_assert_int_eq(of_policy("p0", "status.inEffect"), 1);
    ck_assert_str_eq(reason_of("p0"), "InEffect");
    ck_assert_uint_eq(writes(), 2);
    for (int i = 0; i < 20; i++) { /* heartbeats */
        node_reports(1, 1);
        run(15);
    }
    ck_assert_uint_eq(writes(), 0);
    hf_policy_writer_drop_edgenode(w.writer, "n1");
    hf_policy_writer_drop_node(w.writer, "n1");
    run(15);
    ck_assert_int_eq(of_policy("p0", "status.selected"), 0);
    ck_assert_uint_eq(writes(), 1);
    ck_assert(hf_simapi_delete(w.api, "SyncPolicy", "p0"));
    node_comes(1);
    run(15);
    ck_assert_uint_eq(writes(), 0);
    end();
}
END_TEST

/* Three policies reach 10,000 nodes within five minutes; then the nodes report what they have, for as long. */
START_TEST(ten_thousand_nodes)
{
    unsigned most = 0, all = 0;

    start();
    for (unsigned i = 0; i < FLEET; i++)
        node_comes(i);
    put_policy("p0");
    put_policy("p1");
    put_policy("p2");
    for (unsigned second = 0; second < 300; second++) {
        for (unsigned i = second; i < FLEET; i += 300)
            node_reports(i, 3);
        run(1);
        unsigned n = writes();
        most = HF_MAX(most, n);
        all += n;
    }
    run(15);
    all += writes();
    ck_assert_msg(most <= HF_POLICY_WRITER_PER_S, "%u in one second", most);
    ck_assert_msg(all <= 3 * 32, "%u in all", all);
    for (unsigned i = 0; i < 3; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "p%u", i);
        ck_assert_int_eq(of_policy(name, "status.selected"), FLEET);
        ck_assert_int_eq(of_policy(name, "status.inEffect"), FLEET);
        ck_assert_str_eq(reason_of(name), "InEffect");
    }
    for (unsigned i = 0; i < FLEET; i++)
        node_reports(i, 3);
    run(300);
    ck_assert_uint_eq(writes(), 0);
    end();
}
END_TEST

START_TEST(a_refusal_is_not_repeated_soon)
{
    start();
    hf_simapi_fail_at(w.api, "/syncpolicies/p0/status", 403);
    put_policy("p0");
    node_comes(1);
    run(290);
    ck_assert_int_eq(of_policy("p0", "status.selected"), -1);
    ck_assert_uint_le(writes(), 1);
    hf_simapi_fail_at(w.api, NULL, 0);
    run(30);
    ck_assert_int_eq(of_policy("p0", "status.selected"), 1);
    end();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, what_a_node_counts_as);
    tcase_add_test(tc, without_the_policy);
    tcase_add_test(tc, any_order_counts_the_same);
    tcase_add_test(tc, writes_what_it_counts);
    tcase_add_test(tc, ten_thousand_nodes);
    tcase_add_test(tc, a_refusal_is_not_repeated_soon);
}

HF_TEST_MAIN("controller/policies", cases)
