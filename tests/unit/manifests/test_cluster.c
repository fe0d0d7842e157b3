/* SPDX-License-Identifier: Apache-2.0 */
/* The target Cluster (manifests/cluster/cluster.h) against support/fakes/ssa_sim.h, on virtual time. */
#include "manifests/cluster/cluster.h"

#include <errno.h>
#include <string.h>

#include "kube/kube.h"
#include "manifests/cluster/set.h"
#include "support/check_main.h"
#include "support/fakes/simnet.h"
#include "support/fakes/ssa_sim.h"

struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    struct hf_manifest_env env;
    struct ssa_sim api;
    /* the outcome of the last run */
    unsigned ends, journals;
    int journal_r;
    json_t *journal;
    struct hf_manifest_outcome outcome;
    struct hf_cluster_run *run;
    json_t *inventory;
};

/* ---- the world --------------------------------------------------------------------------------------------------- */

static void world_start(struct world *world, enum hf_kube_api api)
{
    *world = (struct world){.loop = hf_simloop_new(3)};
    ssa_sim_init(&world->api);
    world->net = hf_simnet_new(world->loop);
    hf_simnet_serve(world->net, "https://api", ssa_sim_handle, &world->api);
    world->proc = hf_simproc_new(world->loop, "agent");
    world->client = hf_simnet_client(world->net, world->proc);
    world->config.server = strdup("https://api:6443");
    struct hf_kube_params params = {
        .config = &world->config,
        .api = api,
        .field_manager = "holdfast-agent",
        .world = hf_simproc_world(world->proc, NULL),
        .http = hf_simclient_ops(world->client),
    };
    world->kube = hf_kube_new(&params, NULL);
    world->env =
        (struct hf_manifest_env){.world = hf_simproc_world(world->proc, NULL), .kube = world->kube, .node_name = "n1"};
}

static void forget_log(struct world *world)
{
    ssa_sim_forget_log(&world->api);
}

static void world_end(struct world *world)
{
    hf_cluster_run_free(world->run);
    (void)hf_simloop_run_for(world->loop, HF_NS_PER_S); /* a forgotten job ends */
    hf_kube_free(world->kube);
    ck_assert_uint_eq(hf_simproc_timers(world->proc), 0);
    ck_assert_uint_eq(hf_simclient_calls(world->client), 0);
    hf_simclient_free(world->client);
    hf_simproc_free(world->proc);
    hf_simnet_free(world->net);
    hf_simloop_free(world->loop);
    hf_kube_config_done(&world->config);
    ssa_sim_done(&world->api);
    json_decref(world->inventory);
    json_decref(world->journal);
    hf_manifest_outcome_done(&world->outcome);
}

static void done(void *arg, const struct hf_manifest_outcome *outcome)
{
    struct world *world = arg;

    world->run = NULL;
    world->ends++;
    hf_manifest_outcome_done(&world->outcome);
    world->outcome = *outcome;
    if (outcome->inventory != NULL) {
        json_decref(world->inventory);
        world->inventory = json_incref(outcome->inventory);
    }
}

static void journal(void *arg, const json_t *inventory)
{
    struct world *world = arg;

    world->journals++;
    json_decref(world->journal);
    world->journal = json_deep_copy(inventory);
    for (size_t i = 0; i < world->api.n_log; i++)
        ck_assert_msg(strncmp(world->api.log[i], "GET", 3) == 0, "a write before the journal: %s", world->api.log[i]);
    hf_cluster_run_journaled(world->run, world->journal_r);
}

static struct hf_bundle *bundle_of(const char *text)
{
    struct hf_bundle *bundle = hf_bundle_new();

    ck_assert_int_eq(hf_bundle_add(bundle, "a.yaml", 0, hf_view_of(text), NULL), 0);
    ck_assert_int_eq(hf_bundle_seal(bundle, NULL), 0);
    return bundle;
}

/* Options of a run. */
struct how {
    bool force, prune, beyond, repair;
    const char *entry; /* NULL: "site" */
};

static void begin(struct world *world, const char *text, struct how how)
{
    struct hf_bundle *bundle = text != NULL ? bundle_of(text) : NULL;
    struct hf_cluster_apply_params params = {
        .env = &world->env,
        .entry = how.entry != NULL ? how.entry : "site",
        .bundle = bundle,
        .inventory = world->inventory,
        .force = how.force,
        .repair = how.repair,
        .prune = how.prune,
        .may_prune_beyond = how.beyond,
        .journal = journal,
        .done = done,
        .arg = world,
    };

    forget_log(world);
    world->ends = 0;
    ck_assert_int_eq(hf_cluster_apply_start(&params, &world->run, NULL), 0);
    ck_assert_uint_eq(world->ends, 0);
    hf_bundle_free(bundle); /* the run has copied the texts */
}

static void apply_text(struct world *world, const char *text, struct how how)
{
    begin(world, text, how);
    (void)hf_simloop_run_for(world->loop, 3600 * HF_NS_PER_S);
    ck_assert_uint_eq(world->ends, 1);
}

static void check(struct world *world)
{
    const struct hf_cluster_check_params params = {
        .env = &world->env, .entry = "site", .inventory = world->inventory, .done = done, .arg = world};

    forget_log(world);
    world->ends = 0;
    ck_assert_int_eq(hf_cluster_check_start(&params, &world->run, NULL), 0);
    (void)hf_simloop_run_for(world->loop, 3600 * HF_NS_PER_S);
    ck_assert_uint_eq(world->ends, 1);
    for (size_t i = 0; i < world->api.n_log; i++)
        ck_assert_msg(strncmp(world->api.log[i], "GET", 3) == 0, "a check writes: %s", world->api.log[i]);
}

static unsigned logged(const struct world *world, const char *line)
{
    return ssa_sim_logged(&world->api, line);
}

/* Index of the first such request; fails if there is none. */
static size_t place(const struct world *world, const char *line)
{
    for (size_t i = 0; i < world->api.n_log; i++)
        if (strcmp(world->api.log[i], line) == 0)
            return i;
    ck_abort_msg("no request '%s'", line);
    return 0;
}

