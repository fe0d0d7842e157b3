/* SPDX-License-Identifier: Apache-2.0 */
/* The target Cluster: what the answers of an API server decide about an entry. The server is support/fakes/ssa_sim.h;
 * no engine. */
#include <string.h>

#include "kube/kube.h"
#include "support/bare_entry.h"
#include "support/check_main.h"
#include "support/fakes/simnet.h"
#include "support/fakes/ssa_sim.h"

#define API "https://api"
#define HEALTH ",\"healthDeadline\":\"1m\",\"healthChecks\":[{\"exec\":{\"command\":[\"/usr/bin/check\"]}}]"
#define ENTRY(more) "{\"name\":\"site\",\"to\":\"Cluster\",\"from\":{\"path\":\"/opt/site\"}" more "}"
#define MAPS "/api/v1/namespaces/site/configmaps/"
#define WEB "/apis/apps/v1/namespaces/site/deployments/web"
#define MAP(name, value)                                                                                               \
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name ", namespace: site}\ndata: {k: '" value "'}\n---\n"
#define DEPLOYMENT                                                                                                     \
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: site}\nspec: {image: a}\n---\n"
#define NO "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"message\":\"no\"}"

struct node {
    struct hf_bare bare;
    struct hf_simnet *net;
    struct hf_simclient *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    struct ssa_sim api;
};

static struct entry *set_up(struct node *node, const char *json, const char *text)
{
    struct hf_manifest_env *env = &node->bare.engine.p.env;

    *node = (struct node){.net = NULL};
    hf_bare_init(&node->bare, json);
    hf_bare_equip(&node->bare, "cluster: true, exec: [/usr/bin/check]");
    ssa_sim_init(&node->api);
    node->net = hf_simnet_new(node->bare.loop);
    hf_simnet_serve(node->net, API, ssa_sim_handle, &node->api);
    node->client = hf_simnet_client(node->net, node->bare.proc);
    node->config.server = strdup(API ":6443");
    struct hf_kube_params params = {.config = &node->config,
                                    .api = HF_KUBE_APISERVER,
                                    .field_manager = "holdfast-agent",
                                    .world = env->world,
                                    .http = hf_simclient_ops(node->client)};
    node->kube = hf_kube_new(&params, NULL);
    env->kube = node->kube;
    hf_bare_store(&node->bare, &node->bare.entry->r.next, json, "a.yaml", text);
    return node->bare.entry;
}

static void tear_down(struct node *node)
{
    task_drop(node->bare.entry);
    (void)hf_simloop_run_for(node->bare.loop, HF_NS_PER_S); /* a forgotten job ends */
    hf_kube_free(node->kube);
    hf_simclient_free(node->client);
    hf_simnet_free(node->net);
    hf_bare_done(&node->bare);
    hf_kube_config_done(&node->config);
    ssa_sim_done(&node->api);
}

static void settle(struct node *node)
{
    (void)hf_simloop_run_for(node->bare.loop, 1800 * HF_NS_PER_S);
}

static void act(struct node *node, enum hf_manifest_action action)
{
    struct entry *entry = node->bare.entry;
    const struct target_ops *target = target_of(entry, &entry->r.next);

    (action == HF_MANIFEST_ACT_PLACE   ? target->place
     : action == HF_MANIFEST_ACT_PROBE ? target->probe
                                       : target->roll_back)(entry);
    settle(node);
}

static void expect(const struct entry *entry, enum hf_manifest_phase phase, enum hf_manifest_reason reason,
                   const char *where)
{
    ck_assert_msg(entry->r.phase == phase && entry->r.reason == reason, "%s: %s %s: %s; %s", where,
                  hf_manifest_phase_name(entry->r.phase), hf_manifest_reason_name(entry->r.reason), entry->r.message,
                  entry->machine.wait.message);
    ck_assert_msg(!entry->busy && entry->attempt == NULL && entry->cluster.run == NULL, "%s", where);
}

static json_t *object(const struct node *node, const char *path)
{
    return json_object_get(node->api.objects, path);
}

static void set_ready(struct node *node, bool ready)
{
    json_t *web = object(node, WEB);

    ck_assert_ptr_nonnull(web);
    ssa_sim_put(web, "status",
                json_pack("{s:i, s:i, s:i, s:i, s:i, s:[{s:s, s:s}]}", "observedGeneration", 1, "replicas", 1,
                          "updatedReplicas", 1, "readyReplicas", ready ? 1 : 0, "availableReplicas", ready ? 1 : 0,
                          "conditions", "type", "Available", "status", ready ? "True" : "False"));
}

