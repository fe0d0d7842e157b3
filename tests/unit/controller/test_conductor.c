/* SPDX-License-Identifier: Apache-2.0 */
/* The conductor on virtual time, against a model of a kube-apiserver: outages, a restored backup, objects that the
 * engine does not take. */
#include "controller/fleet/conductor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/format.h"
#include "codec/json.h"
#include "support/check_main.h"
#include "support/fakes/apiserver_sim.h"
#include "web/metrics.h"

#define S HF_NS_PER_S

enum { NODES = 20, INTERVAL_S = 60 };

static struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simapi *api;
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_kube_config config;
    struct hf_kube *kube;
    struct hf_metrics *metrics;
    struct hf_conductor *conductor;
    bool leads;
    uint64_t epoch, floor; /* floor: last argument of saw_epoch */
    unsigned sequence;
    long long most_unknown, cutoff; /* that any status of an EdgeUpdate has had */
} w;

/* ---- the cluster ------------------------------------------------------------------------------------------------- */

static void put_node(unsigned i)
{
    ck_assert_uint_ne(hf_simapi_put(w.api, json_pack("{s:s, s:s, s:{s:o}}", "apiVersion", "v1", "kind", "Node",
                                                     "metadata", "name", json_sprintf("n%u", i))),
                      0);
}

static void report_wait(unsigned i, const char *digest, const char *phase, const char *reason)
{
    char observed[HF_TIME_TEXT];

    (void)hf_format_time(HF_SIM_UNIX_START + hf_simloop_now_ns(w.loop), observed);
    json_t *object =
        json_pack("{s:s, s:s, s:{s:o}, s:{s:I, s:s, s:{s:s}, s:[{s:s, s:s, s:s, s:s}]}}", "apiVersion",
                  "edge.codcompass.io/v1alpha1", "kind", "EdgeNode", "metadata", "name", json_sprintf("n%u", i),
                  "status", "sequence", (json_int_t)++w.sequence, "observedTime", observed, "policy", "interval", "1m",
                  "updates", "name", "app", "digest", digest, "phase", phase, "reason", reason);
    ck_assert_ptr_nonnull(object);
    ck_assert_uint_ne(hf_simapi_put(w.api, object), 0);
}

static void report(unsigned i, const char *digest, const char *phase)
{
    report_wait(i, digest, phase, "");
}

static void put_update(const char *name, const char *strategy)
{
    char text[1200];
    json_t *object = NULL;

    (void)snprintf(text, sizeof(text),
                   "apiVersion: edge.codcompass.io/v1alpha1\n"
                   "kind: EdgeUpdate\n"
                   "metadata: {name: %s}\n"
                   "spec:\n"
                   "  release: {name: app, version: '2', sequence: 2, expires: '2090-01-01T00:00:00Z',\n"
                   "    artifacts: [{arch: amd64, url: 'https://x.example/a', size: 1,\n"
                   "      sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}],\n"
                   "    install: {path: /opt/x}}\n"
                   "  %s\n",
                   name, strategy);
    ck_assert_int_eq(hf_yaml_parse((struct hf_view){text, strlen(text)}, NULL, &object, NULL), 0);
    ck_assert_uint_ne(hf_simapi_put(w.api, object), 0);
}

static void changed(void *arg, const char *type, const char *kind, json_t *object)
{
    (void)arg, (void)type;
    if (strcmp(kind, "EdgeUpdate") != 0)
        return;
    w.most_unknown = HF_MAX(w.most_unknown, hf_json_int_or(object, "status.nodes.unknown", 0));
    w.cutoff = HF_MAX(w.cutoff, hf_json_int_or(object, "status.rollout.cutoff", 0));
}

static const char *of_update(const char *name, const char *path)
{
    return hf_json_str_or(hf_simapi_get(w.api, "EdgeUpdate", name), path, "");
}