static void expect(const struct world *world, int r, enum hf_manifest_reason reason, const char *words)
{
    const struct hf_manifest_outcome *outcome = &world->outcome;

    ck_assert_msg(outcome->r == r && outcome->reason == reason, "r=%d reason=%s: %s", outcome->r,
                  hf_manifest_reason_name(outcome->reason), outcome->message);
    ck_assert_msg(strstr(outcome->message, words) != NULL, "'%s' is not in '%s'", words, outcome->message);
}

#define MAPS "/api/v1/namespaces/site/configmaps/"
#define OWN_NODE "/apis/edge.codcompass.io/v1alpha1/edgenodes/n1"
#define NAMESPACE "apiVersion: v1\nkind: Namespace\nmetadata: {name: site}\n---\n"
#define MAP(name, value)                                                                                               \
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name ", namespace: site}\ndata: {k: '" value "'}\n---\n"
#define WEB "/apis/apps/v1/namespaces/site/deployments/web"
#define DEPLOYMENT(image)                                                                                              \
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: site}\nspec: {image: " image "}\n---\n"

/* ---- applying ---------------------------------------------------------------------------------------------------- */

START_TEST(applies_in_order_and_only_once)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, DEPLOYMENT("a") MAP("m", "1") NAMESPACE, (struct how){.prune = true});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert(world.outcome.applied == 3 && world.outcome.changed == 3 && world.outcome.drifted == 0);
    ck_assert_uint_lt(place(&world, "PATCH /api/v1/namespaces/site"), place(&world, "PATCH " MAPS "m"));
    ck_assert_uint_lt(place(&world, "PATCH " MAPS "m"), place(&world, "PATCH " WEB));
    ck_assert_uint_eq(json_array_size(world.inventory), 3);
    ck_assert_uint_eq(json_array_size(world.journal), 3);
    ck_assert_uint_eq(world.journals, 1);
    ck_assert_uint_eq(world.api.n_log, 2 + 3 + 3); /* two groups, three looks, three writes */
    const json_t *web = json_array_get(world.inventory, 2);
    ck_assert_str_eq(hf_json_str_or(web, "resource", ""), "deployments");
    ck_assert_str_ne(hf_json_str_or(web, "uid", ""), "");
    ck_assert_uint_eq(strlen(hf_json_str_or(web, "fields", "")), 16);
    ck_assert_str_eq(hf_json_str_or(json_object_get(world.api.objects, WEB), "metadata.labels", "-"), "-");
    ck_assert_str_eq(json_string_value(json_object_get(
                         hf_json_at(json_object_get(world.api.objects, WEB), "metadata.labels"), HF_CLUSTER_LABEL)),
                     "site");
    apply_text(&world, DEPLOYMENT("a") MAP("m", "1") NAMESPACE, (struct how){.prune = true});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert(world.outcome.applied == 3 && world.outcome.changed == 0 && world.outcome.drifted == 0);
    apply_text(&world, DEPLOYMENT("b") MAP("m", "1") NAMESPACE, (struct how){.prune = true});
    ck_assert(world.outcome.applied == 3 && world.outcome.changed == 1 && world.outcome.drifted == 0);
    world_end(&world);
}
END_TEST

START_TEST(stays_below_its_rate)
{
    struct world world;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    uint64_t began;

    world_start(&world, HF_KUBE_APISERVER);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(hf_buf_addf(&text, "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m%d}\n", i), 0);
    began = hf_simloop_now_ns(world.loop);
    begin(&world, text.p, (struct how){.prune = false});
    while (world.ends == 0)
        ck_assert(hf_simloop_step(world.loop));
    ck_assert_uint_eq(world.outcome.applied, 100);
    uint64_t took = hf_simloop_now_ns(world.loop) - began;
    ck_assert_uint_ge(took, 99 * HF_NS_PER_S / HF_CLUSTER_PER_SECOND);
    ck_assert_uint_le(took, 10 * HF_NS_PER_S);
    ck_assert_uint_eq(logged(&world, "GET /api/v1"), 1);
    world_end(&world);
}
END_TEST

#define CRD                                                                                                            \
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\n"      \
    "spec: {group: example.com, scope: Namespaced, names: {kind: Thing, plural: things}, versions: [{name: "           \
    "v1}]}\n---\n"
#define THING "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\n---\n"
#define CRD_PATH "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com"

static void establish(void *arg)
{
    struct world *world = arg;
    json_t *crd = json_object_get(world->api.objects, CRD_PATH);

    ck_assert_ptr_nonnull(crd);
    ck_assert_uint_eq(logged(world, "PATCH /apis/example.com/v1/namespaces/default/things/t"), 0);
    ssa_sim_put(crd, "status.conditions", json_pack("[{s:s, s:s}]", "type", "Established", "status", "True"));
}

START_TEST(a_kind_is_established_before_its_objects)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    world.api.late = "/apis/example.com/v1";
    hf_simloop_post(world.loop, 5 * HF_NS_PER_S, establish, &world);
    apply_text(&world, THING CRD, (struct how){.prune = true});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_uint_eq(world.outcome.applied, 2);
    ck_assert_uint_eq(logged(&world, "GET /apis/example.com/v1"), 0); /* the definition says it all */
    world_end(&world);
}
END_TEST

START_TEST(a_kind_that_nobody_establishes)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    world.api.late = "/apis/example.com/v1";
    apply_text(&world, THING CRD MAP("m", "1"), (struct how){.prune = true});
    expect(&world, -EAGAIN, HF_MANIFEST_REASON_NOT_READY, "2 of 3 objects; first: CustomResourceDefinition");
    ck_assert_uint_eq(logged(&world, "PATCH " MAPS "m"), 1); /* costs itself and what needs it */
    world_end(&world);
}
END_TEST

