/* What an agent promises, told as short stories on virtual time: one node, a real client of a model API server (or MetaServer, or
 * a folder), nothing left to chance. The disturbed ones are in test_agent.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/edgeupdate.h"
#include "base/parse.h"
#include "support/apiserver_sim.h"
#include "support/check_main.h"
#include "support/metaserver_sim.h"
#include "support/simnode.h"

#define S HF_NS_PER_S
#define MINUTE (60 * S)
#define HOUR (60 * MINUTE)

enum { RELEASES = 5 };

static const char *const tempers[RELEASES] = {"healthy", "healthy", "sick", "healthy", "healthy"};
static struct hf_simsite *site;

/* Each story has its own. */
static struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simapi *api;
    struct hf_simmeta *meta;
    struct hf_simnode *node;
    unsigned statuses; /* events of our EdgeNode */
    int64_t sequence;
} w;

enum source { API, META, FOLDER };

static void object_changed(void *arg, const char *type, const char *kind, json_t *object)
{
    (void)arg;
    if (strcmp(kind, "EdgeNode") != 0 || strcmp(type, "DELETED") == 0)
        return;
    w.statuses++;
    w.sequence = hf_json_int_or(object, "status.sequence", 0);
}

static void put_text(const char *text)
{
    char copy[4096];

    (void)snprintf(copy, sizeof(copy), "%s", text);
    for (char *p = copy; *p != '\0'; p++)
        if (*p == '\'')
            *p = '"';
    (void)hf_simapi_put_text(w.api, copy);
}

static void put_node(const char *more_labels)
{
    char text[1024];

    (void)snprintf(text, sizeof(text),
                   "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n1','labels':{'kubernetes.io/arch':'amd64',"
                   "'foreign.example.com/rack':'7'%s}}}",
                   more_labels);
    put_text(text);
}

static void put_policy(const char *spec)
{
    char text[2048];

    (void)snprintf(text, sizeof(text),
                   "{'apiVersion':'edge.codcompass.io/v1alpha1','kind':'SyncPolicy','metadata':{'name':'p'},'spec':%s}",
                   spec);
    put_text(text);
}

static void set_up(enum source source)
{
    static const char *const servers[] = {"https://api", "http://127.0.0.1:10550", NULL};
    const char *wanted = getenv("HF_SIM_LOG");

    w = (struct world){0};
    w.loop = hf_simloop_new(0);
    w.net = hf_simnet_new(w.loop);
    w.api = hf_simapi_new(w.loop, w.net, "https://api");
    hf_simapi_on_change(w.api, object_changed, NULL);
    hf_simsite_serve(site, w.net);
    if (source == META)
        w.meta = hf_simmeta_new(w.loop, w.net, w.api, servers[META]);
    struct hf_simnode_params params = {
        .loop = w.loop, .net = w.net, .site = site, .name = "n1", .server = servers[source], .log = wanted != NULL};
    w.node = hf_simnode_new(&params);
    put_node("");
}

static void tear_down(void)
{
    hf_simnode_free(w.node);
    hf_simmeta_free(w.meta);
    hf_simapi_free(w.api);
    hf_simnet_free(w.net);
    hf_simloop_free(w.loop);
}

static void begin(void)
{
    struct hf_err err = HF_ERR_INIT;
    char text[600];
    int r = hf_simnode_begin(w.node, &err);

    ck_assert_msg(r == 0, "%s", hf_err_text(&err, text, sizeof(text)));
}

static void run(uint64_t ns)
{
    (void)hf_simloop_run_for(w.loop, ns);
}

static void publish(size_t release, const struct hf_simsite_twist *twist)
{
    (void)hf_simapi_put(w.api, hf_simsite_update(site, release, twist));
}

static const json_t *status(void)
{
    return json_object_get(hf_simapi_get(w.api, "EdgeNode", "n1"), "status");
}

static const char *text_at(const char *path)
{
    return hf_json_str_or(status(), path, "");
}

static const json_t *named(const json_t *list, const char *key, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(hf_json_str_or(json_array_get(list, i), key, ""), name) == 0)
            return json_array_get(list, i);
    return NULL;
}