/* ---- place ------------------------------------------------------------------------------------------------------- */

START_TEST(places)
{
    static const struct {
        const char *text;
        int status; /* of the write; 0: as it is */
        const char *body;
        bool down, lost;
        enum hf_manifest_phase phase;
        enum hf_manifest_reason reason;
    } rows[] = {
        {MAP("m", "1"), 0, NULL, false, false, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED},
        {MAP("m", "1"), 422, NO, false, false, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_API_REFUSED},
        {MAP("m", "1"), 503, "{\"kind\":\"Status\"}", false, false, HF_MANIFEST_WAITING,
         HF_MANIFEST_REASON_API_UNREACHABLE},
        {MAP("m", "1"), 0, NULL, true, false, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_API_UNREACHABLE},
        {MAP("m", "1"), 0, NULL, false, true, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_SOURCE_UNREACHABLE},
        {"a: [", 0, NULL, false, false, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_NOT_MANIFESTS},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct node node;
        char where[20], path[200];
        struct entry *entry = set_up(&node, ENTRY(""), rows[i].text);
        (void)snprintf(where, sizeof(where), "row %zu", i);
        (void)snprintf(path, sizeof(path), HF_BARE_FOLDER "/b-%s", entry->r.next.digest);
        if (rows[i].status != 0)
            node.api.scripts[0] = (struct ssa_sim_script){"PATCH", MAPS "m", rows[i].status, rows[i].body, 100};
        if (rows[i].down)
            hf_simnet_set_server(node.net, API, HF_SIM_SERVER_REFUSING);
        if (rows[i].lost)
            hf_simfs_delete(node.bare.fs, path);
        entry->actions->start[HF_MANIFEST_ACT_PLACE](entry);
        settle(&node);
        expect(entry, rows[i].phase, rows[i].reason, where);
        ck_assert_int_eq(object(&node, MAPS "m") != NULL, rows[i].phase == HF_MANIFEST_APPLIED);
        tear_down(&node);
    }
}
END_TEST

/* Without room for the inventory nothing is written. */
START_TEST(inventory_first)
{
    struct node node;
    struct entry *entry = set_up(&node, ENTRY(""), MAP("m", "1"));

    hf_simfs_set_limit(node.bare.fs, "/", 1);
    act(&node, HF_MANIFEST_ACT_PLACE);
    ck_assert(object(&node, MAPS "m") == NULL);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_WAITING);
    hf_simfs_set_limit(node.bare.fs, "/", 0);
    act(&node, HF_MANIFEST_ACT_PLACE);
    ck_assert(object(&node, MAPS "m") != NULL && entry->r.phase != HF_MANIFEST_WAITING);
    tear_down(&node);
}
END_TEST

/* Brings the set in place; the actions are held from then on. */
static struct entry *placed(struct node *node, const char *json, const char *text)
{
    struct entry *entry = set_up(node, json, text);

    hf_bare_hold(&node->bare);
    act(node, HF_MANIFEST_ACT_PLACE);
    ck_assert_msg(entry->r.phase == HF_MANIFEST_PROBATION, "%s %s", hf_manifest_phase_name(entry->r.phase),
                  entry->r.message);
    return entry;
}

static struct entry *applied(struct node *node, const char *json, const char *text)
{
    struct entry *entry = placed(node, json, text);

    act(node, HF_MANIFEST_ACT_PROBE);
    expect(entry, HF_MANIFEST_APPLIED,
           strstr(json, "healthChecks") != NULL ? HF_MANIFEST_REASON_HEALTH_PASSED : HF_MANIFEST_REASON_APPLIED,
           "applied");
    return entry;
}

/* The guard of removals; the annotation of a person lets it pass. */
START_TEST(prunes)
{
    struct node node;
    struct entry *entry = applied(&node, ENTRY(",\"prune\":true"), MAP("a", "1") MAP("b", "1") MAP("c", "1"));
    char text[100];

    hf_bare_store(&node.bare, &entry->r.next, ENTRY(",\"prune\":true"), "a.yaml", MAP("a", "1"));
    entry->r.phase = HF_MANIFEST_WAITING;
    act(&node, HF_MANIFEST_ACT_PLACE);
    expect(entry, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_PRUNE_LIMIT, "guard");
    ck_assert(entry->due_ns == HF_NEVER && object(&node, MAPS "b") != NULL);
    (void)snprintf(text, sizeof(text), "site:%.12s", entry->r.next.digest);
    node.bare.engine.allow_prune = strdup(text);
    act(&node, HF_MANIFEST_ACT_PLACE);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_PROBATION);
    ck_assert(object(&node, MAPS "b") == NULL);
    act(&node, HF_MANIFEST_ACT_PROBE);
    entry->r.phase = HF_MANIFEST_WAITING;
    act(&node, HF_MANIFEST_ACT_PLACE); /* the same again */
    expect(entry, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "same");
    free(node.bare.engine.allow_prune);
    tear_down(&node);
}
END_TEST