START_TEST(a_kind_that_the_server_lacks)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, THING MAP("m", "1"), (struct how){.prune = true});
    expect(&world, -EPERM, HF_MANIFEST_REASON_API_REFUSED, "Thing t: the API server has no kind Thing");
    ck_assert_uint_eq(json_array_size(world.inventory), 1);
    ck_assert_uint_eq(logged(&world, "PATCH " MAPS "m"), 1);
    world_end(&world);
}
END_TEST

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *method, *path;
    int status;
    const char *body;
    bool force;
    int r;
    enum hf_manifest_reason reason;
    const char *words;
} refusals[] = {
    {"conflict", "PATCH", WEB, 409,
     "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"message\":\"Apply failed\",\"details\":{\"causes\":["
     "{\"reason\":\"FieldManagerConflict\",\"message\":\"conflict with \\\"kubectl-edit\\\" using apps/v1\","
     "\"field\":\".spec.replicas\"}]}}",
     false, -EPERM, HF_MANIFEST_REASON_CONFLICT,
     "Deployment site/web: .spec.replicas belongs to the manager \"kubectl-edit\"; `force: true`"},
    {"forbidden", "PATCH", WEB, 403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"cannot patch\"}",
     false, -EPERM, HF_MANIFEST_REASON_API_REFUSED, "cannot patch; the chart's value manifests.cluster.rules"},
    {"no right to look", "GET", WEB, 403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"cannot get\"}",
     false, -EPERM, HF_MANIFEST_REASON_API_REFUSED, "manifests.cluster.rules"},
    {"invalid", "PATCH", WEB, 422, "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"message\":\"spec.image: required\"}",
     true, -EPERM, HF_MANIFEST_REASON_API_REFUSED, "spec.image: required"},
    {"no namespace", "PATCH", WEB, 404,
     "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"namespaces \\\"site\\\" not found\"}", false, -EPERM,
     HF_MANIFEST_REASON_API_REFUSED, "namespaces \"site\" not found"},
    {"wrong type of a field", "PATCH", WEB, 500,
     "{\"kind\":\"Status\",\"message\":\"failed to create typed patch object: .spec.x: expected string\"}", false,
     -EPERM, HF_MANIFEST_REASON_API_REFUSED, ".spec.x: expected string"},
    {"a webhook that fails", "PATCH", WEB, 500, "{\"kind\":\"Status\",\"message\":\"failed calling webhook\"}", false,
     -EAGAIN, HF_MANIFEST_REASON_API_UNREACHABLE, "failed calling webhook"},
    {"a server behind the API server that is down", "PATCH", WEB, 503,
     "{\"kind\":\"Status\",\"message\":\"service unavailable\"}", false, -EAGAIN, HF_MANIFEST_REASON_API_UNREACHABLE,
     "Deployment site/web: the server answered 503: service unavailable"},
    {"no discovery", "GET", "/apis/apps/v1", 403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\"}", false, -EPERM,
     HF_MANIFEST_REASON_API_REFUSED, "403"},
    {"no discovery now", "GET", "/apis/apps/v1", 503, "{\"kind\":\"Status\"}", false, -EAGAIN,
     HF_MANIFEST_REASON_API_UNREACHABLE, "503"},
};

START_TEST(a_refusal_names_the_object_and_costs_it_alone)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    world.api.scripts[0] =
        (struct ssa_sim_script){refusals[_i].method, refusals[_i].path, refusals[_i].status, refusals[_i].body, 9};
    world.inventory = json_pack("[{s:s, s:s, s:s, s:s, s:s}]", "apiVersion", "v1", "kind", "ConfigMap", "name", "old",
                                "resource", "configmaps", "namespace", "site");
    apply_text(&world, DEPLOYMENT("a") MAP("m", "1"), (struct how){.prune = true, .force = refusals[_i].force});
    expect(&world, refusals[_i].r, refusals[_i].reason, refusals[_i].words);
    ck_assert_uint_eq(logged(&world, "DELETE " MAPS "old"), 0); /* nothing is removed after a failure */
    ck_assert_int_eq(world.outcome.pruned, 0);
    ck_assert(world.outcome.answered);
    if (strncmp(refusals[_i].name, "no discovery", 12) != 0) {
        ck_assert_uint_eq(world.outcome.applied, 1);
        ck_assert_uint_eq(json_array_size(world.inventory), 2); /* the map, and the old one */
    }
    world_end(&world);
}
END_TEST

START_TEST(immutable_fields)
{
    struct world world;
    char first[60];

    world_start(&world, HF_KUBE_APISERVER);
    world.api.immutable = WEB;
    apply_text(&world, DEPLOYMENT("a"), (struct how){.prune = false});
    (void)snprintf(first, sizeof(first), "%s", hf_json_str_or(json_array_get(world.inventory, 0), "uid", ""));
    apply_text(&world, DEPLOYMENT("b"), (struct how){.prune = false});
    expect(&world, -EPERM, HF_MANIFEST_REASON_IMMUTABLE, "`force: true` deletes the object and creates it anew");
    ck_assert_uint_eq(logged(&world, "DELETE " WEB), 0);
    ck_assert_uint_eq(json_array_size(world.inventory), 1);
    /* A new object that the server would not take deletes nothing. */
    world.api.scripts[0] =
        (struct ssa_sim_script){"POST", "/apis/apps/v1/namespaces/site/deployments", 422,
                                "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"message\":\"bad image\"}", 1};
    apply_text(&world, DEPLOYMENT("b"), (struct how){.force = true});
    expect(&world, -EPERM, HF_MANIFEST_REASON_API_REFUSED,
           "cannot be deleted and created: the server answered 422: bad");
    ck_assert_uint_eq(logged(&world, "DELETE " WEB), 0);
    apply_text(&world, DEPLOYMENT("b"), (struct how){.force = true});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_uint_eq(logged(&world, "DELETE " WEB), 1);
    ck_assert_str_ne(first, hf_json_str_or(json_array_get(world.inventory, 0), "uid", ""));
    ck_assert_uint_eq(world.outcome.changed, 1);
    world_end(&world);
}
END_TEST

START_TEST(a_repair_takes_fields_over_and_deletes_nothing)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    world.api.immutable = WEB;
    apply_text(&world, DEPLOYMENT("a"), (struct how){.prune = false});
    apply_text(&world, DEPLOYMENT("a"), (struct how){.prune = false});
    ck_assert_str_eq(world.api.force, "false");
    apply_text(&world, DEPLOYMENT("a"), (struct how){.repair = true});
    ck_assert_str_eq(world.api.force, "true");
    apply_text(&world, DEPLOYMENT("b"), (struct how){.repair = true});
    expect(&world, -EPERM, HF_MANIFEST_REASON_IMMUTABLE, "`force: true` deletes the object and creates it anew");
    world_end(&world);
}
END_TEST