static const json_t *condition(const char *type)
{
    return named(json_object_get(status(), "conditions"), "type", type);
}

static const json_t *update(const char *name)
{
    return named(json_object_get(status(), "updates"), "name", name);
}

static void expect(const json_t *object, const char *key, const char *want)
{
    const char *got = hf_json_str_or(object, key, "(absent)");

    ck_assert_msg(strcmp(got, want) == 0, "%s: '%s', want '%s'", key, got, want);
}

static const char *label(const char *key)
{
    return json_string_value(json_object_get(hf_json_at(hf_simapi_get(w.api, "Node", "n1"), "metadata.labels"), key));
}

/* ---- the straight ways -------------------------------------------------------------------------------------------- */

START_TEST(a_node_introduces_itself)
{
    set_up(API);
    begin();
    run(MINUTE);
    ck_assert_int_eq(w.sequence, 1);
    expect(condition("Ready"), "status", "True");
    expect(condition("Ready"), "reason", "NothingSelected");
    expect(status(), "contact.state", "Fresh");
    expect(status(), "agent.mode", "Host");
    ck_assert_str_eq(label("edge.codcompass.io/arch"), "amd64");
    ck_assert_str_eq(label("foreign.example.com/rack"), "7");
    ck_assert_uint_eq(hf_simapi_counts(w.api)->bare_watches, 0);
    ck_assert_uint_eq(hf_simapi_counts(w.api)->bare_patches, 0);
}
END_TEST

START_TEST(a_delta_is_committed)
{
    set_up(API);
    begin();
    run(30 * S);
    publish(2, NULL);
    run(5 * S);
    ck_assert_uint_eq(hf_simnode_installed(w.node), 2);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    expect(update("edge"), "phase", "Committed");
    expect(update("edge"), "method", "Delta");
    expect(condition("Ready"), "status", "True");
    ck_assert_ptr_null(condition("Reconciling"));
    ck_assert_ptr_null(condition("Stalled"));
}
END_TEST

START_TEST(a_sick_release_comes_back)
{
    set_up(API);
    begin();
    publish(2, NULL);
    run(30 * S);
    publish(3, NULL);
    run(10 * S);
    expect(condition("Reconciling"), "status", "True");
    run(2 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    expect(update("edge"), "phase", "RolledBack");
    expect(condition("Ready"), "status", "False");
    expect(condition("Stalled"), "status", "True");
    publish(4, NULL);
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 4);
    ck_assert_ptr_null(condition("Stalled"));
}
END_TEST

/* Nothing happens for a day: no write to the disk but the clock's, no request but heartbeats and watches that end. */
START_TEST(an_idle_day)
{
    set_up(API);
    put_policy("{'interval':'10m'}");
    begin();
    publish(2, NULL);
    run(HOUR);
    hf_simfs_count_only(w.node->fs, HF_SIMFS_WRITES);
    uint64_t calls = hf_simfs_calls(w.node->fs), asked = hf_simclient_started(w.node->api_client);
    unsigned told = w.statuses;
    run(24 * HOUR);
    /* Eight writings of the clock file. */
    ck_assert_uint_le(hf_simfs_calls(w.node->fs) - calls, 8 * 8);
    ck_assert_uint_ge(w.statuses - told, 24 * 6 - 8);
    ck_assert_uint_le(w.statuses - told, 24 * 6 + 16);
    ck_assert_uint_le(hf_simclient_started(w.node->api_client) - asked, 24 * 6 + 16 + 4 * 48 + 16);
    ck_assert_uint_eq(hf_simapi_counts(w.api)->bare_watches, 0);
}
END_TEST