/* The value of a metric without labels, or of the line that begins with `name`. */
static double metric(const char *name)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);

    ck_assert_int_eq(hf_metrics_format(w.metrics, &text), 0);
    const char *line = hf_buf_str(&text);
    size_t n = strlen(name);
    while (line != NULL && strncmp(line, name, n) != 0) {
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    ck_assert_ptr_nonnull(line);
    return strtod(line + n, NULL);
}

static bool has_status(const char *name)
{
    return json_array_size(hf_json_at(hf_simapi_get(w.api, "EdgeUpdate", name), "status.conditions")) > 0;
}

static unsigned silent_nodes(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < NODES; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "n%u", i);
        const json_t *conditions = hf_json_at(hf_simapi_get(w.api, "EdgeNode", name), "status.conditions");
        n += strcmp(hf_json_str_or(json_array_get(conditions, 0), "reason", ""), "NodeSilent") == 0;
    }
    return n;
}

/* ---- the world --------------------------------------------------------------------------------------------------- */

static bool leads(void *arg)
{
    return ((const struct world *)arg)->leads;
}

static bool may_collect(void *arg)
{
    (void)arg;
    return false;
}

static uint64_t heard_ns(void *arg)
{
    (void)arg;
    return 0;
}

static bool saw_epoch(void *arg, uint64_t epoch)
{
    if (epoch > 1000000)
        return false;
    ((struct world *)arg)->floor = epoch;
    return true;
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
    hf_simapi_on_change(w.api, changed, NULL);
}

static void conduct(void)
{
    const struct hf_kube_params kube = {.config = &w.config,
                                        .api = HF_KUBE_APISERVER,
                                        .field_manager = "holdfast-controller",
                                        .world = hf_simproc_world(w.proc, NULL),
                                        .http = hf_simclient_ops(w.client),
                                        .fleet = true,
                                        .spread_ns = S};
    const struct hf_conductor_params params = {
        .env = {.world = {.sched = hf_simproc_sched(w.proc), .clock = hf_simproc_clock(w.proc), .metrics = w.metrics},
                .leads = leads,
                .arg = &w},
        .identity = "a",
        .may_collect = may_collect,
        .heard_ns = heard_ns,
        .saw_epoch = saw_epoch};
    struct hf_conductor_params with_kube = params;

    w.kube = with_kube.env.kube = hf_kube_new(&kube, NULL);
    ck_assert_ptr_nonnull(w.kube);
    w.conductor = hf_conductor_new(&with_kube, NULL);
    ck_assert_ptr_nonnull(w.conductor);
    w.leads = true;
    hf_conductor_lead(w.conductor, w.epoch = 1);
}