START_TEST(never_replaces_what_takes_more_with_it)
{
    struct world world;
    static const char claim[] = "/api/v1/namespaces/site/persistentvolumeclaims/data";
#define CLAIM(size)                                                                                                    \
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: site}\nspec: {size: " size "}\n"

    world_start(&world, HF_KUBE_APISERVER);
    world.api.immutable = claim;
    apply_text(&world, CLAIM("1"), (struct how){.force = true});
    apply_text(&world, CLAIM("2"), (struct how){.force = true});
    expect(&world, -EPERM, HF_MANIFEST_REASON_IMMUTABLE, "does not delete and create this object");
    ck_assert_ptr_nonnull(json_object_get(world.api.objects, claim));
    /* Nor what its annotation keeps. */
    world.api.immutable = WEB;
    apply_text(&world, DEPLOYMENT("a"), (struct how){.force = true});
    ssa_sim_put(json_object_get(world.api.objects, WEB), "metadata.annotations",
                json_pack("{s:s}", HF_CLUSTER_PRUNE_ANNOTATION, "disabled"));
    apply_text(&world, DEPLOYMENT("b"), (struct how){.force = true});
    expect(&world, -EPERM, HF_MANIFEST_REASON_IMMUTABLE, "does not delete and create");
    world_end(&world);
}
END_TEST

START_TEST(two_entries_with_one_object)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, MAP("m", "1"), (struct how){.entry = "other"});
    json_decref(world.inventory);
    world.inventory = NULL;
    apply_text(&world, MAP("m", "2"), (struct how){.entry = "site"});
    expect(&world, -EPERM, HF_MANIFEST_REASON_CONFLICT, "the entry 'other' applies it too");
    ck_assert_uint_eq(json_array_size(world.inventory), 0);
    apply_text(&world, MAP("m", "2"), (struct how){.entry = "site", .force = true});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    world_end(&world);
}
END_TEST

START_TEST(an_object_that_is_being_deleted)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, MAP("m", "1"), (struct how){.prune = true});
    ssa_sim_put(json_object_get(world.api.objects, MAPS "m"), "metadata.deletionTimestamp", json_string("x"));
    apply_text(&world, MAP("m", "1"), (struct how){.prune = true});
    expect(&world, -EAGAIN, HF_MANIFEST_REASON_NOT_READY, "metadata.finalizers");
    ck_assert_uint_eq(logged(&world, "PATCH " MAPS "m"), 0);
    (void)json_object_del(world.api.objects, MAPS "m");
    apply_text(&world, MAP("m", "1"), (struct how){.prune = true});
    expect(&world, 0, HF_MANIFEST_REASON_DRIFT_REPAIRED, "ConfigMap site/m (missing)");
    world_end(&world);
}
END_TEST

#define MANY                                                                                                           \
    MAP("a", "1")                                                                                                      \
    MAP("b", "1")                                                                                                      \
    MAP("c", "1") MAP("d", "1") MAP("e", "1") MAP("f", "1") MAP("g", "1") MAP("h", "1") MAP("i", "1") MAP("j", "1")

/* ---- the server is away ------------------------------------------------------------------------------------------ */

START_TEST(a_server_that_is_away_loses_nothing)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, MAP("m", "1") MAP("n", "1"), (struct how){.prune = true});
    hf_simnet_set_server(world.net, "https://api", HF_SIM_SERVER_REFUSING);
    apply_text(&world, MAP("m", "2"), (struct how){.prune = true});
    ck_assert_int_eq(world.outcome.r, -EAGAIN);
    ck_assert_int_eq(world.outcome.reason, HF_MANIFEST_REASON_API_UNREACHABLE);
    ck_assert_uint_eq(json_array_size(world.inventory), 2);
    check(&world);
    ck_assert_int_eq(world.outcome.r, -EAGAIN);
    ck_assert_uint_eq(json_array_size(world.inventory), 2);
    hf_simnet_set_server(world.net, "https://api", HF_SIM_SERVER_UP);
    /* Busy for a moment: the run waits as long as the server says. */
    world.api.scripts[0] = (struct ssa_sim_script){"PATCH", MAPS "m", 503, "{\"kind\":\"Status\"}", 2};
    apply_text(&world, MAP("m", "2") MAP("n", "1"), (struct how){.prune = true});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_uint_eq(logged(&world, "PATCH " MAPS "m"), 3);
    world_end(&world);
}
END_TEST

/* A proxy answers 503 to everything in the place of the server, or the server's store is away: no object is at fault. */
START_TEST(a_server_that_fails_with_everything)
{
    static const char body[] = "{\"kind\":\"Status\",\"message\":\"no leader\"}";
    int status = _i == 0 ? 503 : 500;
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, MAP("m", "1") MAP("n", "1"), (struct how){.prune = true});
    world.api.scripts[0] = (struct ssa_sim_script){"GET", MAPS "m", status, body, 100};
    world.api.scripts[1] = (struct ssa_sim_script){"PATCH", MAPS "m", status, body, 100};
    world.api.scripts[2] = (struct ssa_sim_script){"GET", OWN_NODE, status, body, 100};
    apply_text(&world, MAP("m", "2") MAP("n", "2"), (struct how){.prune = true});
    expect(&world, -EAGAIN, HF_MANIFEST_REASON_API_UNREACHABLE, "no leader");
    ck_assert(!world.outcome.answered);
    ck_assert_uint_eq(logged(&world, "PATCH " MAPS "n"), 0);
    check(&world);
    expect(&world, -EAGAIN, HF_MANIFEST_REASON_API_UNREACHABLE, "no leader");
    ck_assert(!world.outcome.answered);
    world_end(&world);
}
END_TEST

/* A server that asks for pauses of a day ends the run within its time; one that asks for a minute gets it. */
START_TEST(a_pause_that_the_server_asks_for)
{
    struct world world;
    uint64_t began;

    world_start(&world, HF_KUBE_APISERVER);
    world.api.scripts[0] = (struct ssa_sim_script){"PATCH", MAPS "m", 429, "{\"kind\":\"Status\"}", _i == 0 ? 10 : 1};
    world.api.retry_after_ns = _i == 0 ? 86400 * HF_NS_PER_S : 60 * HF_NS_PER_S;
    began = hf_simloop_now_ns(world.loop);
    begin(&world, MAP("m", "1"), (struct how){.prune = true});
    while (world.ends == 0)
        ck_assert(hf_simloop_step(world.loop));
    ck_assert_uint_lt(hf_simloop_now_ns(world.loop) - began, _i == 0 ? HF_CLUSTER_TIME_NS : 70 * HF_NS_PER_S);
    if (_i == 0)
        expect(&world, -EAGAIN, HF_MANIFEST_REASON_API_UNREACHABLE, "429");
    else
        expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    world_end(&world);
}
END_TEST