START_TEST(a_folder_is_enough)
{
    _cleanup_(hf_json_freep) json_t *object = hf_simsite_update(site, 2, NULL);
    char *text = json_dumps(object, 0);
    size_t n = 0;

    set_up(FOLDER);
    hf_simfs_put(w.node->fs, HF_SIMNODE_FOLDER "/edge.json", text, strlen(text), 0644);
    begin();
    run(15 * S);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    const char *kept = hf_simfs_get(w.node->fs, HF_SIMNODE_STATE "/status/EdgeNode-n1.json", &n);
    ck_assert_ptr_nonnull(kept);
    ck_assert_ptr_nonnull(strstr(kept, "\"Committed\""));
    ck_assert(w.node->settled);
    ck_assert_int_eq(hf_agent_result(w.node->agent), 0);
    free(text);
}
END_TEST

/* ---- alone -------------------------------------------------------------------------------------------------------- */

/* The API server goes in the middle of a rollout; the agent is restarted meanwhile and acts on what it remembers. */
START_TEST(alone_on_its_cache)
{
    struct stat st;

    set_up(API);
    begin();
    run(30 * S);
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_DOWN);
    publish(2, NULL);
    run(5 * S);
    ck_assert_uint_eq(hf_simnode_installed(w.node), 1);
    hf_simnode_set_links(w.node, HF_SIM_LINK_DOWN, HF_SIM_LINK_DOWN);
    hf_simnode_end(w.node, true);
    run(HOUR);
    hf_simnode_set_links(w.node, HF_SIM_LINK_DOWN, HF_SIM_LINK_UP);
    unsigned told = w.statuses;
    begin();
    ck_assert(hf_agent_ready(w.node->agent));
    run(20 * S);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    ck_assert_uint_eq(w.statuses, told);
    ck_assert(hf_simfs_stat(w.node->fs, HF_SIMNODE_STATE "/outbox.json", &st));
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_UP);
    run(MINUTE);
    expect(update("edge"), "phase", "Committed");
    expect(status(), "contact.state", "Fresh");
    ck_assert(!hf_simfs_stat(w.node->fs, HF_SIMNODE_STATE "/outbox.json", &st));
}
END_TEST

static void stay_away(const char *on_expiry)
{
    char spec[200];

    set_up(API);
    (void)snprintf(spec, sizeof(spec),
                   "{'interval':'1m','retryInterval':'10s','staleOk':{'window':'2h','onExpiry':'%s'}}", on_expiry);
    put_policy(spec);
    begin();
    run(MINUTE);
    /* The release is known and admitted, its artifact out of reach until long after. */
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_DOWN);
    publish(2, NULL);
    run(10 * S);
    hf_simnode_set_links(w.node, HF_SIM_LINK_DOWN, HF_SIM_LINK_DOWN);
}

static double metric(const char *line)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_METRICS_MAX_TEXT);

    ck_assert_int_eq(hf_metrics_format(w.node->metrics, &text), 0);
    const char *at = strstr(hf_buf_str(&text), line);
    ck_assert_msg(at != NULL, "no '%s'", line);
    return strtod(at + strlen(line), NULL);
}