/* ---- probe ------------------------------------------------------------------------------------------------------- */

START_TEST(health)
{
    for (int exit_code = 0; exit_code < 2; exit_code++) {
        struct node node;
        struct entry *entry = placed(&node, ENTRY(HEALTH), MAP("m", "1"));
        node.bare.answer.exit_code = exit_code;
        act(&node, HF_MANIFEST_ACT_PROBE);
        expect(entry, exit_code == 0 ? HF_MANIFEST_APPLIED : HF_MANIFEST_ROLLING_BACK,
               exit_code == 0 ? HF_MANIFEST_REASON_HEALTH_PASSED : HF_MANIFEST_REASON_HEALTH_FAILED, "health");
        tear_down(&node);
    }
}
END_TEST

/* An object that is not ready has until the deadline. */
START_TEST(not_ready)
{
    for (unsigned ready = 0; ready < 2; ready++) {
        struct node node;
        struct entry *entry = placed(&node, ENTRY(",\"healthDeadline\":\"40m\""), DEPLOYMENT);
        set_ready(&node, false);
        act(&node, HF_MANIFEST_ACT_PROBE);
        ck_assert_int_eq(entry->r.phase, HF_MANIFEST_PROBATION);
        ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_NOT_READY);
        set_ready(&node, ready == 1);
        settle(&node);
        act(&node, HF_MANIFEST_ACT_PROBE);
        expect(entry, ready == 1 ? HF_MANIFEST_APPLIED : HF_MANIFEST_ROLLING_BACK,
               ready == 1 ? HF_MANIFEST_REASON_APPLIED : HF_MANIFEST_REASON_NOT_READY, "deadline");
        tear_down(&node);
    }
}
END_TEST

/* While nobody answers, no time passes and no start counts. */
START_TEST(server_is_away)
{
    struct node node;
    struct entry *entry = placed(&node, ENTRY(""), MAP("m", "1"));

    hf_simnet_set_server(node.net, API, HF_SIM_SERVER_REFUSING);
    entry->r.starts = 1;
    entry->trial.start_counted = true;
    act(&node, HF_MANIFEST_ACT_PROBE);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_PROBATION);
    ck_assert(entry->r.starts == 0 && entry->trial.start_due && entry->cluster.probe_ns == 0);
    act(&node, HF_MANIFEST_ACT_PROBE);
    ck_assert_uint_eq(entry->r.starts, 0);
    hf_simnet_set_server(node.net, API, HF_SIM_SERVER_UP);
    act(&node, HF_MANIFEST_ACT_PROBE); /* the record has to say so first */
    ck_assert(entry->r.starts == 1 && !entry->trial.start_due && entry->r.phase == HF_MANIFEST_PROBATION);
    act(&node, HF_MANIFEST_ACT_PROBE);
    expect(entry, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "up");
    tear_down(&node);
}
END_TEST

START_TEST(starts_too_often)
{
    struct node node;
    struct entry *entry = placed(&node, ENTRY(HEALTH), MAP("m", "1"));

    entry->r.starts = HF_RECORD_MAX_STARTS + 1;
    act(&node, HF_MANIFEST_ACT_PROBE);
    expect(entry, HF_MANIFEST_ROLLING_BACK, HF_MANIFEST_REASON_HEALTH_FAILED, "starts");
    tear_down(&node);
}
END_TEST

/* Somebody deletes an object on trial again and again: it is put back, until the health decides. */
START_TEST(put_back_on_trial)
{
    struct node node;
    struct entry *entry = placed(&node, ENTRY(""), MAP("m", "1"));

    for (unsigned i = 1; i <= MANIFEST_MAX_TRIAL_REPAIRS; i++) {
        (void)json_object_del(node.api.objects, MAPS "m");
        act(&node, HF_MANIFEST_ACT_PROBE);
        ck_assert(entry->r.phase == HF_MANIFEST_PROBATION && object(&node, MAPS "m") != NULL);
        ck_assert_uint_eq(entry->trial.repairs, i);
    }
    (void)json_object_del(node.api.objects, MAPS "m");
    act(&node, HF_MANIFEST_ACT_PROBE);
    ck_assert(object(&node, MAPS "m") == NULL && !entry->busy);
    tear_down(&node);
}
END_TEST