/* Many objects are being deleted, and something keeps them: the run has one time for all of them. */
START_TEST(many_objects_that_are_being_deleted)
{
    struct world world;
    uint64_t began;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, MANY, (struct how){.prune = true});
    for (void *at = json_object_iter(world.api.objects); at != NULL; at = json_object_iter_next(world.api.objects, at))
        ssa_sim_put(json_object_iter_value(at), "metadata.deletionTimestamp", json_string("x"));
    began = hf_simloop_now_ns(world.loop);
    begin(&world, MANY, (struct how){.prune = true});
    while (world.ends == 0)
        ck_assert(hf_simloop_step(world.loop));
    ck_assert_uint_lt(hf_simloop_now_ns(world.loop) - began, HF_CLUSTER_TIME_NS + 10 * HF_NS_PER_S);
    expect(&world, -EAGAIN, HF_MANIFEST_REASON_NOT_READY, "10 of 10 objects; first: ConfigMap");
    world_end(&world);
}
END_TEST

/* A server that has just started refuses for a moment. A right that is missing costs a run a few requests, and not a
 * few for each object. */
START_TEST(a_server_that_has_just_started)
{
    static const char body[] = "{\"kind\":\"Status\",\"message\":\"no right\"}";
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    world.api.scripts[0] = (struct ssa_sim_script){"GET", "/api/v1", 403, body, 3};
    apply_text(&world, MAP("m", "1") MAP("n", "1"), (struct how){.prune = true});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_uint_eq(logged(&world, "GET /api/v1"), 4);
    world.api.scripts[0] = (struct ssa_sim_script){"PATCH", MAPS "m", 403, body, 9};
    world.api.scripts[1] = (struct ssa_sim_script){"PATCH", MAPS "n", 403, body, 9};
    apply_text(&world, MAP("m", "2") MAP("n", "2"), (struct how){.prune = true});
    expect(&world, -EPERM, HF_MANIFEST_REASON_API_REFUSED, "2 of 2 objects");
    ck_assert_uint_eq(logged(&world, "PATCH " MAPS "m"), 4);
    ck_assert_uint_eq(logged(&world, "PATCH " MAPS "n"), 1);
    world_end(&world);
}
END_TEST

START_TEST(a_proxy_that_drops_writes)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    (void)json_object_set_new(world.api.objects, MAPS "m",
                              json_pack("{s:s, s:{s:s}}", "kind", "ConfigMap", "metadata", "uid", "u"));
    world.api.drops = true;
    apply_text(&world, MAP("m", "1"), (struct how){.prune = true});
    expect(&world, -EAGAIN, HF_MANIFEST_REASON_API_UNREACHABLE, "a local proxy dropped the write");
    world_end(&world);
}
END_TEST

START_TEST(no_api_server)
{
    struct world world;

    world_start(&world, _i == 0 ? HF_KUBE_METASERVER : HF_KUBE_APISERVER);
    if (_i == 1)
        world.env.kube = NULL;
    apply_text(&world, MAP("m", "1"), (struct how){.prune = true});
    expect(&world, -EOPNOTSUPP, HF_MANIFEST_REASON_UNSUPPORTED, "needs an API server");
    apply_text(&world, NULL, (struct how){.prune = true});
    expect(&world, -EOPNOTSUPP, HF_MANIFEST_REASON_UNSUPPORTED, "needs an API server");
    check(&world);
    expect(&world, -EOPNOTSUPP, HF_MANIFEST_REASON_UNSUPPORTED, "needs an API server");
    ck_assert_uint_eq(world.api.n_log, 0);
    world_end(&world);
}
END_TEST

static const struct {
    const char *text;
    int r;
    enum hf_manifest_reason reason;
    const char *words;
} bad[] = {
    {"# nothing\n", -ENODATA, HF_MANIFEST_REASON_SOURCE_EMPTY, "no object"},
    {"a: 1\n", -EBADMSG, HF_MANIFEST_REASON_NOT_MANIFESTS, "'a.yaml', document 1: 'apiVersion'"},
    {"a: [\n", -EBADMSG, HF_MANIFEST_REASON_NOT_MANIFESTS, "a.yaml"},
    {MAP("m", "1") MAP("m", "2"), -EEXIST, HF_MANIFEST_REASON_NOT_MANIFESTS, "ConfigMap site/m is in"},
};

START_TEST(a_bad_source_touches_nothing)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, MAP("m", "1"), (struct how){.prune = true});
    apply_text(&world, bad[_i].text, (struct how){.prune = true, .beyond = true});
    expect(&world, bad[_i].r, bad[_i].reason, bad[_i].words);
    ck_assert_uint_eq(world.api.n_log, 0);
    ck_assert_uint_eq(json_array_size(world.inventory), 1);
    world_end(&world);
}
END_TEST

START_TEST(a_journal_that_cannot_be_written)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    world.journal_r = _i == 0 ? -ENOSPC : -E2BIG;
    apply_text(&world, MAP("m", "1"), (struct how){.prune = true});
    if (_i == 0)
        expect(&world, -EAGAIN, HF_MANIFEST_REASON_WRITE_FAILED, "no object is applied");
    else
        expect(&world, -E2BIG, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, "no object is applied");
    ck_assert(_i == 0 || world.outcome.inventory == NULL); /* the caller keeps the one that it has */
    ck_assert_uint_eq(json_object_size(world.api.objects), 0);
    world_end(&world);
}
END_TEST

/* ---- pruning ----------------------------------------------------------------------------------------------------- */

#define FIVE MAP("a", "1") MAP("b", "1") MAP("c", "1") MAP("d", "1")