/* What runs, and what updates came to, for whoever watches a fleet by metrics alone. */
START_TEST(metrics_say_what_runs)
{
    set_up(API);
    begin();
    run(MINUTE);
    publish(2, NULL);
    run(10 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    ck_assert(metric("holdfast_release_info{release=\"edge\",version=\"1.2.0\",phase=\"Committed\"} ") == 1);
    ck_assert(metric("holdfast_update_outcomes_total{outcome=\"Committed\",reason=\"HealthPassed\"} ") >= 1);
    ck_assert(metric("\nholdfast_update_fetched_bytes_total ") > 0);
    ck_assert(metric("\nholdfast_update_rollbacks_total ") == 0);
}
END_TEST

START_TEST(within_the_window_it_goes_on)
{
    stay_away("Hold");
    run(HOUR);
    ck_assert(metric("holdfast_contact_state{state=\"Stale\"} ") == 1);
    hf_simnode_set_links(w.node, HF_SIM_LINK_DOWN, HF_SIM_LINK_UP);
    run(10 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
}
END_TEST

START_TEST(after_the_window_it_holds)
{
    stay_away("Hold");
    run(3 * HOUR);
    ck_assert(metric("holdfast_contact_state{state=\"Expired\"} ") == 1);
    hf_simnode_set_links(w.node, HF_SIM_LINK_DOWN, HF_SIM_LINK_UP);
    run(HOUR);
    ck_assert_uint_eq(hf_simnode_running(w.node), 1);
    hf_simnode_end(w.node, false); /* a restart does not make it younger */
    begin();
    run(HOUR);
    ck_assert_uint_eq(hf_simnode_running(w.node), 1);
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_UP);
    run(2 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    expect(status(), "contact.state", "Fresh");
}
END_TEST

START_TEST(or_continues_if_told_so)
{
    stay_away("Continue");
    run(3 * HOUR);
    hf_simnode_set_links(w.node, HF_SIM_LINK_DOWN, HF_SIM_LINK_UP);
    run(HOUR);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
}
END_TEST

/* A board without a battery wakes up in 1970 after a power cut, away from everything. */
START_TEST(no_battery)
{
    uint64_t last = 0;

    set_up(API);
    put_policy("{'interval':'1m','staleOk':{'window':'2h','onExpiry':'Hold'}}");
    begin();
    run(MINUTE);
    hf_simnode_set_links(w.node, HF_SIM_LINK_DOWN, HF_SIM_LINK_DOWN);
    run(HOUR);
    hf_simnode_end(w.node, true);
    hf_simnode_set_clock(w.node, -(int64_t)(HF_SIM_UNIX_START + hf_simloop_now_ns(w.loop)));
    begin();
    run(MINUTE);
    ck_assert_uint_ge(hf_unix_ns(hf_home_clock(&w.node->home)), HF_SIM_UNIX_START);
    ck_assert(metric("holdfast_contact_state{state=\"Stale\"} ") == 1);
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_UP);
    run(2 * MINUTE);
    ck_assert_int_eq(hf_parse_time(text_at("contact.lastTime"), &last), 0);
    ck_assert_uint_ge(last + 90 * S, HF_SIM_UNIX_START + hf_simloop_now_ns(w.loop));
    ck_assert_uint_le(last, HF_SIM_UNIX_START + hf_simloop_now_ns(w.loop) + 10 * S);
}
END_TEST

/* ---- objects that cannot be used ---------------------------------------------------------------------------------- */

START_TEST(a_refused_version_changes_nothing)
{
    json_t *bad = hf_simsite_update(site, 4, NULL);

    set_up(API);
    begin();
    publish(2, NULL);
    run(30 * S);
    ck_assert_int_eq(hf_json_put(bad, "spec.release.health.deadline", json_string("soon")), 0);
    (void)hf_simapi_put(w.api, bad);
    run(30 * S);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    expect(update("edge"), "phase", "Committed");
    expect(condition("Stalled"), "reason", "ObjectRefused");
    ck_assert_ptr_nonnull(strstr(hf_json_str(condition("Stalled"), "message"), "spec.release.health.deadline"));
    expect(condition("Ready"), "status", "False");
    /* Nor does a restart far from the server. */
    hf_simnode_set_links(w.node, HF_SIM_LINK_DOWN, HF_SIM_LINK_UP);
    hf_simnode_end(w.node, true);
    begin();
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_UP);
    run(MINUTE);
    expect(condition("Stalled"), "reason", "ObjectRefused");
    publish(4, NULL);
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 4);
    ck_assert_ptr_null(condition("Stalled"));
}
END_TEST

START_TEST(others_go_on_beside_a_refused_object)
{
    json_t *bad = hf_simsite_update(site, 4, &(struct hf_simsite_twist){.object_name = "broken"});

    set_up(API);
    ck_assert_int_eq(hf_json_put(bad, "spec.release.artifacts", json_string("all of them")), 0);
    ck_assert_int_eq(hf_json_put(bad, "spec.release.name", json_string("other")), 0);
    (void)hf_simapi_put(w.api, bad);
    begin();
    publish(2, NULL);
    run(30 * S);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    expect(update("edge"), "phase", "Committed");
    expect(update("broken"), "phase", "Rejected");
    expect(update("broken"), "reason", "ObjectRefused");
    (void)hf_simapi_delete(w.api, "EdgeUpdate", "broken");
    run(30 * S);
    ck_assert_ptr_null(update("broken"));
    expect(condition("Ready"), "status", "True");
}
END_TEST