/* The server refuses to take the object back: until the deadline. Our copy of the content is lost: at once. */
START_TEST(not_put_back_on_trial)
{
    for (unsigned lost = 0; lost < 2; lost++) {
        struct node node;
        struct entry *entry = placed(&node, ENTRY(",\"healthDeadline\":\"1m\""), MAP("m", "1"));
        char path[200];
        (void)snprintf(path, sizeof(path), HF_BARE_FOLDER "/b-%s", entry->r.next.digest);
        (void)json_object_del(node.api.objects, MAPS "m");
        node.api.scripts[0] = (struct ssa_sim_script){"PATCH", MAPS "m", 422, NO, 100};
        if (lost == 1)
            hf_simfs_delete(node.bare.fs, path);
        act(&node, HF_MANIFEST_ACT_PROBE);
        if (lost == 0) {
            ck_assert(entry->r.phase == HF_MANIFEST_PROBATION && entry->trial.refused_ns != 0);
            act(&node, HF_MANIFEST_ACT_PROBE);
        }
        expect(entry, lost == 1 ? HF_MANIFEST_WAITING : HF_MANIFEST_ROLLING_BACK,
               lost == 1 ? HF_MANIFEST_REASON_SOURCE_UNREACHABLE : HF_MANIFEST_REASON_API_REFUSED, "not put back");
        tear_down(&node);
    }
}
END_TEST

/* Somebody else has put it back meanwhile. */
START_TEST(somebody_puts_it_back)
{
    struct node node;
    struct entry *entry = placed(&node, ENTRY(",\"healthDeadline\":\"2h\""), MAP("m", "1"));
    json_t *map = json_incref(object(&node, MAPS "m"));

    (void)json_object_del(node.api.objects, MAPS "m");
    node.api.scripts[0] = (struct ssa_sim_script){"PATCH", MAPS "m", 422, NO, 100};
    act(&node, HF_MANIFEST_ACT_PROBE);
    ck_assert_uint_ne(entry->trial.refused_ns, 0);
    ck_assert_int_eq(json_object_set_new(node.api.objects, MAPS "m", map), 0);
    act(&node, HF_MANIFEST_ACT_PROBE);
    ck_assert(entry->trial.refused_ns == 0 && entry->trial.repairs == 1);
    expect(entry, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "put back");
    tear_down(&node);
}
END_TEST

static bool has_checked(void *arg)
{
    const struct entry *entry = arg;

    return entry->attempt != NULL && entry->attempt->checked;
}

/* After the checks nobody can look whether the objects are still ours. */
START_TEST(nobody_looks_after_the_checks)
{
    for (int exit_code = 0; exit_code < 2; exit_code++) {
        struct node node;
        struct entry *entry = placed(&node, ENTRY(HEALTH), MAP("m", "1"));
        node.bare.answer.exit_code = exit_code;
        for (unsigned i = 0; i <= MANIFEST_MAX_TRIAL_REPAIRS && entry->r.phase == HF_MANIFEST_PROBATION; i++) {
            hf_simnet_set_server(node.net, API, HF_SIM_SERVER_UP);
            target_of(entry, &entry->r.next)->probe(entry);
            ck_assert(hf_simloop_run_until(node.bare.loop, has_checked, entry, 300 * HF_NS_PER_S));
            hf_simnet_set_server(node.net, API, HF_SIM_SERVER_REFUSING);
            settle(&node);
        }
        /* A failed set may be why the server is away. One that has passed waits for it. */
        ck_assert_int_eq(entry->r.phase, exit_code == 0 ? HF_MANIFEST_PROBATION : HF_MANIFEST_ROLLING_BACK);
        tear_down(&node);
    }
}
END_TEST

/* ---- roll back --------------------------------------------------------------------------------------------------- */

static struct entry *rolling_back(struct node *node)
{
    struct entry *entry = applied(node, ENTRY(",\"prune\":true"), MAP("m", "1"));