START_TEST(prunes_in_reverse_and_within_the_guard)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, FIVE NAMESPACE DEPLOYMENT("a"), (struct how){.prune = true});
    ck_assert_uint_eq(json_array_size(world.inventory), 6);
    /* Two of six are more than 30 %, and more than one: nothing is written. */
    apply_text(&world, FIVE, (struct how){.prune = true});
    expect(&world, -EPERM, HF_MANIFEST_REASON_PRUNE_LIMIT, "2 of 6 objects");
    ck_assert_uint_eq(logged(&world, "PATCH " MAPS "a"), 0);
    ck_assert_uint_eq(json_object_size(world.api.objects), 6);
    ck_assert_uint_eq(json_array_size(world.inventory), 6);
    apply_text(&world, FIVE, (struct how){.prune = true, .beyond = true});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_uint_eq(world.outcome.pruned, 2);
    ck_assert_uint_lt(place(&world, "DELETE " WEB), place(&world, "DELETE /api/v1/namespaces/site"));
    ck_assert_uint_lt(place(&world, "PATCH " MAPS "d"), place(&world, "DELETE " WEB));
    ck_assert_uint_eq(json_array_size(world.inventory), 4);
    /* One alone passes the guard. */
    apply_text(&world, MAP("a", "1") MAP("b", "1") MAP("c", "1"), (struct how){.prune = true});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_uint_eq(world.outcome.pruned, 1);
    /* The entry is gone. */
    apply_text(&world, NULL, (struct how){.prune = true});
    expect(&world, -EPERM, HF_MANIFEST_REASON_PRUNE_LIMIT, "3 of 3");
    apply_text(&world, NULL, (struct how){.prune = true, .beyond = true});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_uint_eq(json_object_size(world.api.objects), 0);
    ck_assert_uint_eq(json_array_size(world.inventory), 0);
    world_end(&world);
}
END_TEST

START_TEST(without_prune_objects_stay_and_are_forgotten)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, MAP("a", "1") MAP("b", "1"), (struct how){.prune = false});
    apply_text(&world, MAP("a", "1"), (struct how){.prune = false});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_uint_eq(json_object_size(world.api.objects), 2);
    ck_assert_uint_eq(json_array_size(world.inventory), 1);
    world_end(&world);
}
END_TEST

/* How an object that the set no longer has stopped being ours. */
static void keep_by_annotation(json_t *object)
{
    ssa_sim_put(object, "metadata.annotations", json_pack("{s:s}", HF_CLUSTER_PRUNE_ANNOTATION, "disabled"));
}
static void other_label(json_t *object)
{
    (void)json_object_set_new(hf_json_mutable(hf_json_at(object, "metadata.labels")), HF_CLUSTER_LABEL,
                              json_string("x"));
}
static void no_fields(json_t *object)
{
    ssa_sim_put(object, "metadata.managedFields",
                json_pack("[{s:s, s:s, s:{}}]", "manager", "helm", "operation", "Apply", "fieldsV1"));
}
static void (*const estrangements[])(json_t *object) = {keep_by_annotation, other_label, no_fields};

START_TEST(never_prunes_what_is_not_ours)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, FIVE, (struct how){.prune = true});
    estrangements[_i](json_object_get(world.api.objects, MAPS "d"));
    apply_text(&world, MAP("a", "1") MAP("b", "1") MAP("c", "1"), (struct how){.prune = true});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_uint_eq(world.outcome.pruned, 0);
    ck_assert_uint_eq(logged(&world, "DELETE " MAPS "d"), 0);
    ck_assert_ptr_nonnull(json_object_get(world.api.objects, MAPS "d"));
    ck_assert_uint_eq(json_array_size(world.inventory), 3);
    world_end(&world);
}
END_TEST

/* The inventory may have the uid of an earlier object of this name. */
START_TEST(prunes_what_was_made_again)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, FIVE, (struct how){.prune = true});
    ssa_sim_put(json_object_get(world.api.objects, MAPS "d"), "metadata.uid", json_string("newer"));
    apply_text(&world, MAP("a", "1") MAP("b", "1") MAP("c", "1"), (struct how){.prune = true});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_ptr_null(json_object_get(world.api.objects, MAPS "d"));
    world_end(&world);
}
END_TEST

START_TEST(a_removal_that_is_refused_is_tried_again)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, FIVE, (struct how){.prune = true});
    world.api.scripts[0] =
        (struct ssa_sim_script){"DELETE", MAPS "d", 403, "{\"kind\":\"Status\",\"message\":\"no right\"}", 4};
    apply_text(&world, MAP("a", "1") MAP("b", "1") MAP("c", "1"), (struct how){.prune = true});
    expect(&world, -EPERM, HF_MANIFEST_REASON_API_REFUSED, "ConfigMap site/d: the server answered 403: no right");
    ck_assert_uint_eq(json_array_size(world.inventory), 4);
    apply_text(&world, MAP("a", "1") MAP("b", "1") MAP("c", "1"), (struct how){.prune = true});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_uint_eq(json_array_size(world.inventory), 3);
    world_end(&world);
}
END_TEST

/* The answer to the apply of an object was lost, so its item has no uid. A removal that the server refuses keeps the
 * item, so that the next one finds the object. */
START_TEST(a_removal_of_an_object_whose_answer_was_lost)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, MAP("m", "1"), (struct how){.prune = true});
    (void)json_object_del(json_array_get(world.inventory, 0), "uid");
    (void)json_object_del(json_array_get(world.inventory, 0), "fields");
    world.api.scripts[0] = (struct ssa_sim_script){_i == 0 ? "GET" : "DELETE", MAPS "m", 403,
                                                   "{\"kind\":\"Status\",\"message\":\"no right\"}", 4};
    apply_text(&world, NULL, (struct how){.prune = true});
    expect(&world, -EPERM, HF_MANIFEST_REASON_API_REFUSED, "no right");
    ck_assert_uint_eq(json_array_size(world.inventory), 1);
    apply_text(&world, NULL, (struct how){.prune = true});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_uint_eq(json_array_size(world.inventory), 0);
    ck_assert_uint_eq(json_object_size(world.api.objects), 0);
    world_end(&world);
}
END_TEST

/* ---- checking ---------------------------------------------------------------------------------------------------- */