START_TEST(a_refused_policy_leaves_the_last_one)
{
    set_up(API);
    put_policy("{'interval':'1m','labels':{'static':{'edge.codcompass.io/tier':'gold'}}}");
    begin();
    run(10 * S);
    ck_assert_str_eq(label("edge.codcompass.io/tier"), "gold");
    put_policy("{'interval':'often'}");
    run(5 * MINUTE);
    ck_assert_str_eq(label("edge.codcompass.io/tier"), "gold");
    expect(condition("Stalled"), "reason", "ObjectRefused");
    ck_assert_ptr_nonnull(strstr(hf_json_str(condition("Stalled"), "message"), "SyncPolicy 'p'"));
}
END_TEST

/* ---- policy and labels -------------------------------------------------------------------------------------------- */

START_TEST(labels_go_when_they_stop_being_true)
{
    set_up(API);
    put_policy("{'labels':{'static':{'edge.codcompass.io/tier':'gold','edge.codcompass.io/role':'gw'}}}");
    begin();
    run(10 * S);
    ck_assert_str_eq(label("edge.codcompass.io/role"), "gw");
    put_policy("{'labels':{'static':{'edge.codcompass.io/tier':'silver'},'detect':false}}");
    run(30 * S);
    ck_assert_str_eq(label("edge.codcompass.io/tier"), "silver");
    ck_assert_ptr_null(label("edge.codcompass.io/role"));
    ck_assert_ptr_null(label("edge.codcompass.io/arch"));
    ck_assert_str_eq(label("foreign.example.com/rack"), "7");
    unsigned patches = hf_simapi_counts(w.api)->patches;
    run(4 * MINUTE);
    ck_assert_uint_le(hf_simapi_counts(w.api)->patches, patches + 1);
}
END_TEST

START_TEST(parts_not_acted_on_are_named)
{
    set_up(API);
    put_policy("{'disk':{'warnPercent':50},'manifests':[],'telemetry':{}}");
    begin();
    run(10 * S);
    expect(condition("PolicyActedOn"), "status", "False");
    ck_assert_ptr_nonnull(strstr(hf_json_str(condition("PolicyActedOn"), "message"), "disk"));
    ck_assert_ptr_nonnull(strstr(hf_json_str(condition("PolicyActedOn"), "message"), "manifests"));
    ck_assert_ptr_null(strstr(hf_json_str(condition("PolicyActedOn"), "message"), "telemetry"));
    put_policy("{}");
    run(30 * S);
    ck_assert_ptr_null(condition("PolicyActedOn"));
}
END_TEST

START_TEST(a_label_selects)
{
    json_t *object = hf_simsite_update(site, 2, NULL);

    set_up(API);
    ck_assert_int_eq(hf_json_put(object, "spec.nodeSelector.matchLabels.role", json_string("gw")), 0);
    (void)hf_simapi_put(w.api, object);
    begin();
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 1);
    put_node(",'role':'gw'");
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
}
END_TEST

/* Labels are written to a Node that is there; one is never brought into being. */
START_TEST(no_node_is_made)
{
    set_up(API);
    (void)hf_simapi_delete(w.api, "Node", "n1");
    publish(2, NULL);
    begin();
    run(2 * MINUTE);
    ck_assert_ptr_null(hf_simapi_get(w.api, "Node", "n1"));
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    put_node("");
    run(MINUTE);
    ck_assert_str_eq(label("edge.codcompass.io/arch"), "amd64");
}
END_TEST