static void end(void)
{
    hf_conductor_free(w.conductor);
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

/* ---- outages ----------------------------------------------------------------------------------------------------- */

#define STRATEGY "strategy: {waves: [{percent: 50, soak: 1m}, {percent: 100}], unknownAfter: 6m}"

/* Nodes report every minute from now on, and work for ever; those below `from` are gone. */
static void work_on(unsigned from, unsigned seconds, const char *digest)
{
    for (unsigned s = 0; s < seconds; s++) {
        for (unsigned i = from; i < NODES; i++)
            if ((s + i * 3) % INTERVAL_S == 0)
                report(i, digest, "Fetching");
        run(1);
    }
}

/* The API server is away for longer than unknownAfter, and the agents come back over five minutes. No node counts as
 * silent before it had that time, so nobody marks it, and the next wave does not open in its absence. Then two nodes
 * are really silent. */
START_TEST(an_outage_makes_no_node_silent)
{
    char digest[65];

    start();
    for (unsigned i = 0; i < NODES; i++)
        put_node(i);
    put_update("app", STRATEGY);
    conduct();
    run(10);
    (void)snprintf(digest, sizeof(digest), "%s", of_update("app", "status.rollout.digest"));
    ck_assert_uint_eq(strlen(digest), 64);
    work_on(0, 300, digest);
    ck_assert_int_eq(w.cutoff, 5000);
    ck_assert_str_eq(of_update("app", "status.rollout.phase"), "Wave");

    hf_simnet_set_server(w.net, "https://api", HF_SIM_SERVER_REFUSING);
    run(1200);
    hf_simnet_set_server(w.net, "https://api", HF_SIM_SERVER_UP);
    for (unsigned i = 0; i < NODES; i++) {
        run(15);
        if (i >= 2)
            report(i, digest, "Fetching");
    }
    work_on(2, 20, digest); /* with the time before the outage, less than one and a half intervals */
    ck_assert_int_eq(w.most_unknown, 0);
    ck_assert_uint_eq(silent_nodes(), 0);
    ck_assert_int_eq(w.cutoff, 5000);

    work_on(2, 600, digest);
    ck_assert_int_eq(w.most_unknown, 2);
    ck_assert_uint_eq(silent_nodes(), 2);
    ck_assert_int_eq(w.cutoff, 5000);
    end();
}
END_TEST

/* A stage soaks only while the nodes can report that it fails. A short flap costs only itself. */
START_TEST(an_outage_is_no_soak)
{
    char digest[65];

    start();
    for (unsigned i = 0; i < NODES; i++)
        put_node(i);
    put_update("app", "strategy: {waves: [{percent: 50, soak: 4m}, {percent: 100}]}");
    conduct();
    run(10);
    (void)snprintf(digest, sizeof(digest), "%s", of_update("app", "status.rollout.digest"));
    for (unsigned i = 0; i < NODES; i++)
        report(i, digest, "Committed");
    run(60);
    ck_assert_str_eq(of_update("app", "status.rollout.phase"), "WaveSoak");
    hf_simnet_set_server(w.net, "https://api", HF_SIM_SERVER_REFUSING);
    run(_i == 0 ? 5 : 60);
    hf_simnet_set_server(w.net, "https://api", HF_SIM_SERVER_UP);
    run(150);
    ck_assert_int_eq(w.cutoff, 5000);
    run(60);
    ck_assert_int_eq(w.cutoff, _i == 0 ? 10000 : 5000);
    run(330);
    ck_assert_int_eq(w.cutoff, 10000);
    end();
}
END_TEST

/* ---- a restored backup ------------------------------------------------------------------------------------------- */

/* The watches resume from above the server's revision and bring nothing. After the word of the Lease, the conductor
 * learns what is there, and what is not any more. */
START_TEST(a_backup_is_restored)
{
    start();
    hf_simapi_rewind(w.api, 900);
    put_node(0);
    put_node(1);
    put_update("lost", "nodeSelector: {}");
    put_update("kept", "nodeSelector: {}");
    conduct();
    run(30);
    ck_assert(has_status("lost"));
    ck_assert(metric("holdfast_rollout_updates ") == 2 && metric("holdfast_fleet_nodes{state=\"nodes\"} ") == 2);

    hf_simnet_set_server(w.net, "https://api", HF_SIM_SERVER_REFUSING);
    run(20);
    ck_assert(hf_simapi_delete(w.api, "EdgeUpdate", "lost") && hf_simapi_delete(w.api, "Node", "n1"));
    hf_simapi_rewind(w.api, 200);
    put_node(0);
    put_update("kept", "nodeSelector: {}");
    hf_simnet_set_server(w.net, "https://api", HF_SIM_SERVER_UP);
    run(100);
    put_update("new", "nodeSelector: {}");
    run(100);
    ck_assert(!has_status("new"));
    ck_assert(!has_status("kept"));

    hf_kube_restored(w.kube);
    run(30);
    ck_assert(has_status("new"));
    ck_assert(has_status("kept"));
    ck_assert(metric("holdfast_rollout_updates ") == 2 && metric("holdfast_fleet_nodes{state=\"nodes\"} ") == 1);
    put_update("next", "nodeSelector: {}");
    run(10);
    ck_assert(has_status("next"));
    ck_assert_uint_le(hf_simapi_counts(w.api)->lists + hf_simapi_counts(w.api)->watchlists, 15);
    end();
}
END_TEST

/* Without the word of the Lease, conflicts that no watch explains show it, too. */
START_TEST(conflicts_without_a_reason)
{
    start();
    put_update("app", "nodeSelector: {}");
    hf_simapi_fail_at(w.api, "/status?", 409);
    conduct();
    run(50);
    unsigned lists = hf_simapi_counts(w.api)->watchlists;
    ck_assert_uint_eq(lists, HF_ROLLOUT_KINDS);
    for (int i = 0; i < 20; i++) { /* watches that bring something are not deaf */
        run(10);
        put_node(0);
    }
    ck_assert_uint_eq(hf_simapi_counts(w.api)->watchlists, lists);
    run(80);
    ck_assert_uint_eq(hf_simapi_counts(w.api)->exact_lists, lists);
    ck_assert_uint_eq(hf_simapi_counts(w.api)->watchlists, 2 * lists);
    run(480);
    ck_assert_uint_eq(hf_simapi_counts(w.api)->exact_lists, lists);
    ck_assert_uint_eq(hf_simapi_counts(w.api)->watchlists, 2 * lists);
    hf_simapi_fail_at(w.api, NULL, 0);
    run(20);
    ck_assert(has_status("app"));
    end();
}
END_TEST

/* ---- epochs ------------------------------------------------------------------------------------------------------ */

static json_t *edgenode(unsigned i)
{
    char name[16];

    (void)snprintf(name, sizeof(name), "n%u", i);
    return hf_simapi_get(w.api, "EdgeNode", name);
}

/* A stolen agent writes an epoch that no leader can have had. The controller does not follow it, and overwrites it
 * before it gives a turn in the group of this node. */
START_TEST(a_false_epoch)
{
    char digest[65];

    start();
    for (unsigned i = 0; i < 2; i++)
        put_node(i);
    put_update("app", "strategy: {waves: [{percent: 100}], disruption: {groupBy: zone, maxUnavailable: 1}}");
    conduct();
    run(10);
    (void)snprintf(digest, sizeof(digest), "%s", of_update("app", "status.rollout.digest"));
    for (unsigned i = 0; i < 2; i++) {
        report_wait(i, digest, "Verified", "TurnPending");
        json_t *stolen = json_deep_copy(edgenode(i));
        ck_assert_int_eq(hf_json_put(stolen, "spec.epoch", json_integer(i == 0 ? INT32_MAX : 1)), 0);
        ck_assert_uint_ne(hf_simapi_put(w.api, stolen), 0);
    }
    run(60);
    ck_assert_uint_eq(w.floor, 1);
    ck_assert_int_eq(hf_json_int_or(edgenode(0), "spec.epoch", 0), 1);
    ck_assert_uint_eq(json_array_size(hf_json_at(edgenode(0), "spec.turns")) +
                          json_array_size(hf_json_at(edgenode(1), "spec.turns")),
                      1);
    end();
}
END_TEST

/* ---- objects that the engine does not take ----------------------------------------------------------------------- */

/* An EdgeUpdate beyond the limit gets its turn when another one is deleted. */
START_TEST(one_update_too_many)
{
    char name[16];
    unsigned lists;

    start();
    for (unsigned i = 0; i <= HF_ROLLOUT_MAX_UPDATES; i++) {
        (void)snprintf(name, sizeof(name), "u%03u", i);
        put_update(name, "nodeSelector: {}");
    }
    conduct();
    run(300);
    ck_assert(has_status("u000") && has_status("u499") && !has_status("u500"));
    lists = hf_simapi_counts(w.api)->watchlists;
    ck_assert_uint_le(lists, 4);
    ck_assert(hf_simapi_delete(w.api, "EdgeUpdate", "u007"));
    run(70);
    ck_assert(has_status("u500"));
    ck_assert_uint_eq(hf_simapi_counts(w.api)->watchlists, lists + 1);
    (void)hf_simapi_delete(w.api, "EdgeUpdate", "u008");
    run(300);
    ck_assert_uint_eq(hf_simapi_counts(w.api)->watchlists, lists + 1);
    end();
}
END_TEST

static unsigned fails; /* times that the engine finds no memory for n1 */

int __real_hf_rollout_engine_take_edgenode(struct hf_rollout_engine *engine, const json_t *edgenode,
                                           const struct hf_rollout_now *now);
int __wrap_hf_rollout_engine_take_edgenode(struct hf_rollout_engine *engine, const json_t *edgenode,
                                           const struct hf_rollout_now *now);
int __wrap_hf_rollout_engine_take_edgenode(struct hf_rollout_engine *engine, const json_t *edgenode,
                                           const struct hf_rollout_now *now)
{
    if (fails == 0 || strcmp(hf_json_str_or(edgenode, "metadata.name", ""), "n1") != 0)
        return __real_hf_rollout_engine_take_edgenode(engine, edgenode, now);
    fails--;
    return -ENOMEM;
}

/* An object for which memory ran out comes again after a minute, and again until the engine has it. */
START_TEST(no_memory_for_one)
{
    start();
    for (unsigned i = 0; i < 2; i++) {
        put_node(i);
        report(i, "", "Idle");
    }
    conduct();
    fails = 2;
    run(50);
    ck_assert(metric("holdfast_fleet_nodes{state=\"edgenodes\"} ") == 1 && fails == 1);
    ck_assert_uint_eq(hf_simapi_counts(w.api)->watchlists, HF_ROLLOUT_KINDS);
    run(30);
    ck_assert(metric("holdfast_fleet_nodes{state=\"edgenodes\"} ") == 1 && fails == 0);
    run(60);
    ck_assert(metric("holdfast_fleet_nodes{state=\"edgenodes\"} ") == 2);
    run(300);
    ck_assert_uint_eq(hf_simapi_counts(w.api)->watchlists, HF_ROLLOUT_KINDS + 2);
    end();
}
END_TEST

static unsigned lost_answers; /* answers for which the engine finds no memory */

int __real_hf_rollout_engine_result(struct hf_rollout_engine *engine, uint64_t id, int r, const json_t *object,
                                    const struct hf_rollout_now *now);
int __wrap_hf_rollout_engine_result(struct hf_rollout_engine *engine, uint64_t id, int r, const json_t *object,
                                    const struct hf_rollout_now *now);
int __wrap_hf_rollout_engine_result(struct hf_rollout_engine *engine, uint64_t id, int r, const json_t *object,
                                    const struct hf_rollout_now *now)
{
    if (lost_answers == 0 || object == NULL)
        return __real_hf_rollout_engine_result(engine, id, r, object, now);
    lost_answers--;
    ck_assert_int_eq(__real_hf_rollout_engine_result(engine, id, r, NULL, now), 0);
    return -ENOMEM;
}

/* Without memory for the object in an answer, only its kind is listed again. */
START_TEST(no_memory_for_an_answer)
{
    start();
    put_update("app", "nodeSelector: {}");
    conduct();
    lost_answers = 1;
    run(50);
    ck_assert(lost_answers == 0 && has_status("app"));
    ck_assert_uint_eq(hf_simapi_counts(w.api)->watchlists, HF_ROLLOUT_KINDS);
    run(300);
    ck_assert_uint_eq(hf_simapi_counts(w.api)->watchlists, HF_ROLLOUT_KINDS + 1);
    put_update("next", "nodeSelector: {}");
    run(10);
    ck_assert(has_status("next"));
    end();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, an_outage_makes_no_node_silent);
    tcase_add_loop_test(tc, an_outage_is_no_soak, 0, 2);
    tcase_add_test(tc, a_backup_is_restored);
    tcase_add_test(tc, conflicts_without_a_reason);
    tcase_add_test(tc, a_false_epoch);
    tcase_add_test(tc, one_update_too_many);
    tcase_add_test(tc, no_memory_for_one);
    tcase_add_test(tc, no_memory_for_an_answer);
}

HF_TEST_MAIN("controller/conductor", cases)