START_TEST(finds_drift_and_only_drift)
{
    struct world world;
    json_t *ours;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, FIVE, (struct how){.prune = true});
    check(&world);
    expect(&world, 0, HF_MANIFEST_REASON_HEALTH_PASSED, "");
    ck_assert(world.outcome.healthy && world.outcome.drifted == 0 && world.outcome.applied == 4);
    ck_assert_uint_eq(world.api.n_log, 4);
    /* Somebody adds a field of his own: no drift. */
    ssa_sim_put(json_object_get(world.api.objects, MAPS "a"), "data.theirs", json_string("x"));
    (void)json_array_append_new(
        hf_json_mutable(hf_json_at(json_object_get(world.api.objects, MAPS "a"), "metadata.managedFields")),
        json_pack("{s:s, s:s, s:{s:{}}}", "manager", "kubectl", "operation", "Update", "fieldsV1", "f:data"));
    check(&world);
    ck_assert(world.outcome.healthy && world.outcome.drifted == 0);
    /* Somebody changes a field of ours: the server takes it from our set. */
    ours = json_array_get(hf_json_at(json_object_get(world.api.objects, MAPS "b"), "metadata.managedFields"), 1);
    (void)json_object_del(json_object_get(ours, "fieldsV1"), "f:data");
    ssa_sim_put(json_object_get(world.api.objects, MAPS "b"), "metadata.drift", json_true());
    (void)json_object_del(world.api.objects, MAPS "c");
    check(&world);
    ck_assert(!world.outcome.healthy && world.outcome.drifted == 2 && world.outcome.applied == 2); /* one is missing */
    ck_assert_str_eq(world.outcome.message, "ConfigMap site/b (content), ConfigMap site/c (missing)");
    apply_text(&world, FIVE, (struct how){.prune = true});
    expect(&world, 0, HF_MANIFEST_REASON_DRIFT_REPAIRED, "ConfigMap site/b (content), ConfigMap site/c (missing)");
    ck_assert(world.outcome.drifted == 2 && world.outcome.changed == 2);
    check(&world);
    ck_assert(world.outcome.healthy && world.outcome.drifted == 0);
    world_end(&world);
}
END_TEST

START_TEST(health_of_what_is_applied)
{
    struct world world;
    json_t *web;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, DEPLOYMENT("a") MAP("m", "1"), (struct how){.prune = true});
    check(&world);
    expect(&world, 0, HF_MANIFEST_REASON_NOT_READY, "Deployment site/web: 0 of 1 replicas exist");
    ck_assert(!world.outcome.healthy && world.outcome.drifted == 0);
    web = json_object_get(world.api.objects, WEB);
    ssa_sim_put(web, "status",
                json_pack("{s:[{s:s, s:s, s:s}]}", "conditions", "type", "Progressing", "status", "False", "reason",
                          "ProgressDeadlineExceeded"));
    check(&world);
    expect(&world, 0, HF_MANIFEST_REASON_HEALTH_FAILED, "ProgressDeadlineExceeded");
    ssa_sim_put(web, "status",
                json_pack("{s:i, s:i, s:i, s:i, s:[{s:s, s:s}]}", "replicas", 1, "readyReplicas", 1, "updatedReplicas",
                          1, "availableReplicas", 1, "conditions", "type", "Available", "status", "True"));
    check(&world);
    expect(&world, 0, HF_MANIFEST_REASON_HEALTH_PASSED, "");
    ck_assert(world.outcome.healthy);
    world.api.scripts[0] =
        (struct ssa_sim_script){"GET", WEB, 403, "{\"kind\":\"Status\",\"message\":\"no right\"}", 4};
    check(&world);
    expect(&world, -EPERM, HF_MANIFEST_REASON_API_REFUSED, "no right");
    world_end(&world);
}
END_TEST

/* Ends a run after n events, for every n: nothing leaks, and the next run finishes what this one began. */
START_TEST(cut_anywhere)
{
    for (unsigned n = 1;; n++) {
        struct world world;
        world_start(&world, HF_KUBE_APISERVER);
        world.api.immutable = WEB;
        apply_text(&world, DEPLOYMENT("a") MAP("m", "1"), (struct how){.force = true});
        begin(&world, DEPLOYMENT("b") MAP("m", "2"), (struct how){.force = true});
        for (unsigned i = 0; i < n && world.ends == 0; i++)
            ck_assert(hf_simloop_step(world.loop));
        bool ended = world.ends > 0;
        hf_cluster_run_free(world.run);
        world.run = NULL;
        apply_text(&world, DEPLOYMENT("b") MAP("m", "2"), (struct how){.force = true});
        ck_assert_int_eq(world.outcome.r, 0);
        ck_assert_str_eq(hf_json_str_or(json_object_get(world.api.objects, WEB), "spec.image", ""), "b");
        ck_assert_uint_eq(json_array_size(world.inventory), 2);
        world_end(&world);
        if (ended)
            break;
        ck_assert_uint_lt(n, 500);
    }
}
END_TEST

#define OLD_WEB "/apis/extensions/v1beta1/namespaces/site/deployments/web"

/* The server shows one object in two groups, and the content names the other one now. */
START_TEST(an_object_moves_to_another_group)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, DEPLOYMENT("a"), (struct how){.prune = true});
    (void)json_object_set_new(json_array_get(world.inventory, 0), "apiVersion", json_string("extensions/v1beta1"));
    (void)json_object_set(world.api.objects, OLD_WEB, json_object_get(world.api.objects, WEB));
    apply_text(&world, DEPLOYMENT("a"), (struct how){.prune = true});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    ck_assert_uint_eq(logged(&world, "DELETE " OLD_WEB), 0);
    ck_assert_uint_eq(json_array_size(world.inventory), 1);
    world_end(&world);
}
END_TEST

/* Two documents become one object when the server says which namespace it has. */
START_TEST(one_object_twice_after_its_scope)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world,
               "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: default}\ndata: {k: '1'}\n---\n"
               "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {k: '2'}\n",
               (struct how){.prune = true});
    expect(&world, -EEXIST, HF_MANIFEST_REASON_NOT_MANIFESTS, "");
    ck_assert_uint_eq(logged(&world, "PATCH "), 0);
    world_end(&world);
}
END_TEST