/* Somebody took the right to write labels away: told by name, asked again seldom, and everything else goes on. */
START_TEST(labels_that_are_refused)
{
    set_up(API);
    put_policy("{'interval':'1m'}");
    begin();
    run(MINUTE);
    put_policy("{'interval':'1m','labels':{'static':{'edge.codcompass.io/tier':'gold'}}}");
    hf_simapi_fail(w.api, 1, 403, 0);
    run(20 * S);
    expect(condition("LabelsApplied"), "status", "False");
    expect(status(), "contact.state", "Fresh");
    run(5 * MINUTE);
    ck_assert_str_eq(label("edge.codcompass.io/tier"), "gold");
    ck_assert_ptr_null(condition("LabelsApplied"));
}
END_TEST

START_TEST(a_server_that_is_busy)
{
    set_up(API);
    put_policy("{'interval':'1m'}");
    begin();
    run(MINUTE);
    int64_t before = w.sequence;
    hf_simapi_fail(w.api, 3, 429, 7 * S);
    publish(2, NULL);
    run(3 * S);
    ck_assert_int_eq(w.sequence, before); /* Retry-After is kept */
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    run(2 * MINUTE);
    ck_assert_int_gt(w.sequence, before);
    expect(update("edge"), "phase", "Committed");
}
END_TEST

/* ---- rollouts ----------------------------------------------------------------------------------------------------- */

static void admit(json_t *object, unsigned cutoff)
{
    struct hf_edgeupdate *decoded = NULL;
    struct hf_issues issues;

    ck_assert_int_eq(hf_json_put(object, "spec.strategy", json_pack("{s:[{s:i}]}", "waves", "percent", 100)), 0);
    ck_assert_int_eq(hf_edgeupdate_decode(object, &decoded, &issues), 0);
    ck_assert_int_eq(hf_json_put(object, "status.admission",
                                 json_pack("{s:s, s:i, s:b}", "digest", decoded->release.digest, "cutoff", (int)cutoff,
                                           "canary", 0)),
                     0);
    hf_edgeupdate_free(decoded);
}

static void publish_admitted(size_t release, const char *name, unsigned cutoff)
{
    json_t *object = hf_simsite_update(site, release, &(struct hf_simsite_twist){.object_name = name});

    admit(object, cutoff);
    (void)hf_simapi_put(w.api, object);
}

START_TEST(a_halt_sends_nobody_back)
{
    set_up(API);
    begin();
    publish_admitted(2, "old", 10000);
    publish_admitted(4, "new", 0);
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    publish_admitted(4, "new", 10000);
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 4);
    publish_admitted(4, "new", 0);
    run(5 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 4);
    expect(update("edge"), "phase", "Committed");
    hf_simnode_end(w.node, true);
    begin();
    run(5 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 4);
    expect(update("edge"), "phase", "Committed");
}
END_TEST

START_TEST(the_highest_wins_and_the_rest_is_named)
{
    set_up(API);
    begin();
    publish(2, &(struct hf_simsite_twist){.object_name = "old"});
    publish(4, &(struct hf_simsite_twist){.object_name = "new"});
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 4);
    expect(condition("Ready"), "message", "1 of 1 updates committed; Superseded: old");
}
END_TEST

START_TEST(a_deleted_update_leaves_what_it_installed)
{
    set_up(API);
    begin();
    publish(2, NULL);
    run(MINUTE);
    (void)hf_simapi_delete(w.api, "EdgeUpdate", "edge");
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    ck_assert_ptr_null(update("edge"));
    expect(condition("Ready"), "reason", "NothingSelected");
}
END_TEST

START_TEST(the_site_says_no)
{
    static const char text[] = "{\"reason\":\"line 3 is running\",\"since\":\"2026-11-20T08:00:00Z\","
                               "\"until\":\"2026-11-20T10:00:00Z\"}";
    set_up(API);
    put_policy("{'interval':'1m'}");
    hf_simfs_put(w.node->fs, HF_SIMNODE_STATE "/hold", text, strlen(text), 0644);
    begin();
    publish(2, NULL);
    run(HOUR);
    ck_assert_uint_eq(hf_simnode_running(w.node), 1);
    expect(status(), "hold.reason", "line 3 is running");
    expect(update("edge"), "phase", "Waiting");
    run(HOUR + MINUTE); /* it ends by itself */
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    ck_assert_ptr_null(json_object_get(status(), "hold"));
    hf_simfs_put(w.node->fs, HF_SIMNODE_STATE "/hold", "stop!", 5, 0644);
    hf_agent_look_at_hold(w.node->agent);
    publish(4, NULL);
    run(HOUR);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    hf_simfs_delete(w.node->fs, HF_SIMNODE_STATE "/hold");
    hf_agent_look_at_hold(w.node->agent);
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 4);
}
END_TEST