    hf_bare_store(&node->bare, &entry->r.next, ENTRY(",\"prune\":true"), "a.yaml", MAP("m", "2") MAP("n", "2"));
    entry->r.phase = HF_MANIFEST_WAITING;
    act(node, HF_MANIFEST_ACT_PLACE);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_PROBATION);
    advance_event(entry, HF_MANIFEST_EV_UNHEALTHY, HF_MANIFEST_REASON_NOT_READY, "not ready");
    settle(node);
    return entry;
}

START_TEST(rolls_back)
{
    static const struct {
        int status;
        const char *body;
        bool lost, unreadable, down;
        unsigned attempts; /* before it ends; 0: it never does */
        bool unproven;
        const char *says;
    } rows[] = {
        {0, NULL, false, false, false, 1, false, "in place again"},
        {422, NO, false, false, false, 5, true, "no"},
        {0, NULL, true, false, false, 1, true, "not ready"},
        {0, NULL, false, true, false, MANIFEST_MAX_UNREADABLE + 1, true, "not ready"},
        {0, NULL, false, false, true, 0, true, "not ready"},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct node node;
        struct entry *entry = rolling_back(&node);
        char path[200];
        unsigned n = 0;
        (void)snprintf(path, sizeof(path), HF_BARE_FOLDER "/b-%s", entry->r.good.digest);
        if (rows[i].status != 0)
            node.api.scripts[0] = (struct ssa_sim_script){"PATCH", MAPS "m", rows[i].status, rows[i].body, 1000};
        if (rows[i].lost)
            hf_simfs_delete(node.bare.fs, path);
        if (rows[i].unreadable)
            hf_simfs_set_unreadable(node.bare.fs, path, true);
        if (rows[i].down)
            hf_simnet_set_server(node.net, API, HF_SIM_SERVER_REFUSING);
        for (; n < 7 && entry->r.phase == HF_MANIFEST_ROLLING_BACK; n++)
            act(&node, HF_MANIFEST_ACT_ROLLBACK);
        ck_assert_msg(n == (rows[i].attempts > 0 ? rows[i].attempts : 7), "row %zu: %u %s", i, n, entry->r.message);
        ck_assert_msg(entry->r.unproven == rows[i].unproven, "row %zu", i);
        ck_assert_msg(strstr(entry->r.message, rows[i].says) != NULL, "row %zu: %s", i, entry->r.message);
        ck_assert_int_eq(object(&node, MAPS "n") == NULL, i == 0);
        tear_down(&node);
    }
}
END_TEST

/* A first set that fails: a namespace may hold more than ours, so a person decides what to delete. */
START_TEST(nothing_to_go_back_to)
{
    struct node node;
    struct entry *entry = placed(&node, ENTRY(""), MAP("m", "1"));

    advance_event(entry, HF_MANIFEST_EV_UNHEALTHY, HF_MANIFEST_REASON_NOT_READY, "not ready");
    settle(&node);
    act(&node, HF_MANIFEST_ACT_ROLLBACK);
    expect(entry, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_NOT_READY, "first");
    ck_assert_ptr_nonnull(object(&node, MAPS "m"));
    tear_down(&node);
}
END_TEST

/* ---- drift ------------------------------------------------------------------------------------------------------- */

static bool look(struct node *node)
{
    struct entry *entry = node->bare.entry;

    entry->cluster.has_just_looked = false;
    drift_want(&entry->drift);
    bool began = target_of(entry, &entry->r.good)->look(entry);
    settle(node);
    return began;
}