/* Discovery costs the run more than its time: the server answers each 4th request for a group only. */
static struct {
    struct world *world;
    unsigned asked;
} slow;
static void serve_slowly(void *arg, struct hf_simcall *call)
{
    struct world *world = arg;
    if (strncmp(hf_simcall_target(call), "/apis/g", 7) == 0 && slow.asked++ % 4 != 3)
        return; /* hangs */
    if (strncmp(hf_simcall_target(call), "/apis/g9.", 9) == 0)
        return;
    ssa_sim_handle(&world->api, call);
}
START_TEST(discovery_that_is_too_slow)
{
    struct world world;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);

    world_start(&world, HF_KUBE_APISERVER);
    slow.asked = 0;
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(
            hf_buf_addf(&text, "---\napiVersion: g%d.example.com/v1\nkind: Thing\nmetadata: {name: t}\n", i), 0);
    hf_simnet_serve(world.net, "https://api", serve_slowly, &world);
    apply_text(&world, text.p, (struct how){.prune = true});
    expect(&world, -EAGAIN, HF_MANIFEST_REASON_API_UNREACHABLE, "");
    world_end(&world);
}
END_TEST

/* The machine sleeps for an hour during one discovery. */
static void serve_never(void *arg, struct hf_simcall *call)
{
    struct world *world = arg;
    if (strcmp(hf_simcall_target(call), "/api/v1") == 0)
        return;
    ssa_sim_handle(&world->api, call);
}
static uint64_t slept_ns;
static const struct hf_clock_ops *awake_clock;
static uint64_t mono_after_sleep(void *ctx)
{
    return awake_clock->mono_ns(ctx) + slept_ns;
}
START_TEST(sleep_during_discovery)
{
    struct world world;
    struct hf_clock_ops clock;

    world_start(&world, HF_KUBE_APISERVER);
    hf_simnet_serve(world.net, "https://api", serve_never, &world);
    awake_clock = world.env.world.clock;
    clock = *awake_clock;
    clock.mono_ns = mono_after_sleep;
    world.env.world.clock = &clock;
    slept_ns = 0;
    begin(&world, MAP("m", "1"), (struct how){.prune = true});
    (void)hf_simloop_run_for(world.loop, 10 * HF_NS_PER_S);
    slept_ns = 3600 * HF_NS_PER_S;
    (void)hf_simloop_run_for(world.loop, 3600 * HF_NS_PER_S);
    ck_assert_uint_eq(world.ends, 1);
    expect(&world, -EAGAIN, HF_MANIFEST_REASON_API_UNREACHABLE, "");
    world_end(&world);
}
END_TEST

/* The kind of three objects is not served any more (its APIService or definition is away). Their namespace comes
 * from the scope of the kind, so they count as gone from the source. */
#define WIDGET(name) "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " name "}\n---\n"
START_TEST(a_kind_that_is_away_is_no_removal)
{
    struct world world;

    world_start(&world, HF_KUBE_APISERVER);
    apply_text(&world, WIDGET("a") WIDGET("b") WIDGET("c") MAP("m", "1"), (struct how){.prune = true});
    expect(&world, 0, HF_MANIFEST_REASON_APPLIED, "");
    world.api.scripts[0] = (struct ssa_sim_script){"GET", "/apis/apps/v1", 404, "{\"kind\":\"Status\"}", 9};
    apply_text(&world, WIDGET("a") WIDGET("b") WIDGET("c") MAP("m", "2"), (struct how){.prune = true});
    expect(&world, -EPERM, HF_MANIFEST_REASON_API_REFUSED, "has no kind");
    world_end(&world);
}
END_TEST

static void add_cases(TCase *tc)
{
    tcase_add_test(tc, an_object_moves_to_another_group);
    tcase_add_test(tc, one_object_twice_after_its_scope);
    tcase_add_test(tc, applies_in_order_and_only_once);
    tcase_add_test(tc, stays_below_its_rate);
    tcase_add_test(tc, a_kind_is_established_before_its_objects);
    tcase_add_test(tc, a_kind_that_nobody_establishes);
    tcase_add_test(tc, a_kind_that_the_server_lacks);
    tcase_add_loop_test(tc, a_refusal_names_the_object_and_costs_it_alone, 0, (int)HF_LEN(refusals));
    tcase_add_test(tc, immutable_fields);
    tcase_add_test(tc, a_repair_takes_fields_over_and_deletes_nothing);
    tcase_add_test(tc, never_replaces_what_takes_more_with_it);
    tcase_add_test(tc, two_entries_with_one_object);
    tcase_add_test(tc, an_object_that_is_being_deleted);
    tcase_add_test(tc, a_server_that_is_away_loses_nothing);
    tcase_add_loop_test(tc, a_server_that_fails_with_everything, 0, 2);
    tcase_add_loop_test(tc, a_pause_that_the_server_asks_for, 0, 2);
    tcase_add_test(tc, many_objects_that_are_being_deleted);
    tcase_add_test(tc, a_server_that_has_just_started);
    tcase_add_test(tc, a_proxy_that_drops_writes);
    tcase_add_loop_test(tc, no_api_server, 0, 2);
    tcase_add_loop_test(tc, a_bad_source_touches_nothing, 0, (int)HF_LEN(bad));
    tcase_add_loop_test(tc, a_journal_that_cannot_be_written, 0, 2);
    tcase_add_test(tc, prunes_in_reverse_and_within_the_guard);
    tcase_add_test(tc, without_prune_objects_stay_and_are_forgotten);
    tcase_add_loop_test(tc, never_prunes_what_is_not_ours, 0, (int)HF_LEN(estrangements));
    tcase_add_test(tc, prunes_what_was_made_again);
    tcase_add_test(tc, a_removal_that_is_refused_is_tried_again);
    tcase_add_loop_test(tc, a_removal_of_an_object_whose_answer_was_lost, 0, 2);
    tcase_add_test(tc, finds_drift_and_only_drift);
    tcase_add_test(tc, health_of_what_is_applied);
    tcase_add_test(tc, cut_anywhere);
    tcase_add_test(tc, discovery_that_is_too_slow);
    tcase_add_test(tc, sleep_during_discovery);
    tcase_add_test(tc, a_kind_that_is_away_is_no_removal);
}
HF_TEST_MAIN("manifests/cluster", add_cases)