/* ---- telling ------------------------------------------------------------------------------------------------------ */

/* The disk was replaced by an image: the server's number is taken over, never undercut. */
START_TEST(a_reflashed_node_counts_on)
{
    static const char *const files[] = {"sequence", "clock", "outbox.json"};
    char path[128];

    set_up(API);
    put_policy("{'interval':'10s'}");
    begin();
    run(10 * MINUTE);
    hf_simnode_end(w.node, false);
    int64_t before = w.sequence;
    ck_assert_int_gt(before, 20);
    for (size_t i = 0; i < HF_LEN(files); i++) {
        (void)snprintf(path, sizeof(path), HF_SIMNODE_STATE "/%s", files[i]);
        hf_simfs_delete(w.node->fs, path);
    }
    begin();
    run(MINUTE);
    ck_assert_int_gt(w.sequence, before);
}
END_TEST

START_TEST(a_deleted_edgenode_is_made_again)
{
    set_up(API);
    begin();
    run(30 * S);
    (void)hf_simapi_delete(w.api, "EdgeNode", "n1");
    run(30 * S);
    expect(condition("Ready"), "status", "True");
}
END_TEST

/* A cloned disk: two agents under one name. They must not drive each other on, and somebody must hear of it. */
START_TEST(two_of_the_same_name)
{
    set_up(API);
    struct hf_simnode_params params = w.node->params;
    begin();
    run(MINUTE);
    struct hf_simnode *twin = hf_simnode_new(&params);
    ck_assert_int_eq(hf_simnode_begin(twin, NULL), 0);
    run(20 * MINUTE);
    expect(condition("NodeNameShared"), "status", "True");
    unsigned told = w.statuses;
    run(HOUR);
    ck_assert_uint_le(w.statuses - told, 2 * 12 + 8); /* their heartbeats */
    hf_simnode_free(twin);
    run(2 * HOUR);
    ck_assert_ptr_null(condition("NodeNameShared"));
}
END_TEST

START_TEST(a_clean_stop_is_remembered)
{
    set_up(API);
    begin();
    run(10 * MINUTE);
    int64_t before = w.sequence;
    unsigned lists = hf_simapi_counts(w.api)->lists + hf_simapi_counts(w.api)->watchlists;
    ck_assert(hf_simnode_stop(w.node));
    run(10 * S);
    begin();
    run(MINUTE);
    ck_assert_int_eq(w.sequence, before + 1);
    /* EdgeUpdates and SyncPolicies are taken up where they were left; Node and EdgeNode are asked for by name. */
    ck_assert_uint_le(hf_simapi_counts(w.api)->lists + hf_simapi_counts(w.api)->watchlists, lists + 2);
}
END_TEST

START_TEST(a_disk_that_refuses_is_told)
{
    set_up(API);
    put_policy("{'interval':'1m'}");
    begin();
    run(MINUTE);
    hf_simfs_set_read_only(w.node->fs, "/", true);
    publish(2, NULL);
    run(2 * MINUTE);
    expect(condition("StateWritable"), "status", "False");
    expect(status(), "contact.state", "Fresh");
    hf_simfs_set_read_only(w.node->fs, "/", false);
    run(5 * MINUTE);
    ck_assert_ptr_null(condition("StateWritable"));
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
}
END_TEST

/* ---- behind a MetaServer ------------------------------------------------------------------------------------------ */