START_TEST(drifts)
{
    struct node node;
    struct entry *entry = applied(&node, ENTRY(""), MAP("m", "1"));

    ck_assert(look(&node));
    ck_assert(entry->drift.state == HF_DRIFT_CLEAN && entry->cluster.has_just_looked && entry->r.drifts == 0);
    drift_want(&entry->drift);
    ck_assert(!target_of(entry, &entry->r.good)->look(entry)); /* what else the entry has to do comes first */
    (void)json_object_del(node.api.objects, MAPS "m");
    ck_assert(look(&node));
    ck_assert(object(&node, MAPS "m") != NULL && entry->r.drifts == 1);
    ck_assert_int_eq(entry->r.reason, HF_MANIFEST_REASON_DRIFT_REPAIRED);
    ck_assert_uint_eq(node.bare.told[HF_MANIFEST_NOTICE_DRIFT_REPAIRED], 1);
    /* The server is away, or refuses to take it back. */
    hf_simnet_set_server(node.net, API, HF_SIM_SERVER_REFUSING);
    ck_assert(look(&node));
    ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_API_UNREACHABLE);
    ck_assert_int_eq(entry->drift.state, HF_DRIFT_PACED);
    hf_simnet_set_server(node.net, API, HF_SIM_SERVER_UP);
    (void)json_object_del(node.api.objects, MAPS "m");
    node.api.scripts[0] = (struct ssa_sim_script){"PATCH", MAPS "m", 422, NO, 1};
    ck_assert(look(&node));
    ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_API_REFUSED);
    for (unsigned i = 0; i <= HF_REPAIR_BURST; i++) { /* somebody deletes it all the time */
        (void)json_object_del(node.api.objects, MAPS "m");
        drift_spend(&entry->drift, hf_steer_core_now_ns(&node.bare.engine.core));
    }
    entry->cluster.has_just_looked = false;
    drift_want(&entry->drift);
    ck_assert(target_of(entry, &entry->r.good)->look(entry));
    (void)hf_simloop_run_for(node.bare.loop, 20 * HF_NS_PER_S);
    ck_assert(entry->drift.state == HF_DRIFT_PACED && object(&node, MAPS "m") == NULL);
    entry->cluster.has_just_looked = false;
    ck_assert(!target_of(entry, &entry->r.good)->look(entry)); /* before its time */
    tear_down(&node);
}
END_TEST

START_TEST(looks_only_at_a_good_set)
{
    struct node node;
    struct entry *entry = applied(&node, ENTRY(""), MAP("m", "1"));
    char path[200];

    entry->r.phase = HF_MANIFEST_PROBATION;
    ck_assert(!look(&node));
    entry->r.phase = HF_MANIFEST_APPLIED;
    (void)json_object_del(node.api.objects, MAPS "m");
    (void)snprintf(path, sizeof(path), HF_BARE_FOLDER "/b-%s", entry->r.good.digest);
    hf_simfs_delete(node.bare.fs, path);
    ck_assert(look(&node));
    ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_SOURCE_UNREACHABLE);
    ck_assert(object(&node, MAPS "m") == NULL && !entry->busy);
    json_decref(hf_steal(entry->r.objects));
    ck_assert(!look(&node));
    tear_down(&node);
}
END_TEST

/* ---- removal ----------------------------------------------------------------------------------------------------- */

static void never(struct entry *entry)
{
    ck_abort_msg("%s: the next turn forgets the entry", entry->name);
}

START_TEST(removes)
{
    struct node node;
    struct entry *entry = applied(&node, ENTRY(",\"prune\":true"), MAP("a", "1") MAP("b", "1"));
    const struct target_ops *target = target_of(entry, &entry->r.good);
    char text[100], root[HF_FILES_MAX_PATH] = "x";

    ck_assert(!target->find_root(entry, NULL, NULL, &entry->r.good, root) && root[0] == '\0');
    ck_assert_int_eq(target->make_inventory(entry, NULL), 0);
    ck_assert(!target->lacks_all(entry) && !target->needs_probe(entry) && !target->prepares(entry));
    ck_assert(target->remove(entry, never));
    settle(&node);
    ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_PRUNE_LIMIT);
    ck_assert_ptr_nonnull(object(&node, MAPS "a"));
    (void)snprintf(text, sizeof(text), "site:%.12s", entry->r.good.digest);
    node.bare.engine.allow_prune = strdup(text);
    ck_assert(target->remove(entry, never));
    settle(&node);
    ck_assert(object(&node, MAPS "a") == NULL && entry->r.objects == NULL);
    ck_assert(!target->remove(entry, never)); /* nothing is left */
    free(node.bare.engine.allow_prune);
    tear_down(&node);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, places);
    tcase_add_test(tc, inventory_first);
    tcase_add_test(tc, prunes);
    tcase_add_test(tc, health);
    tcase_add_test(tc, not_ready);
    tcase_add_test(tc, server_is_away);
    tcase_add_test(tc, starts_too_often);
    tcase_add_test(tc, put_back_on_trial);
    tcase_add_test(tc, not_put_back_on_trial);
    tcase_add_test(tc, somebody_puts_it_back);
    tcase_add_test(tc, nobody_looks_after_the_checks);
    tcase_add_test(tc, rolls_back);
    tcase_add_test(tc, nothing_to_go_back_to);
    tcase_add_test(tc, drifts);
    tcase_add_test(tc, looks_only_at_a_good_set);
    tcase_add_test(tc, removes);
}

HF_TEST_MAIN("manifests/target_cluster", cases)