START_TEST(behind_a_metaserver)
{
    set_up(META);
    put_policy("{'interval':'1m','retryInterval':'10s'}");
    begin();
    publish(2, NULL);
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    expect(update("edge"), "phase", "Committed");
    /* Away: what is deleted meanwhile is not believed to be gone, an empty list takes nothing away. */
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_DOWN);
    hf_simmeta_cut(w.meta);
    run(5 * MINUTE);
    unsigned told = w.statuses;
    (void)hf_simapi_delete(w.api, "EdgeUpdate", "edge");
    (void)hf_simapi_delete(w.api, "SyncPolicy", "p");
    run(30 * MINUTE);
    ck_assert_uint_eq(w.node->agent != NULL, 1);
    ck_assert(metric("holdfast_objects{kind=\"EdgeUpdate\"} ") == 1);
    ck_assert_uint_eq(w.statuses, told);
    /* Back: within an interval the deletion is acted on, and the status arrives once. */
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_UP);
    hf_simmeta_heal(w.meta, 40 * S);
    run(40 * S + 90 * S);
    ck_assert(metric("holdfast_objects{kind=\"EdgeUpdate\"} ") == 0);
    ck_assert_ptr_null(update("edge"));
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    ck_assert_uint_le(w.statuses, told + 4);
}
END_TEST

START_TEST(ghosts_start_nothing)
{
    _cleanup_(hf_json_freep) json_t *object = hf_simsite_update(site, 4, NULL);

    set_up(META);
    put_policy("{'interval':'1m','retryInterval':'10s'}");
    begin();
    publish(2, NULL);
    run(MINUTE);
    ck_assert_int_eq(hf_json_put(object, "metadata.resourceVersion", json_string("1")), 0);
    ck_assert_int_eq(hf_json_put(object, "metadata.name", json_string("ghost")), 0);
    char *text = json_dumps(object, 0);
    hf_simmeta_haunt(w.meta, text);
    free(text);
    hf_simnode_end(w.node, true);
    begin();
    run(10 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
}
END_TEST

/* ---- */

static void make_site(void)
{
    site = hf_simsite_new("edge", RELEASES, tempers);
}

static void free_site(void)
{
    hf_simsite_free(site);
}

/* HF_SIM_STORY=name tells only that one. */
#define add(tc, story)                                                                                                 \
    do {                                                                                                               \
        const char *only_ = getenv("HF_SIM_STORY");                                                                    \
        if (only_ == NULL || strcmp(only_, #story) == 0)                                                               \
            tcase_add_test((tc), story);                                                                               \
    } while (0)

static void cases(TCase *tc)
{
    tcase_add_unchecked_fixture(tc, make_site, free_site);
    tcase_add_checked_fixture(tc, NULL, tear_down);
    add(tc, a_node_introduces_itself);
    add(tc, a_delta_is_committed);
    add(tc, a_sick_release_comes_back);
    add(tc, an_idle_day);
    add(tc, a_folder_is_enough);
    add(tc, alone_on_its_cache);
    add(tc, metrics_say_what_runs);
    add(tc, within_the_window_it_goes_on);
    add(tc, after_the_window_it_holds);
    add(tc, or_continues_if_told_so);
    add(tc, no_battery);
    add(tc, a_refused_version_changes_nothing);
    add(tc, others_go_on_beside_a_refused_object);
    add(tc, a_refused_policy_leaves_the_last_one);
    add(tc, labels_go_when_they_stop_being_true);
    add(tc, parts_not_acted_on_are_named);
    add(tc, a_label_selects);
    add(tc, no_node_is_made);
    add(tc, labels_that_are_refused);
    add(tc, a_server_that_is_busy);
    add(tc, a_halt_sends_nobody_back);
    add(tc, the_highest_wins_and_the_rest_is_named);
    add(tc, a_deleted_update_leaves_what_it_installed);
    add(tc, the_site_says_no);
    add(tc, a_reflashed_node_counts_on);
    add(tc, a_deleted_edgenode_is_made_again);
    add(tc, two_of_the_same_name);
    add(tc, a_clean_stop_is_remembered);
    add(tc, a_disk_that_refuses_is_told);
    add(tc, behind_a_metaserver);
    add(tc, ghosts_start_nothing);
}

HF_TEST_MAIN("sim/stories", cases)
