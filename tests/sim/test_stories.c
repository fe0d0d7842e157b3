/* SPDX-License-Identifier: Apache-2.0 */
/* The promises of an agent, one test for each, on virtual time: one node, a real client of a simulated API server (or
 * MetaServer, or a folder), no random events. test_agent.c adds faults. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/follow/objects.h"
#include "api/edgeupdate.h"
#include "audit/segment.h"
#include "base/format.h"
#include "base/parse.h"
#include "support/check_main.h"
#include "support/fakes/apiserver_sim.h"
#include "support/fakes/metaserver_sim.h"
#include "support/fakes/simnode.h"

#define S HF_NS_PER_S
#define MINUTE (60 * S)
#define HOUR (60 * MINUTE)

enum { RELEASES = 5 };

static const char *const tempers[RELEASES] = {"healthy", "healthy", "sick", "healthy", "healthy"};
static struct hf_simsite *site;

/* A new one for each test. */
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

/* status_server NULL: writes go to the server of the reads. */
static void set_up_with(enum source source, const char *status_server)
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
    struct hf_simnode_params params = {.loop = w.loop,
                                       .net = w.net,
                                       .site = site,
                                       .name = "n1",
                                       .server = servers[source],
                                       .status_server = status_server,
                                       .log = wanted != NULL};
    w.node = hf_simnode_new(&params);
    put_node("");
}

static void set_up(enum source source)
{
    set_up_with(source, NULL);
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

/* ---- without disturbance ----------------------------------------------------------------------------------------- */

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
    expect(update("edge"), "version", "1.3.0");
    expect(update("edge"), "installedVersion", "1.2.0"); /* the running version */
    expect(condition("Ready"), "status", "False");
    expect(condition("Stalled"), "status", "True");
    publish(4, NULL);
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 4);
    ck_assert_ptr_null(condition("Stalled"));
}
END_TEST

/* On a quiet day the agent writes only its clock file, and sends only heartbeats and new watches after their
 * timeout. */
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
    /* Eight writes of the clock file. */
    ck_assert_uint_le(hf_simfs_calls(w.node->fs) - calls, 8 * 8);
    ck_assert_uint_ge(w.statuses - told, 24 * 6 - 8);
    ck_assert_uint_le(w.statuses - told, 24 * 6 + 16);
    ck_assert_uint_le(hf_simclient_started(w.node->api_client) - asked, 24 * 6 + 16 + 4 * 48 + 16);
    ck_assert_uint_eq(hf_simapi_counts(w.api)->bare_watches, 0);
    /* And the last of them has the current time. */
    uint64_t observed = 0;
    ck_assert_int_eq(hf_parse_time(text_at("observedTime"), &observed), 0);
    ck_assert_uint_ge(observed + 12 * MINUTE, HF_SIM_UNIX_START + hf_simloop_now_ns(w.loop));
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

static json_t *local_status(void)
{
    size_t n = 0;
    const char *text = hf_simfs_get(w.node->fs, HF_SIMNODE_STATE "/status/EdgeNode-n1.json", &n);

    return text == NULL ? NULL : json_loadb(text, n, 0, NULL);
}

/* Reports a missing folder (an unplugged stick, a typing error) by name, looks for it again, and uses it once it
 * exists. */
START_TEST(a_folder_that_is_not_there)
{
    _cleanup_(hf_json_freep) json_t *object = hf_simsite_update(site, 2, NULL), *before = NULL, *after = NULL;
    char *text = json_dumps(object, 0);

    set_up(FOLDER);
    hf_simfs_delete(w.node->fs, HF_SIMNODE_FOLDER);
    begin();
    run(5 * S);
    ck_assert(w.node->settled); /* --once ends */
    ck_assert_int_eq(hf_agent_result(w.node->agent), 1);
    before = local_status();
    const json_t *said = named(hf_json_at(before, "status.conditions"), "type", "SourceReadable");
    expect(said, "status", "False");
    ck_assert_ptr_nonnull(strstr(hf_json_str_or(said, "message", ""), HF_SIMNODE_FOLDER));
    ck_assert(!hf_agent_ready(w.node->agent));
    hf_simfs_put(w.node->fs, HF_SIMNODE_FOLDER "/edge.json", text, strlen(text), 0644);
    run(15 * S);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    after = local_status();
    ck_assert_ptr_null(named(hf_json_at(after, "status.conditions"), "type", "SourceReadable"));
    ck_assert_int_eq(hf_agent_result(w.node->agent), 0);
    free(text);
}
END_TEST

/* Somebody changes the committed file again and again, `pause_ns` after each repair. Returns the number of repairs. */
static unsigned fight_for(uint64_t ns, uint64_t pause_ns)
{
    uint64_t end = hf_simloop_now_ns(w.loop) + ns;
    unsigned repairs = 0;

    while (hf_simloop_now_ns(w.loop) < end) {
        hf_simfs_put(w.node->fs, HF_SIMNODE_TARGET, "mine", 4, 0755);
        while (hf_simnode_installed(w.node) != 2 && hf_simloop_now_ns(w.loop) < end)
            run(S);
        repairs += hf_simnode_installed(w.node) == 2;
        run(pause_ns);
    }
    return repairs;
}

static unsigned events(const char *reason, const json_t **ret_last);
static double metric(const char *line);

/* The agent repairs a changed file within `interval`, and an Event says so. */
START_TEST(drift_is_repaired_within_the_interval)
{
    const json_t *event;

    set_up(API);
    put_policy("{'interval':'10s'}");
    begin();
    publish(2, NULL);
    run(25 * S + (uint64_t)_i * 3 * S);
    ck_assert_uint_eq(hf_simnode_installed(w.node), 2);
    hf_simfs_put(w.node->fs, HF_SIMNODE_TARGET, "mine", 4, 0755);
    run(10 * S + 3 * S); /* the interval, and the time of an update */
    ck_assert_uint_eq(hf_simnode_installed(w.node), 2);
    run(MINUTE);
    ck_assert_uint_eq(events("UpdateRepaired", &event), 1);
    expect(event, "type", "Warning");
    ck_assert_ptr_nonnull(strstr(hf_json_str_or(event, "note", ""), "edge 1.2.0"));
    run(30 * MINUTE); /* a later change: repaired as soon as the first one */
    hf_simfs_delete(w.node->fs, HF_SIMNODE_TARGET);
    run(10 * S + 3 * S);
    ck_assert_uint_eq(hf_simnode_installed(w.node), 2);
    expect(update("edge"), "phase", "Committed");
}
END_TEST

/* Repairs of repeated drift come with increasing back-off; the first three have no pause. */
START_TEST(a_fight_over_a_file_becomes_rare)
{
    set_up(API);
    put_policy("{'interval':'10s'}");
    begin();
    publish(2, NULL);
    run(30 * S);
    unsigned early = fight_for(10 * MINUTE, S);
    put_policy("{'interval':'1m'}"); /* the pauses are minutes now */
    unsigned late = fight_for(10 * HOUR, S);
    ck_assert_uint_ge(early, 5);
    ck_assert_uint_le(early, 8);
    ck_assert_uint_ge(late, 5);
    ck_assert_uint_le(late, 8);
}
END_TEST

/* ---- partition --------------------------------------------------------------------------------------------------- */

/* The API server disappears in the middle of a rollout; an agent that restarts meanwhile acts on its cache. */
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
    /* The release is in the cache and admitted; its artifact is unreachable for a long time. */
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

/* Metrics alone show the running versions and the outcomes of updates. */
START_TEST(metrics_say_what_runs)
{
    set_up(API);
    begin();
    run(MINUTE);
    publish(2, NULL);
    run(10 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    ck_assert(metric("holdfast_release_info{release=\"edge\",version=\"1.2.0\",phase=\"Committed\","
                     "reason=\"HealthPassed\"} ") == 1);
    ck_assert(metric("holdfast_update_outcomes_total{outcome=\"Committed\",reason=\"HealthPassed\"} ") >= 1);
    ck_assert(metric("\nholdfast_update_fetched_bytes_total ") > 0);
    ck_assert(metric("\nholdfast_update_rollbacks_total ") == 0);
}
END_TEST

static bool journal_has(uint64_t first, const char *text)
{
    char name[HF_AUDIT_NAME], path[128];
    size_t n = 0;

    (void)snprintf(path, sizeof(path), HF_SIMNODE_STATE "/journal/%s", hf_audit_segment_name(first, name));
    const char *lines = hf_simfs_get(w.node->fs, path, &n);
    return lines != NULL && memmem(lines, n, text, strlen(text)) != NULL;
}

/* A file is in the way when the agent starts; a full disk does the same to a log that has to be repaired. */
START_TEST(journal_is_opened_once_it_can_be)
{
    set_up(API);
    hf_simfs_put(w.node->fs, HF_SIMNODE_STATE "/journal", "in the way\n", 11, 0600);
    begin();
    run(2 * MINUTE);
    put_policy("{'interval':'2m'}");
    run(2 * MINUTE);
    put_policy("{'interval':'3m'}");
    run(2 * MINUTE);
    ck_assert_ptr_null(hf_json_at(status(), "journal"));
    double lost = metric("\nholdfast_journal_lost_total ");
    ck_assert(lost >= 2); /* what changes meanwhile is counted */
    hf_simfs_delete(w.node->fs, HF_SIMNODE_STATE "/journal");
    run(2 * MINUTE);
    put_policy("{'interval':'1m'}"); /* the number is told with the next status */
    run(2 * MINUTE);
    ck_assert_int_gt(hf_json_int_or(status(), "journal.entries", 0), 0);
    ck_assert(metric("\nholdfast_journal_lost_total ") == lost);
    char text[64];
    (void)snprintf(text, sizeof(text), "\"message\":\"%.0f %s lost\"", lost,
                   hf_noun((uint64_t)lost, "entry", "entries"));
    ck_assert_msg(journal_has(1, text), "%s", text);
}
END_TEST

/* Sectors of the newest segment cannot be read any more. For an hour the agent tries again; then the journal goes on in
 * another segment, also in the next process. */
START_TEST(journal_goes_on_above_an_unreadable_segment)
{
    set_up(API);
    put_policy("{'interval':'1m'}");
    begin();
    run(2 * MINUTE);
    int64_t before = hf_json_int_or(status(), "journal.entries", 0);
    hf_simnode_end(w.node, false);
    hf_simfs_set_unreadable(w.node->fs, HF_SIMNODE_STATE "/journal/audit-000000000001.jsonl", true);
    begin();
    run(50 * MINUTE);
    ck_assert_ptr_null(hf_json_at(status(), "journal"));
    run(20 * MINUTE);
    ck_assert_int_gt(hf_json_int_or(status(), "journal.entries", 0), before + HF_AUDIT_SEGMENT_BYTES / 2);
    ck_assert(
        journal_has(1 + HF_AUDIT_SEGMENT_BYTES, "\"kind\":\"TornLine\",\"subject\":\"audit-000000000001.jsonl\""));
    hf_simnode_end(w.node, false);
    begin();
    run(2 * MINUTE);
    ck_assert_int_gt(hf_json_int_or(status(), "journal.entries", 0), before);
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
    hf_simnode_end(w.node, false); /* a restart does not reset the age */
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

/* After a power cut a board without a battery starts in 1970, without a network. */
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

/* Behind a load balancer, one of two API servers has a clock that is 20 minutes ahead, and their answers come in turn.
 * On a board without a battery the time leaps with each answer, and the clock file is saved as rarely as ever. */
START_TEST(servers_that_differ)
{
    struct stat before = {.st_ino = 0}, after = before;
    unsigned saves = 0;

    set_up(API);
    hf_simnode_set_clock(w.node, -(int64_t)HF_SIM_UNIX_START);
    hf_simnode_set_sync_error(w.node, HF_NEVER);
    put_policy("{'interval':'30s','staleOk':{'window':'2h','onExpiry':'Hold'}}");
    begin();
    run(MINUTE);
    for (unsigned i = 0; i < 240; i++) {
        uint64_t date = HF_SIM_UNIX_START + hf_simloop_now_ns(w.loop) + i % 2 * 20 * MINUTE;
        hf_clock_take_date(&w.node->home.clock, date, 0);
        run(30 * S);
        ck_assert(hf_simfs_stat(w.node->fs, HF_SIMNODE_STATE "/clock", &after));
        saves += before.st_ino != after.st_ino;
        before = after;
    }
    ck_assert_msg(saves >= 4 && saves <= 13, "%u saves in two hours", saves);
}
END_TEST

/* The age of contact counts from the last byte of the server, not from the moment at which the agent noticed the
 * silence. */
START_TEST(contact_is_as_old_as_the_last_byte)
{
    set_up(API);
    put_policy("{'interval':'1m'}");
    begin();
    run(20 * MINUTE);
    hf_simnode_set_links(w.node, HF_SIM_LINK_SILENT, HF_SIM_LINK_UP);
    for (unsigned seconds = 1; seconds <= 300; seconds++) {
        run(S);
        double age = metric("\nholdfast_contact_age_seconds ");
        ck_assert_msg(age >= seconds - 1 && age < seconds + 60, "after %u s of silence: %f s", seconds, age);
    }
    ck_assert(metric("holdfast_contact_state{state=\"Stale\"} ") == 1);
}
END_TEST

/* ---- invalid objects --------------------------------------------------------------------------------------------- */

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
    ck_assert_ptr_nonnull(strstr(hf_json_str(condition("Ready"), "message"), "spec.release.health.deadline"));
    expect(condition("Ready"), "status", "False");
    /* Nor does a restart without the server. */
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
    ck_assert_ptr_nonnull(strstr(hf_json_str(condition("Ready"), "message"), "SyncPolicy 'p'"));
}
END_TEST

/* ---- objects for other nodes ------------------------------------------------------------------------------------- */

enum { OTHERS = 1200 }; /* more than a node keeps in memory */

static json_t *for_role(size_t release, const char *name, const char *role)
{
    json_t *object = hf_simsite_update(site, release, &(struct hf_simsite_twist){.object_name = name});

    ck_assert_int_eq(hf_json_put(object, "spec.nodeSelector.matchLabels.role", json_string(role)), 0);
    return object;
}

/* Releases for nodes of other roles; their names sort before and after those for this node. */
static void publish_for_others(unsigned n)
{
    char name[32], role[16];

    for (unsigned i = 0; i < n; i++) {
        (void)snprintf(name, sizeof(name), "%c-%04u", i % 2 == 0 ? 'a' : 'z', i);
        (void)snprintf(role, sizeof(role), "other-%u", i % 20);
        (void)hf_simapi_put(w.api, for_role(1, name, role));
    }
}

static int count_name(void *arg, const char *name, unsigned char type)
{
    (void)name, (void)type;
    ++*(unsigned *)arg;
    return 0;
}

static unsigned cached(const char *kind)
{
    const struct hf_fs_ops *fs = hf_simfs_ops(w.node->fs);
    char path[128];
    unsigned n = 0;

    (void)snprintf(path, sizeof(path), HF_SIMNODE_STATE "/cache/%s", kind);
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, HF_FS_ANY);
    if (fd < 0)
        return 0;
    ck_assert_int_eq(fs->list(fs->ctx, fd, count_name, &n), 0);
    (void)fs->close(fs->ctx, fd);
    return n;
}

/* More objects than a node keeps, none for this one: they exist before the agent starts, come while it watches, or come
 * while it is disconnected. */
START_TEST(what_is_for_others_uses_up_nothing)
{
    set_up(API);
    if (_i == 0)
        publish_for_others(OTHERS);
    begin();
    run(30 * S);
    if (_i == 1)
        publish_for_others(OTHERS);
    run(30 * S);
    if (_i == 2) {
        hf_simnode_end(w.node, true);
        publish_for_others(OTHERS);
        begin();
        run(30 * S);
    }
    publish(2, NULL);
    run(20 * S);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    expect(condition("Ready"), "reason", "Settled");
    ck_assert(metric("holdfast_objects{kind=\"EdgeUpdate\"} ") == 1);
    ck_assert_uint_eq(cached("EdgeUpdate"), 1);
}
END_TEST

/* The same with policies for other nodes. */
START_TEST(policies_of_others_use_up_nothing)
{
    char text[256];

    set_up(API);
    for (unsigned i = 0; i < OTHERS; i++) {
        (void)snprintf(text, sizeof(text),
                       "{'apiVersion':'edge.codcompass.io/v1alpha1','kind':'SyncPolicy','metadata':{'name':'a-%04u'},"
                       "'spec':{'priority':9,'nodeSelector':{'matchLabels':{'role':'other'}}}}",
                       i);
        put_text(text);
    }
    put_policy("{'labels':{'static':{'edge.codcompass.io/tier':'gold'}}}");
    begin();
    run(30 * S);
    ck_assert_str_eq(label("edge.codcompass.io/tier"), "gold");
    ck_assert(metric("holdfast_objects{kind=\"SyncPolicy\"} ") == 1);
    ck_assert_uint_eq(cached("SyncPolicy"), 1);
}
END_TEST

/* The agent ignores a release that selects nodes by a label until this node gets the label: at run time, after a
 * restart that only resumed, or during a partition. */
START_TEST(what_was_left_out_is_taken_when_labels_change)
{
    set_up(_i < 3 ? API : META);
    publish_for_others(30);
    (void)hf_simapi_put(w.api, for_role(2, "edge", "gw"));
    begin();
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 1);
    ck_assert(metric("holdfast_objects{kind=\"EdgeUpdate\"} ") == 0);
    if (_i == 1) {
        unsigned lists = hf_simapi_counts(w.api)->lists + hf_simapi_counts(w.api)->watchlists;
        ck_assert(hf_simnode_stop(w.node));
        begin();
        run(MINUTE);
        ck_assert_uint_le(hf_simapi_counts(w.api)->lists + hf_simapi_counts(w.api)->watchlists,
                          lists + 2); /* resumed */
    }
    if (_i == 2)
        ck_assert(hf_simnode_stop(w.node));
    put_node(",'role':'gw'");
    if (_i == 2)
        begin();
    run(30 * S);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    ck_assert_uint_eq(cached("EdgeUpdate"), 1);
}
END_TEST

/* The same from a folder, without lists from a server. */
START_TEST(labels_change_in_a_folder)
{
    _cleanup_(hf_json_freep) json_t *object = for_role(2, "edge", "gw");
    static const char *const nodes[] = {"{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {role: other}}}\n",
                                        "{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {role: gw}}}\n"};
    char *text = json_dumps(object, 0);

    set_up(FOLDER);
    hf_simfs_put(w.node->fs, HF_SIMNODE_FOLDER "/edge.json", text, strlen(text), 0644);
    for (size_t i = 0; i < 2; i++) {
        hf_simfs_put(w.node->fs, HF_SIMNODE_FOLDER "/node.yaml", nodes[i], strlen(nodes[i]), 0644);
        if (i == 0)
            begin();
        run(20 * S);
        ck_assert_uint_eq(hf_simnode_running(w.node), i + 1);
        ck_assert(metric("holdfast_objects{kind=\"EdgeUpdate\"} ") == (double)i);
    }
    free(text);
}
END_TEST

/* A release that no longer selects this node: the agent drops it at once with its new version, or at the next interval
 * after a change of labels, and takes it again if the labels return. */
START_TEST(what_leaves_is_dropped)
{
    set_up(API);
    put_policy("{'interval':'1m'}");
    put_node(",'role':'gw'");
    (void)hf_simapi_put(w.api, for_role(2, "edge", "gw"));
    begin();
    run(30 * S);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    (void)hf_simapi_put(w.api, for_role(4, "edge", "other"));
    run(10 * S);
    ck_assert_uint_eq(cached("EdgeUpdate"), 0);
    ck_assert_ptr_null(update("edge"));
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    (void)hf_simapi_put(w.api, for_role(2, "edge", "gw"));
    run(10 * S);
    ck_assert_uint_eq(cached("EdgeUpdate"), 1);
    put_node("");
    run(2 * MINUTE);
    ck_assert_uint_eq(cached("EdgeUpdate"), 0);
    put_node(",'role':'gw'");
    run(30 * S);
    expect(update("edge"), "phase", "Committed");
    ck_assert_uint_eq(cached("EdgeUpdate"), 1);
}
END_TEST

/* The Node becomes unreadable and its labels with it: the releases that they selected stay, also after a restart. */
START_TEST(doubtful_labels_drop_nothing)
{
    set_up(API);
    put_policy("{'interval':'1m'}");
    put_node(",'role':'gw'");
    (void)hf_simapi_put(w.api, for_role(2, "edge", "gw"));
    begin();
    run(30 * S);
    hf_simnode_set_links(w.node, HF_SIM_LINK_DOWN, HF_SIM_LINK_UP);
    hf_simnode_end(w.node, true);
    hf_simfs_delete(w.node->fs, HF_SIMNODE_STATE "/cache/Node/n1.json");
    begin();
    run(HOUR);
    ck_assert_uint_eq(cached("EdgeUpdate"), 1);
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_UP);
    run(2 * MINUTE);
    expect(update("edge"), "phase", "Committed");
}
END_TEST

/* An object that the agent may not read is not an invalid object. */
START_TEST(a_forbidden_watch_is_no_refused_object)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_METRICS_MAX_TEXT);

    set_up(API);
    hf_simapi_fail(w.api, 4, 403, 0);
    begin();
    run(30 * MINUTE);
    expect(condition("Ready"), "status", "True");
    ck_assert_int_eq(hf_metrics_format(w.node->metrics, &text), 0);
    ck_assert_ptr_null(strstr(hf_buf_str(&text), "holdfast_objects_refused_total{"));
}
END_TEST

START_TEST(a_broken_object_for_others_is_theirs)
{
    json_t *bad = for_role(4, "broken", "other");

    set_up(API);
    ck_assert_int_eq(hf_json_put(bad, "spec.release.artifacts", json_string("all of them")), 0);
    (void)hf_simapi_put(w.api, bad);
    begin();
    publish(2, NULL);
    run(30 * S);
    expect(condition("Ready"), "status", "True");
    ck_assert_ptr_null(condition("Stalled"));
}
END_TEST

/* An object of the maximum size, for the release that is installed already. */
static void publish_large(const char *name)
{
    enum { BYTES = 1048400 };
    json_t *object = hf_simsite_update(site, 1, &(struct hf_simsite_twist){.object_name = name});
    _cleanup_(hf_json_freep) json_t *kept = hf_objects_condense(object);
    size_t n = BYTES - json_dumpb(kept, NULL, 0, JSON_COMPACT) - 100;
    char *text = calloc(1, n + 1);

    memset(text, 'x', n);
    ck_assert_int_eq(hf_json_put(object, "spec.note", json_string(text)), 0);
    free(text);
    (void)hf_simapi_put(w.api, object);
}

/* Without room for an object of this node the agent reports it by name, and takes it once there is room, without a
 * restart. */
START_TEST(no_room_is_said_and_mended)
{
    static const char *const names[] = {"a-0", "a-1", "a-2", "a-3"};

    set_up(_i == 1 ? META : API);
    begin();
    run(10 * S);
    for (size_t i = 0; i < HF_LEN(names); i++)
        publish_large(names[i]);
    run(MINUTE);
    ck_assert(metric("holdfast_objects{kind=\"EdgeUpdate\"} ") == 4);
    publish(2, NULL);
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 1);
    expect(condition("Ready"), "status", "False");
    expect(condition("Ready"), "reason", "ObjectRefused");
    ck_assert_ptr_nonnull(strstr(hf_json_str(condition("Ready"), "message"), "EdgeUpdate 'edge': no room"));
    ck_assert(metric("holdfast_objects_no_room{kind=\"EdgeUpdate\"} ") == 1);
    if (_i == 2) { /* the same after a restart */
        ck_assert(hf_simnode_stop(w.node));
        begin();
        run(MINUTE);
        expect(condition("Ready"), "reason", "ObjectRefused");
    }
    if (_i == 3)
        (void)hf_simapi_put(w.api, for_role(1, "a-2", "other"));
    else
        (void)hf_simapi_delete(w.api, "EdgeUpdate", "a-2");
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    expect(condition("Ready"), "status", "True");
    ck_assert_ptr_null(condition("Stalled"));
    ck_assert(metric("holdfast_objects_no_room{kind=\"EdgeUpdate\"} ") == 0);
}
END_TEST

/* The object disappears before there is room: nothing of it remains. */
START_TEST(no_room_for_what_is_deleted)
{
    static const char *const names[] = {"a-0", "a-1", "a-2", "a-3"};

    set_up(API);
    for (size_t i = 0; i < HF_LEN(names); i++)
        publish_large(names[i]);
    publish(2, NULL);
    begin();
    run(MINUTE);
    expect(condition("Ready"), "reason", "ObjectRefused");
    (void)hf_simapi_delete(w.api, "EdgeUpdate", "edge");
    run(MINUTE);
    expect(condition("Ready"), "status", "True");
}
END_TEST

/* ---- policy and labels ------------------------------------------------------------------------------------------- */

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

START_TEST(all_parts_are_acted_on)
{
    set_up(API);
    put_policy("{'disk':{'warnPercent':50},'manifests':[],'clock':{'resync':true},'connectivity':{},'telemetry':{}}");
    begin();
    run(10 * S);
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

/* The Node's labels from a folder: labels that the agent adds remove none of them. */
START_TEST(labels_in_a_folder_stay)
{
    static const char node[] = "{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {role: gw}}}\n";
    json_t *object = hf_simsite_update(site, 2, NULL);

    set_up(FOLDER);
    hf_simfs_put(w.node->fs, HF_SIMNODE_FOLDER "/node.yaml", node, strlen(node), 0644);
    begin();
    run(30 * S);
    ck_assert_int_eq(hf_json_put(object, "spec.nodeSelector.matchLabels.role", json_string("gw")), 0);
    char *text = json_dumps(object, 0);
    hf_simfs_put(w.node->fs, HF_SIMNODE_FOLDER "/edge.json", text, strlen(text), 0644);
    run(20 * S);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    free(text);
    json_decref(object);
}
END_TEST

/* The agent writes labels to an existing Node and never creates one. */
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

/* Without the right to write labels the agent reports that by name and rarely tries again; everything else goes on. */
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
    ck_assert_int_eq(w.sequence, before); /* it obeys Retry-After */
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    run(2 * MINUTE);
    ck_assert_int_gt(w.sequence, before);
    expect(update("edge"), "phase", "Committed");
}
END_TEST

/* ---- rollouts ---------------------------------------------------------------------------------------------------- */

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

/* ---- turns ------------------------------------------------------------------------------------------------------- */

/* The update with strategy.disruption and, except for a folder, everybody admitted. */
static json_t *in_turns(size_t release)
{
    json_t *object = hf_simsite_update(site, release, NULL);

    admit(object, 10000);
    ck_assert_int_eq(hf_json_put(object, "spec.strategy.disruption.groupBy", json_string("zone")), 0);
    return object;
}

static json_t *edgenode_with(const json_t *spec, const json_t *before)
{
    json_t *object = before != NULL ? json_deep_copy(before)
                                    : json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", HF_API_GROUP_VERSION, "kind",
                                                "EdgeNode", "metadata", "name", "n1");

    ck_assert_int_eq(hf_json_put(object, "spec", json_deep_copy(spec)), 0);
    return object;
}

static json_t *turn_for(size_t release, int epoch)
{
    _cleanup_(hf_json_freep) json_t *object = in_turns(release);
    struct hf_edgeupdate *decoded = NULL;
    struct hf_issues issues;

    ck_assert_int_eq(hf_edgeupdate_decode(object, &decoded, &issues), 0);
    json_t *spec = json_pack("{s:i, s:[{s:s, s:s}]}", "epoch", epoch, "turns", "release", "edge", "digest",
                             decoded->release.digest);
    hf_edgeupdate_free(decoded);
    return spec;
}

/* As the controller does: the status stays. */
static void give_turn(size_t release)
{
    _cleanup_(hf_json_freep) json_t *spec = turn_for(release, 1);

    (void)hf_simapi_put(w.api, edgenode_with(spec, hf_simapi_get(w.api, "EdgeNode", "n1")));
}

static void take_turns_back(void)
{
    _cleanup_(hf_json_freep) json_t *spec = json_pack("{s:i, s:[]}", "epoch", 2, "turns");

    (void)hf_simapi_put(w.api, edgenode_with(spec, hf_simapi_get(w.api, "EdgeNode", "n1")));
}

static void expect_turn_pending(void)
{
    expect(update("edge"), "phase", "Verified");
    expect(update("edge"), "reason", "TurnPending");
    ck_assert_uint_eq(hf_simnode_running(w.node), 1);
}

/* Row 0: an API server; row 1: a MetaServer. The turn of another release of the name does not serve, and a turn that
 * nobody takes back costs nothing: the next release waits again. */
START_TEST(a_node_waits_for_its_turn)
{
    set_up(_i == 0 ? API : META);
    begin();
    (void)hf_simapi_put(w.api, in_turns(2));
    run(2 * MINUTE);
    expect_turn_pending();
    ck_assert_ptr_nonnull(strstr(hf_json_str_or(update("edge"), "message", ""), "spec.turns"));
    expect(condition("Ready"), "status", "True"); /* the rollout wants it so: nothing is wrong with the node */
    expect(condition("Ready"), "reason", "TurnPending");
    ck_assert(metric("\nholdfast_node_ready ") == 1);
    ck_assert_int_eq(hf_agent_result(w.node->agent), 1); /* --once: not everything is installed */
    give_turn(4);
    run(MINUTE);
    expect_turn_pending();
    give_turn(2);
    run(MINUTE);
    expect(update("edge"), "phase", "Committed");
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    (void)hf_simapi_put(w.api, in_turns(4));
    run(2 * MINUTE);
    expect(update("edge"), "reason", "TurnPending");
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
}
END_TEST

/* A node without images, or without a mirror, waits as well: nothing says that they are there. */
START_TEST(a_node_waits_for_its_images)
{
    json_t *object = hf_simsite_update(site, 2, NULL);

    set_up(API);
    begin();
    ck_assert_int_eq(hf_json_put(object, "spec.waitForImages", json_true()), 0);
    (void)hf_simapi_put(w.api, object);
    run(2 * MINUTE);
    expect(update("edge"), "phase", "Waiting");
    expect(update("edge"), "reason", "ImagesPending");
    expect(condition("Ready"), "status", "False");
    ck_assert_uint_eq(hf_simnode_running(w.node), 1);
    (void)hf_simapi_put(w.api, hf_simsite_update(site, 2, NULL));
    run(MINUTE);
    expect(update("edge"), "phase", "Committed");
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
}
END_TEST

/* The turn arrives, and at once the node loses its network and its power: the cached turn serves. A turn that was taken
 * back serves no longer, also after a restart. */
START_TEST(a_cached_turn_serves_offline)
{
    bool taken_back = _i == 1;

    set_up(API);
    begin();
    hf_simfs_put(w.node->fs, HF_SIMNODE_STATE "/hold", "{}", 2, 0600);
    hf_agent_hold_changed(w.node->agent);
    (void)hf_simapi_put(w.api, in_turns(2));
    run(MINUTE);
    expect(update("edge"), "reason", "Held");
    hf_simfs_delete(w.node->fs, HF_SIMNODE_STATE "/hold");
    hf_agent_hold_changed(w.node->agent);
    run(MINUTE);
    expect_turn_pending();
    hf_simfs_put(w.node->fs, HF_SIMNODE_STATE "/hold", "{}", 2, 0600);
    hf_agent_hold_changed(w.node->agent);
    run(MINUTE);
    give_turn(2);
    run(10 * S);
    if (taken_back)
        take_turns_back();
    run(10 * S);
    hf_simnode_set_links(w.node, HF_SIM_LINK_DOWN, HF_SIM_LINK_DOWN);
    hf_simnode_end(w.node, true);
    hf_simfs_delete(w.node->fs, HF_SIMNODE_STATE "/hold");
    begin();
    run(5 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), taken_back ? 1 : 2);
}
END_TEST

/* Reports of the status, an hour of them, write nothing to the disk although each one changes the EdgeNode. */
START_TEST(a_turn_is_written_once)
{
    set_up(API);
    begin();
    (void)hf_simapi_put(w.api, in_turns(2));
    run(MINUTE);
    give_turn(2);
    run(10 * MINUTE);
    expect(update("edge"), "phase", "Committed");
    ck_assert_uint_eq(cached("EdgeNode"), 1);
    hf_simfs_count_only(w.node->fs, HF_SIMFS_WRITES);
    uint64_t calls = hf_simfs_calls(w.node->fs);
    unsigned told = w.statuses;
    run(50 * MINUTE);
    ck_assert_uint_gt(w.statuses - told, 5);
    ck_assert_uint_eq(hf_simfs_calls(w.node->fs), calls);
    take_turns_back();
    run(10 * S);
    ck_assert_uint_eq(cached("EdgeNode"), 0);
}
END_TEST

/* A folder has no controller: the status says what to add, and an EdgeNode in the folder gives the turn. */
START_TEST(a_folder_gives_turns)
{
    _cleanup_(hf_json_freep) json_t *object = in_turns(2), *spec = turn_for(2, 0), *local = NULL;
    _cleanup_(hf_json_freep) json_t *edgenode = edgenode_with(spec, NULL);
    _cleanup_(hf_freep) char *text = json_dumps(object, 0), *given = json_dumps(edgenode, 0);

    set_up(FOLDER);
    hf_simfs_put(w.node->fs, HF_SIMNODE_FOLDER "/edge.json", text, strlen(text), 0644);
    begin();
    run(30 * S);
    local = local_status();
    const json_t *said = named(hf_json_at(local, "status.updates"), "name", "edge");
    expect(said, "reason", "TurnPending");
    ck_assert_ptr_nonnull(strstr(hf_json_str_or(said, "message", ""), "add an EdgeNode with spec.turns"));
    ck_assert_uint_eq(hf_simnode_running(w.node), 1);
    hf_simfs_put(w.node->fs, HF_SIMNODE_FOLDER "/node.json", given, strlen(given), 0644);
    run(30 * S);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
}
END_TEST

/* ---- Events ------------------------------------------------------------------------------------------------------ */

struct event_count {
    const char *reason;
    unsigned n;
    const json_t *last;
};

static void count_event(void *arg, json_t *object)
{
    struct event_count *count = arg;

    if (strcmp(hf_json_str_or(object, "reason", ""), count->reason) != 0)
        return;
    count->n++;
    count->last = object;
}

/* The number of Events with this reason; *ret_last (may be NULL) is one of them. */
static unsigned events(const char *reason, const json_t **ret_last)
{
    struct event_count count = {.reason = reason};

    hf_simapi_each(w.api, "Event", count_event, &count);
    if (ret_last != NULL)
        *ret_last = count.last;
    return count.n;
}

START_TEST(outcomes_are_events)
{
    const json_t *event = NULL;
    uint64_t time = 0;

    set_up(API);
    begin();
    publish(2, NULL);
    run(MINUTE);
    ck_assert_uint_eq(events("UpdateCommitted", &event), 1);
    expect(event, "type", "Normal");
    expect(event, "reportingController", "holdfast-agent");
    expect(event, "reportingInstance", "n1");
    expect(event, "regarding.kind", "EdgeNode");
    expect(event, "regarding.name", "n1");
    expect(event, "regarding.uid", hf_json_str_or(hf_simapi_get(w.api, "EdgeNode", "n1"), "metadata.uid", "(none)"));
    expect(event, "metadata.namespace", "default");
    ck_assert_int_eq(strncmp(hf_json_str_or(event, "metadata.name", ""), "n1.", 3), 0);
    ck_assert_ptr_nonnull(strstr(hf_json_str_or(event, "note", ""), "edge 1.2.0 is committed"));
    ck_assert_int_eq(hf_parse_time(hf_json_str_or(event, "eventTime", ""), &time), 0);
    ck_assert_uint_eq(strlen(hf_json_str_or(event, "eventTime", "")), strlen("2026-11-20T08:00:00.000000Z"));
    publish(3, NULL);
    run(2 * MINUTE);
    ck_assert_uint_eq(events("UpdateRolledBack", &event), 1);
    expect(event, "type", "Warning");
    publish(4, &(struct hf_simsite_twist){.forged = true});
    run(MINUTE);
    ck_assert_uint_eq(events("UpdateRejected", &event), 1);
    ck_assert_ptr_nonnull(strstr(hf_json_str_or(event, "note", ""), "SignatureInvalid"));
    /* A restart repeats nothing, and a repair is no news. */
    hf_simnode_end(w.node, true);
    begin();
    run(10 * MINUTE);
    ck_assert_uint_eq(events("UpdateCommitted", NULL) + events("UpdateRolledBack", NULL) +
                          events("UpdateRejected", NULL) + events("WentStale", NULL) + events("CameBack", NULL),
                      3);
}
END_TEST

/* What happened during a partition is reported after it, with the time at which it happened. */
START_TEST(events_of_a_partition)
{
    const json_t *event = NULL;
    uint64_t time = 0, cut;

    set_up(API);
    begin();
    publish(2, NULL);
    run(MINUTE);
    cut = HF_SIM_UNIX_START + hf_simloop_now_ns(w.loop);
    hf_simnode_set_links(w.node, HF_SIM_LINK_DOWN, HF_SIM_LINK_DOWN);
    run(3 * HOUR);
    ck_assert_uint_eq(events("WentStale", NULL), 0);
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_UP);
    run(15 * MINUTE);
    ck_assert_uint_eq(events("WentStale", &event), 1);
    expect(event, "type", "Warning");
    ck_assert_int_eq(hf_parse_time(hf_json_str_or(event, "eventTime", ""), &time), 0);
    ck_assert_uint_le(time, cut + 3 * MINUTE);
    ck_assert_uint_eq(events("CameBack", &event), 1);
    ck_assert_ptr_nonnull(strstr(hf_json_str_or(event, "note", ""), "at least 3h"));
}
END_TEST

#define EVENTS_FILE HF_SIMNODE_STATE "/events.json"

/* A partition that the agent does not live through: kill -9 and a power cut in it, each after the notice. What waits
 * is in one small file, which nobody writes again while nothing happens, and which goes with the last Event. */
START_TEST(events_survive_restarts)
{
    const json_t *event = NULL;
    struct stat before, after;
    uint64_t time = 0, cut;

    set_up(API);
    begin();
    publish(2, NULL);
    run(MINUTE);
    ck_assert(!hf_simfs_stat(w.node->fs, EVENTS_FILE, &before)); /* with contact, an Event needs no file */
    cut = HF_SIM_UNIX_START + hf_simloop_now_ns(w.loop);
    hf_simnode_set_links(w.node, HF_SIM_LINK_DOWN, HF_SIM_LINK_DOWN);
    run(HOUR);
    ck_assert(hf_simfs_stat(w.node->fs, EVENTS_FILE, &before));
    ck_assert_int_le(before.st_size, 4096);
    run(HOUR);
    ck_assert(hf_simfs_stat(w.node->fs, EVENTS_FILE, &after));
    ck_assert(after.st_ino == before.st_ino && after.st_mtim.tv_sec == before.st_mtim.tv_sec);
    hf_simnode_end(w.node, _i == 1);
    begin();
    run(HOUR);
    hf_simnode_end(w.node, _i == 0);
    begin();
    run(MINUTE);
    ck_assert_uint_eq(events("WentStale", NULL), 0);
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_UP);
    run(20 * MINUTE);
    ck_assert_uint_eq(events("WentStale", &event), 1);
    ck_assert_int_eq(hf_parse_time(hf_json_str_or(event, "eventTime", ""), &time), 0);
    ck_assert_uint_le(time, cut + 3 * MINUTE);
    ck_assert(!hf_simfs_stat(w.node->fs, EVENTS_FILE, &after));
    ck_assert_uint_eq(events("UpdateCommitted", NULL), 1);
}
END_TEST

/* The server has taken the Event, but the agent dies before it removes the file: the same name makes no second one. */
START_TEST(kept_events_are_not_repeated)
{
    size_t n = 0;

    set_up(API);
    begin();
    run(MINUTE);
    hf_simnode_set_links(w.node, HF_SIM_LINK_DOWN, HF_SIM_LINK_DOWN);
    run(HOUR);
    const char *text = hf_simfs_get(w.node->fs, EVENTS_FILE, &n);
    ck_assert_ptr_nonnull(text);
    char *kept = strndup(text, n);
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_UP);
    run(20 * MINUTE);
    ck_assert_uint_eq(events("WentStale", NULL), 1);
    hf_simnode_end(w.node, false);
    hf_simfs_put(w.node->fs, EVENTS_FILE, kept, n, 0600);
    begin();
    run(20 * MINUTE);
    ck_assert_uint_eq(events("WentStale", NULL), 1);
    ck_assert_ptr_null(hf_simfs_get(w.node->fs, EVENTS_FILE, &n));
    free(kept);
}
END_TEST

static const char *const bad_events[] = {
    "",
    "{",
    "null",
    "[]",
    "{\"format\":2,\"salt\":\"0123456789abcdef\",\"notices\":[]}",
    "{\"format\":1,\"salt\":\"short\",\"notices\":[]}",
    "{\"format\":1,\"salt\":\"0123456789abcdef\",\"notices\":[{\"reason\":\"Strange\",\"time\":1,\"number\":1,"
    "\"text\":\"x\"},{\"reason\":\"WentStale\",\"time\":-1,\"number\":1,\"text\":\"x\"},7,{\"reason\":\"WentStale\","
    "\"time\":1,\"number\":1,\"text\":\"\"}]}",
};

/* A damaged file costs what it held; it goes away, and later Events come. */
START_TEST(damaged_file_of_events)
{
    struct stat st;

    set_up(API);
    hf_simfs_put(w.node->fs, EVENTS_FILE, bad_events[_i], strlen(bad_events[_i]), 0600);
    begin();
    publish(2, NULL);
    run(MINUTE);
    ck_assert(!hf_simfs_stat(w.node->fs, EVENTS_FILE, &st));
    ck_assert_uint_eq(events("UpdateCommitted", NULL), 1);
    ck_assert_uint_eq(events("WentStale", NULL) + events("Strange", NULL), 0);
}
END_TEST

/* Refused Events cost the Events alone. */
START_TEST(events_are_refused)
{
    set_up(API);
    hf_simapi_forbid_events(w.api, true);
    begin();
    publish(2, NULL);
    run(MINUTE);
    expect(update("edge"), "phase", "Committed");
    expect(condition("Ready"), "status", "True");
    ck_assert(metric("holdfast_events_total{result=\"refused\"} ") == 1);
    hf_simapi_forbid_events(w.api, false);
    publish(3, NULL);
    run(2 * MINUTE);
    ck_assert_uint_eq(events("UpdateRolledBack", NULL), 0); /* a pause of ten minutes */
    run(10 * MINUTE);
    ck_assert_uint_eq(events("UpdateRolledBack", NULL), 1);
    ck_assert_uint_eq(events("UpdateCommitted", NULL), 0);
}
END_TEST

/* None to a MetaServer, except past it. */
START_TEST(events_behind_a_metaserver)
{
    set_up_with(META, _i == 0 ? NULL : "https://api");
    begin();
    publish(2, NULL);
    run(2 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    ck_assert_uint_eq(events("UpdateCommitted", NULL), (unsigned)_i);
}
END_TEST

/* Without a controller the status must name it, or the node waits for ever without a reason. */
START_TEST(a_strategy_without_a_controller)
{
    json_t *object = hf_simsite_update(site, 2, NULL), *newer = hf_simsite_update(site, 4, NULL);

    set_up(API);
    begin();
    ck_assert_int_eq(hf_json_put(object, "spec.strategy", json_pack("{s:[{s:i}]}", "waves", "percent", 100)), 0);
    (void)hf_simapi_put(w.api, object);
    run(MINUTE);
    expect(update("edge"), "phase", "Waiting");
    expect(update("edge"), "reason", "NotAdmitted");
    const char *message = hf_json_str_or(update("edge"), "message", "");
    ck_assert_msg(strstr(message, "holdfast-controller") != NULL && strstr(message, "status.admission") != NULL, "%s",
                  message);
    ck_assert_ptr_nonnull(strstr(hf_json_str_or(condition("Ready"), "message", ""), message));
    expect(condition("Ready"), "status", "True"); /* nothing is wrong with the node */
    expect(condition("Ready"), "reason", "NotAdmitted");
    ck_assert_ptr_null(condition("Reconciling"));
    ck_assert(metric("\nholdfast_node_ready ") == 1);
    ck_assert_int_eq(hf_agent_result(w.node->agent), 1); /* --once: not everything is installed */
    publish_admitted(2, "edge", 10000);
    run(MINUTE);
    expect(update("edge"), "phase", "Committed");
    ck_assert_int_eq(hf_agent_result(w.node->agent), 0);
    /* A second update of another name: the first one is committed, and the status says what the second one waits
     * for. */
    ck_assert_int_eq(hf_json_put(newer, "metadata.name", json_string("newer")), 0);
    ck_assert_int_eq(hf_json_put(newer, "spec.strategy", json_pack("{s:[{s:i}]}", "waves", "percent", 100)), 0);
    (void)hf_simapi_put(w.api, newer);
    run(MINUTE);
    expect(condition("Ready"), "message", "1 of 1 updates committed; NotAdmitted: newer");
}
END_TEST

START_TEST(the_policy_in_effect_is_named)
{
    set_up(API);
    begin();
    run(MINUTE);
    expect(status(), "policy.name", "");
    expect(status(), "policy.interval", "5m");
    put_policy("{'interval':'1m'}");
    run(MINUTE);
    expect(status(), "policy.name", "p");
    expect(status(), "policy.interval", "1m");
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

/* Years of undeleted updates: the newest one counts, whatever its name. */
START_TEST(old_updates_hide_nothing)
{
    char name[32];

    set_up(API);
    for (unsigned i = 0; i < 300; i++) {
        (void)snprintf(name, sizeof(name), "a-%04u", i);
        publish(1, &(struct hf_simsite_twist){.object_name = name});
    }
    publish(2, NULL);
    begin();
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    expect(condition("Ready"), "status", "True");
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
    run(HOUR + MINUTE); /* the hold ends by itself */
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    ck_assert_ptr_null(json_object_get(status(), "hold"));
    hf_simfs_put(w.node->fs, HF_SIMNODE_STATE "/hold", "stop!", 5, 0644);
    hf_agent_hold_changed(w.node->agent);
    publish(4, NULL);
    run(HOUR);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    /* A hold file that cannot be read, here a folder, holds, too. */
    hf_simfs_delete(w.node->fs, HF_SIMNODE_STATE "/hold");
    hf_simfs_mkdir(w.node->fs, HF_SIMNODE_STATE "/hold", 0755);
    hf_agent_hold_changed(w.node->agent);
    run(HOUR);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    hf_simfs_delete(w.node->fs, HF_SIMNODE_STATE "/hold");
    hf_agent_hold_changed(w.node->agent);
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 4);
}
END_TEST

/* Runs for `ns`; fails after more events than an agent needs that does not spin. */
static void run_calmly(uint64_t ns)
{
    uint64_t end = hf_simloop_now_ns(w.loop) + ns;
    unsigned events = 0;

    while (hf_simloop_now_ns(w.loop) < end && hf_simloop_step(w.loop))
        ck_assert_uint_lt(++events, 10000 + ns / S);
}

/* `holdfast hold --reason x [--for length]` on the node, by its wall clock. */
static void hold_for(uint64_t length_ns)
{
    uint64_t now = hf_unix_ns(w.node->home.clock.wall);
    char since[HF_TIME_TEXT], until[HF_TIME_TEXT] = "", text[200];

    if (length_ns != HF_NEVER)
        (void)hf_format_time(now + length_ns, until);
    (void)snprintf(text, sizeof(text), "{\"reason\":\"x\",\"since\":\"%s\",\"until\":\"%s\"}",
                   hf_format_time(now, since), until);
    hf_simfs_put(w.node->fs, HF_SIMNODE_STATE "/hold", text, strlen(text), 0644);
    hf_agent_hold_changed(w.node->agent);
}

static void set_wall(int64_t offset_ns)
{
    hf_simnode_set_clock(w.node, offset_ns);
    hf_simapi_end_watches(w.api); /* a new Date arrives */
}

/* The wall clock when the site says no, and from an hour later on. */
#define IN_1970 (-(int64_t)HF_SIM_UNIX_START)
static const struct {
    int64_t stamped, later;
    uint64_t length_ns; /* HF_NEVER: no --for */
    bool power_cut, offline;
} wrong_clocks[] = {
    {IN_1970, IN_1970, 8 * HOUR, false, false},
    {IN_1970, 0, 8 * HOUR, false, false},
    {IN_1970, IN_1970, 8 * HOUR, true, true},
    {-24 * (int64_t)HOUR, 0, 8 * HOUR, false, false},
    {-24 * (int64_t)HOUR, 0, 8 * HOUR, true, false},
    {2 * 365 * 24 * (int64_t)HOUR, 0, HF_NEVER, false, false},
    {2 * 365 * 24 * (int64_t)HOUR, 0, HF_NEVER, true, false},
    {0, 0, 8 * HOUR, true, false},
    {0, IN_1970, 8 * HOUR, true, true},
};

START_TEST(a_hold_and_a_wrong_clock)
{
    uint64_t length = HF_MIN(wrong_clocks[_i].length_ns, 7 * 24 * HOUR);

    set_up(API);
    put_policy("{'interval':'10m'}");
    hf_simnode_set_sync_error(w.node, HF_NEVER);
    begin();
    run(MINUTE);
    set_wall(wrong_clocks[_i].stamped);
    run(MINUTE);
    hold_for(wrong_clocks[_i].length_ns);
    publish(2, NULL);
    run(HOUR);
    if (wrong_clocks[_i].offline)
        hf_simnode_set_links(w.node, HF_SIM_LINK_DOWN, HF_SIM_LINK_UP);
    set_wall(wrong_clocks[_i].later);
    run(HOUR);
    if (wrong_clocks[_i].power_cut) {
        hf_simnode_end(w.node, true);
        begin();
    }
    run_calmly(length - 2 * HOUR - 5 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 1);
    /* A board without a battery and a network counts on from the last save. */
    run_calmly(wrong_clocks[_i].power_cut ? 70 * MINUTE : 5 * MINUTE);
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_UP);
    run_calmly(5 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    /* It does not begin again. */
    hf_simnode_end(w.node, true);
    set_wall(wrong_clocks[_i].stamped);
    begin();
    publish(4, NULL);
    run_calmly(5 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 4);
}
END_TEST

/* The bytes of a day are used up. A time server then corrects the clock by two weeks (0), or not (1), and the agent
 * starts again: the bytes count all the same, until 24 hours have passed. */
START_TEST(a_metered_link_and_a_wrong_clock)
{
    set_up(API);
    put_policy("{'interval':'10m','connectivity':{'maxBytesPerDay':'1Mi'}}");
    hf_simnode_set_sync_error(w.node, HF_NEVER);
    if (_i == 0) {
        hf_simnode_set_clock(w.node, -14 * 24 * (int64_t)HOUR);
        hf_simnet_set_date_offset(w.net, -14 * 24 * (int64_t)HOUR);
    }
    begin();
    run(MINUTE);
    hf_agent_telemetry_sent(w.node->agent, 1 << 20, true);
    run(30 * MINUTE);
    hf_simnode_set_sync_error(w.node, 0);
    hf_simnet_set_date_offset(w.net, 0);
    set_wall(0);
    run(MINUTE);
    hf_simnode_end(w.node, false);
    begin();
    publish(2, NULL);
    run(22 * HOUR);
    ck_assert_uint_eq(hf_simnode_running(w.node), 1);
    expect(update("edge"), "reason", "LinkQuotaUsed");
    run(2 * HOUR);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
}
END_TEST

/* Only the server's Date confirms the clock, and the answers come at once. A window of four minutes opens, whatever the
 * policy's time limit for a status is. */
START_TEST(a_short_window_and_a_long_timeout)
{
    set_up(API);
    hf_simnode_set_sync_error(w.node, HF_NEVER);
    put_policy("{'interval':'1m','timeout':'1h','connectivity':{'windows':[{'start':'10:00','duration':'4m'}]}}");
    begin();
    publish(2, NULL);
    run(24 * HOUR);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
}
END_TEST

/* The link opens when the bytes of a day have left the day, however far the next interval is away. */
START_TEST(a_budget_refills_by_the_hour)
{
    set_up(API);
    put_policy("{'interval':'24h','connectivity':{'maxBytesPerDay':'1Mi'}}");
    begin();
    run(MINUTE);
    hf_agent_telemetry_sent(w.node->agent, 1 << 20, true);
    run(MINUTE);
    publish(2, NULL);
    run(MINUTE);
    expect(update("edge"), "reason", "LinkQuotaUsed");
    run(24 * HOUR - 10 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 1);
    run(15 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
}
END_TEST

/* The power fails right after the bytes of a day have been used up (0), or most of them (1). */
START_TEST(a_power_cut_spends_no_second_budget)
{
    uint64_t bytes = _i == 0 ? 1 << 20 : 15 << 16;

    set_up(API);
    put_policy("{'interval':'10m','connectivity':{'maxBytesPerDay':'1Mi'}}");
    begin();
    run(MINUTE);
    for (unsigned i = 0; i < 16; i++) {
        hf_agent_telemetry_sent(w.node->agent, bytes / 16, true);
        run(S / 2);
    }
    run(S);
    hf_simnode_end(w.node, true);
    begin();
    run(MINUTE);
    uint64_t counted = (uint64_t)hf_json_int_or(status(), "network.bytesToday", 0);
    ck_assert_msg(counted >= bytes - (_i == 0 ? 0 : 1 << 17), "%llu bytes", (unsigned long long)counted);
    publish(2, NULL);
    run(HOUR);
    if (_i == 0)
        expect(update("edge"), "reason", "LinkQuotaUsed");
}
END_TEST

/* The wall clock says that the hold has ended, the server says that it has not (0); or the server is right (1). The
 * agent keeps to the hold, and is idle meanwhile. */
START_TEST(two_witnesses_beside_the_end_of_a_hold)
{
    static const char text[] = "{\"reason\":\"line 3\",\"until\":\"2026-11-20T09:00:00Z\"}";

    set_up(API);
    put_policy("{'interval':'10m'}");
    hf_simnode_set_sync_error(w.node, HF_NEVER);
    hf_simfs_put(w.node->fs, HF_SIMNODE_STATE "/hold", text, strlen(text), 0644);
    begin();
    run(10 * MINUTE);
    if (_i == 0)
        hf_simnet_set_date_offset(w.net, -2 * (int64_t)HOUR);
    else
        hf_simnode_set_clock(w.node, 2 * (int64_t)HOUR);
    hf_simapi_end_watches(w.api);
    publish(2, NULL);
    run_calmly(_i == 0 ? 2 * HOUR : 45 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 1);
    expect(update("edge"), "reason", "Held");
    hf_simnet_set_date_offset(w.net, 0);
    hf_simnode_set_clock(w.node, 0);
    hf_simapi_end_watches(w.api);
    run_calmly(HOUR);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
}
END_TEST

/* Used to 84 %. The policy warns from 85 % on, the default from 70 % on: the default judges nothing, neither before the
 * policy arrives for the first time nor at a later start. */
START_TEST(disks_are_judged_by_the_policy_alone)
{
    size_t n = 2133 * 4096;
    char *filler = calloc(1, n);

    set_up(API);
    hf_simfs_mount(w.node->fs, HF_SIMNODE_STATE);
    hf_simfs_put(w.node->fs, HF_SIMNODE_STATE "/filler", filler, n, 0600);
    hf_simfs_set_limit(w.node->fs, HF_SIMNODE_STATE, 2560 * 4096);
    free(filler);
    begin();
    run(MINUTE);
    expect(condition("DiskPressure"), "reason", "Warning");
    put_policy("{'interval':'1m','disk':{'warnPercent':85,'criticalPercent':95}}");
    run(MINUTE);
    ck_assert_ptr_null(condition("DiskPressure"));
    hf_simnode_end(w.node, false);
    begin();
    run(MINUTE);
    ck_assert_ptr_null(condition("DiskPressure"));
}
END_TEST

static void set_up_once(enum source source)
{
    set_up(source);
    w.node->params.once = true;
}

/* --once without a server of artifacts, or without an API server: it gives up, and says that not all is installed. */
START_TEST(once_does_not_wait_for_ever)
{
    set_up_once(API);
    publish(2, NULL);
    hf_simnode_set_links(w.node, _i == 0 ? HF_SIM_LINK_UP : HF_SIM_LINK_DOWN, HF_SIM_LINK_DOWN);
    begin();
    run(9 * MINUTE);
    ck_assert(!w.node->settled);
    run(3 * MINUTE);
    ck_assert(w.node->settled);
    ck_assert_int_eq(hf_agent_result(w.node->agent), 1);
}
END_TEST

/* A link that is slow, and away for minutes, is no reason to give up; what has come in time ends well. */
START_TEST(once_is_patient_with_a_bad_link)
{
    set_up_once(API);
    publish(2, NULL);
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_DOWN);
    begin();
    run(8 * MINUTE);
    ck_assert(!w.node->settled);
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_UP);
    run(3 * MINUTE);
    ck_assert(w.node->settled);
    ck_assert_int_eq(hf_agent_result(w.node->agent), 0);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
}
END_TEST

/* ---- reporting --------------------------------------------------------------------------------------------------- */

/* The server fails at one kind for good: the status still arrives, and says so. */
START_TEST(a_server_that_fails_at_one_kind)
{
    set_up(API);
    put_policy("{'interval':'1m'}");
    hf_simapi_fail_at(w.api, "/edgeupdates", 500);
    begin();
    run(10 * MINUTE);
    expect(condition("SourceReadable"), "reason", "ServerError");
    hf_simapi_fail_at(w.api, NULL, 0);
    run(10 * MINUTE);
    ck_assert_str_eq(text_at("contact.state"), "Fresh");
    ck_assert_ptr_null(condition("SourceReadable"));
}
END_TEST

/* The server has the EdgeNode, and knows no status of it: no storm of writes. */
START_TEST(a_server_without_statuses)
{
    set_up(API);
    put_policy("{'interval':'5m'}");
    hf_simapi_fail_at(w.api, "/status", 404);
    begin();
    run(HOUR);
    ck_assert_uint_le(hf_simapi_counts(w.api)->patches + hf_simapi_counts(w.api)->refused, 100);
    hf_simapi_fail_at(w.api, NULL, 0);
    run(20 * MINUTE);
    expect(condition("Ready"), "status", "True");
}
END_TEST

/* After a disk is restored from an image the agent continues from the server's sequence, never below it. */
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

/* The node has lost its number, and may write its EdgeNode, but not watch it: the status arrives, and counts on. */
START_TEST(a_node_that_may_not_watch_its_edgenode)
{
    set_up(API);
    put_policy("{'interval':'10s'}");
    begin();
    run(10 * MINUTE);
    hf_simnode_end(w.node, true);
    int64_t before = w.sequence;
    ck_assert_int_gt(before, 20);
    hf_simfs_delete(w.node->fs, HF_SIMNODE_STATE "/sequence");
    hf_simfs_delete(w.node->fs, HF_SIMNODE_STATE "/outbox.json");
    hf_simapi_fail_at(w.api, "/edgenodes?", 403);
    publish(2, NULL);
    begin();
    run(MINUTE);
    expect(update("edge"), "phase", "Committed");
    ck_assert_int_gt(w.sequence, before);
}
END_TEST

/* Something on the way swallows the first events of the watch of its EdgeNode. */
START_TEST(a_new_node_whose_edgenode_does_not_come)
{
    set_up(API);
    hf_simapi_endless_watchlist(w.api);
    begin();
    run(20 * S);
    ck_assert_int_eq(w.sequence, 1);
    run(3 * MINUTE);
    expect(condition("Ready"), "status", "True");
}
END_TEST

/* One refusal, as by a server that has not read its rights yet, is not the end of reports for an interval. */
START_TEST(a_status_that_is_refused_once)
{
    set_up(API);
    put_policy("{'interval':'24h'}");
    begin();
    run(5 * MINUTE);
    hf_simapi_fail_at(w.api, "/status", _i == 0 ? 403 : 422);
    publish(2, NULL);
    run(5 * S);
    hf_simapi_fail_at(w.api, NULL, 0);
    run(MINUTE);
    expect(update("edge"), "phase", "Committed");
    ck_assert_ptr_null(condition("StatusDelivered"));
}
END_TEST

/* A right that comes back shows within a minute, whatever the interval; until then the node asks once or twice a
 * minute. */
START_TEST(a_right_that_comes_back)
{
    set_up(API);
    put_policy("{'interval':'24h'}");
    begin();
    run(5 * MINUTE);
    hf_simapi_fail_at(w.api, "/status", 403);
    publish(2, NULL);
    run(30 * MINUTE);
    unsigned before = hf_simapi_counts(w.api)->refused;
    run(30 * MINUTE);
    unsigned asked = hf_simapi_counts(w.api)->refused - before;
    ck_assert_msg(asked >= 30 && asked <= 60, "%u attempts in 30 minutes", asked);
    hf_simapi_fail_at(w.api, NULL, 0);
    run(MINUTE + S);
    expect(update("edge"), "phase", "Committed");
    ck_assert_ptr_null(condition("StatusDelivered"));
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

/* A cloned disk: two agents with one name. They must not provoke each other to write, and the status must show it. */
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
    expect(condition("Ready"), "status", "True");
    ck_assert(hf_simnode_stop(w.node));
    run(10 * S);
    /* The last status must not satisfy `kubectl wait --for=condition=Ready`. */
    expect(condition("Ready"), "status", "Unknown");
    expect(condition("Ready"), "reason", "AgentStopped");
    expect(status(), "agent.state", "Stopped");
    begin();
    run(MINUTE);
    expect(condition("Ready"), "status", "True");
    expect(status(), "agent.state", "(absent)");
    ck_assert_int_eq(w.sequence, before + 2);
    /* Watches of EdgeUpdates and SyncPolicies resume; the agent gets Node and EdgeNode by name. */
    ck_assert_uint_le(hf_simapi_counts(w.api)->lists + hf_simapi_counts(w.api)->watchlists, lists + 2);
}
END_TEST

/* A shutdown does not wait for a silent server. */
START_TEST(a_stop_without_contact)
{
    set_up(API);
    begin();
    run(10 * MINUTE);
    hf_simnode_set_links(w.node, HF_SIM_LINK_SILENT, HF_SIM_LINK_SILENT);
    ck_assert(hf_simnode_stop(w.node)); /* within 5 s */
    begin();
    run(10 * MINUTE);
    ck_assert(hf_simnode_stop(w.node));
}
END_TEST

static bool file_says(const char *path, const char *text)
{
    size_t n = 0;
    const char *bytes = hf_simfs_get(w.node->fs, path, &n);

    ck_assert_msg(bytes != NULL, "no '%s'", path);
    return memmem(bytes, n, text, strlen(text)) != NULL;
}

static uint64_t observed_in(const char *path)
{
    _cleanup_(hf_json_freep) json_t *object = NULL;
    uint64_t observed = 0;
    size_t n = 0;
    const char *text = hf_simfs_get(w.node->fs, path, &n);

    ck_assert_msg(text != NULL, "no '%s'", path);
    ck_assert_int_eq(hf_json_parse((struct hf_view){text, n}, NULL, &object, NULL), 0);
    ck_assert_int_eq(hf_parse_time(hf_json_str_or(object, "status.observedTime", ""), &observed), 0);
    return observed;
}

static void expect_newer_than(const char *path, uint64_t age)
{
    uint64_t observed = observed_in(path), now = HF_SIM_UNIX_START + hf_simloop_now_ns(w.loop);

    ck_assert_msg(observed + age >= now, "%s is %llu s old", path, (unsigned long long)((now - observed) / S));
}

/* A status of half an hour ago must not look like a current one. */
START_TEST(a_folders_status_is_renewed)
{
    static const char policy[] =
        "{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"SyncPolicy\",\"metadata\":{\"name\":\"p\"},"
        "\"spec\":{\"interval\":\"30s\"}}";
    set_up(FOLDER);
    hf_simfs_put(w.node->fs, HF_SIMNODE_FOLDER "/p.json", policy, strlen(policy), 0644);
    begin();
    for (int i = 0; i < 30; i++) {
        run(MINUTE);
        expect_newer_than(HF_SIMNODE_STATE "/status/EdgeNode-n1.json", 35 * S);
    }
}
END_TEST

/* In a long partition the pending status gets the current time at each interval: in memory if possible, else on
 * disk. */
START_TEST(a_node_away_goes_on_telling)
{
    set_up(API);
    begin();
    run(MINUTE);
    hf_simnode_set_links(w.node, HF_SIM_LINK_DOWN, HF_SIM_LINK_UP);
    run(5 * HOUR);
    expect_newer_than(HF_SIMNODE_STATE "/outbox.json", 6 * MINUTE);
    hf_simnode_end(w.node, false);
    hf_simfs_put(w.node->fs, "/run/other", "", 0, 0644);
    w.node->params.run_path = "/run/status.json";
    begin();
    run(HOUR);
    uint64_t parked = observed_in(HF_SIMNODE_STATE "/outbox.json");
    run(5 * HOUR);
    expect_newer_than("/run/status.json", 6 * MINUTE);
    ck_assert_uint_eq(observed_in(HF_SIMNODE_STATE "/outbox.json"), parked);
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_UP);
    run(HOUR);
    expect_newer_than("/run/status.json", 6 * MINUTE);
    ck_assert(hf_simnode_stop(w.node));
    ck_assert(file_says("/run/status.json", "AgentStopped"));
}
END_TEST

/* Who stands at the node reads what is true now, also while a status waits for the answer of a server behind a cable
 * that was just pulled, and between two writes of the fleet's pace. */
START_TEST(readers_on_the_node_have_the_newest_status)
{
    set_up(API);
    hf_simfs_put(w.node->fs, "/run/other", "", 0, 0644);
    w.node->params.run_path = "/run/status.json";
    begin();
    run(MINUTE);
    for (int i = 0; i < 3; i++) {
        hf_simfs_put(w.node->fs, HF_SIMNODE_STATE "/hold", "{}", 2, 0600);
        hf_agent_hold_changed(w.node->agent);
        run(3 * S);
        ck_assert_msg(file_says("/run/status.json", "\"hold\""), "%d", i);
        hf_simfs_delete(w.node->fs, HF_SIMNODE_STATE "/hold");
        hf_agent_hold_changed(w.node->agent);
        run(3 * S);
        ck_assert_msg(!file_says("/run/status.json", "\"hold\""), "%d", i);
        hf_simnode_set_links(w.node, HF_SIM_LINK_SILENT, HF_SIM_LINK_UP);
    }
}
END_TEST

#define OUTBOX HF_SIMNODE_STATE "/outbox.json"

/* A status parked during a partition does not stay the last one if the server returns but refuses statuses. */
START_TEST(an_outbox_does_not_keep_what_is_gone)
{
    json_t *ghost = hf_simsite_update(site, 4, &(struct hf_simsite_twist){.object_name = "ghost"});
    struct stat st;

    set_up(API);
    put_policy("{'interval':'1m'}");
    begin();
    run(MINUTE);
    ck_assert_int_eq(hf_json_put(ghost, "spec.release.artifacts", json_string("all of them")), 0);
    ck_assert_int_eq(hf_json_put(ghost, "spec.release.name", json_string("ghost")), 0);
    (void)hf_simapi_put(w.api, ghost);
    run(S / 20);
    hf_simnode_set_links(w.node, HF_SIM_LINK_DOWN, HF_SIM_LINK_UP);
    run(5 * MINUTE);
    ck_assert(file_says(OUTBOX, "ghost"));
    (void)hf_simapi_delete(w.api, "EdgeUpdate", "ghost");
    hf_simapi_forbid_writes(w.api, true);
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_UP);
    run(10 * MINUTE);
    ck_assert(metric("holdfast_objects{kind=\"EdgeUpdate\"} ") == 0);
    ck_assert(!file_says(OUTBOX, "ghost"));
    hf_simapi_forbid_writes(w.api, false);
    run(10 * MINUTE);
    ck_assert(!hf_simfs_stat(w.node->fs, OUTBOX, &st));
}
END_TEST

/* A server that refuses statuses for good must not freeze the local status. */
START_TEST(a_status_that_is_refused_is_renewed_on_the_node)
{
    set_up(API);
    put_policy("{'interval':'30m'}");
    hf_simapi_forbid_writes(w.api, true);
    begin();
    run(MINUTE);
    publish(2, NULL);
    run(2 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    ck_assert(file_says(OUTBOX, "Committed"));
    ck_assert(file_says(OUTBOX, "StatusDelivered"));
    hf_simapi_forbid_writes(w.api, false);
    run(60 * MINUTE);
    expect(update("edge"), "phase", "Committed");
    ck_assert_ptr_null(condition("StatusDelivered"));
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

/* ---- behind a MetaServer ----------------------------------------------------------------------------------------- */

START_TEST(behind_a_metaserver)
{
    set_up(META);
    put_policy("{'interval':'1m','retryInterval':'10s'}");
    begin();
    publish(2, NULL);
    run(MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    expect(update("edge"), "phase", "Committed");
    /* In a partition the agent does not believe deletions: an empty list removes nothing. */
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
    /* Afterwards it acts on the deletion within an interval, and the status arrives once. */
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

/* ---- missing rights of CloudCore --------------------------------------------------------------------------------- */

/* The pending status on disk, as `holdfast status` reads it. */
static json_t *parked(void)
{
    size_t n = 0;
    const void *bytes = hf_simfs_get(w.node->fs, HF_SIMNODE_STATE "/outbox.json", &n);

    return bytes != NULL ? json_loadb(bytes, n, 0, NULL) : NULL;
}

START_TEST(cloudcore_has_no_right)
{
    set_up(META);
    hf_simmeta_forbid(w.meta, "EdgeUpdate", true);
    hf_simmeta_forbid(w.meta, "SyncPolicy", true);
    hf_simmeta_forbid(w.meta, "EdgeNode", true);
    put_policy("{'interval':'1m','retryInterval':'10s'}");
    publish(2, NULL);
    begin();
    run(2 * MINUTE);
    /* No status can reach the cluster; the local one says why. */
    ck_assert_ptr_null(status());
    ck_assert(!hf_agent_ready(w.node->agent));
    const char *trouble = hf_agent_source_failure(w.node->agent);
    ck_assert_msg(trouble != NULL && strstr(trouble, "kubectl apply -f crds/ -f deploy/kubeedge.yaml") != NULL, "%s",
                  trouble);
    _cleanup_(hf_json_freep) json_t *said = parked();
    const json_t *readable = named(hf_json_at(said, "status.conditions"), "type", "SourceReadable");
    expect(readable, "status", "False");
    expect(readable, "reason", "Forbidden");
    expect(readable, "message", trouble);
    ck_assert(metric("holdfast_kube_doubts_total{reason=\"forbidden\"} ") > 0);
    /* With the ClusterRole everything works, without a restart. */
    hf_simmeta_forbid(w.meta, "EdgeUpdate", false);
    hf_simmeta_forbid(w.meta, "SyncPolicy", false);
    hf_simmeta_forbid(w.meta, "EdgeNode", false);
    run(2 * MINUTE);
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    expect(update("edge"), "phase", "Committed");
    ck_assert_ptr_null(condition("SourceReadable"));
    ck_assert_ptr_null(hf_agent_source_failure(w.node->agent));
}
END_TEST

START_TEST(cloudcore_has_half_the_rights)
{
    set_up(META);
    put_policy("{'interval':'1m','retryInterval':'10s'}");
    hf_simmeta_forbid(w.meta, "EdgeUpdate", true);
    publish(2, NULL);
    begin();
    run(3 * MINUTE);
    /* The agent can write the status, so the status says it. */
    expect(condition("SourceReadable"), "status", "False");
    expect(condition("SourceReadable"), "reason", "Forbidden");
    expect(status(), "contact.state", "Expired");
    unsigned told = w.statuses;
    run(10 * MINUTE);
    ck_assert_uint_le(w.statuses, told + 14); /* a heartbeat each interval */
    hf_simmeta_forbid(w.meta, "EdgeUpdate", false);
    run(2 * MINUTE);
    expect(update("edge"), "phase", "Committed");
    expect(status(), "contact.state", "Fresh");
    ck_assert_ptr_null(condition("SourceReadable"));
}
END_TEST

/* ---- statuses to the API server ---------------------------------------------------------------------------------- */

/* True if the last request that changed this EdgeNode went to the API server itself. */
START_TEST(status_goes_to_the_api_server_itself)
{
    set_up_with(META, "https://api");
    put_policy("{'interval':'1m','retryInterval':'10s','labels':{'static':{'edge.codcompass.io/tier':'x'}}}");
    begin();
    publish(2, NULL);
    run(2 * MINUTE);
    expect(update("edge"), "phase", "Committed");
    expect(status(), "contact.state", "Fresh");
    ck_assert_str_eq(label("edge.codcompass.io/tier"), "x");
    ck_assert_uint_eq(hf_simmeta_counts(w.meta)->patches, 0);
    ck_assert_ptr_null(parked());
    /* This path needs no rights of CloudCore: the status says what they lack. */
    hf_simmeta_forbid(w.meta, "EdgeUpdate", true);
    run(3 * MINUTE);
    expect(condition("SourceReadable"), "reason", "Forbidden");
    expect(status(), "contact.state", "Stale");
    hf_simmeta_forbid(w.meta, "EdgeUpdate", false);
    run(2 * MINUTE);
    ck_assert_ptr_null(condition("SourceReadable"));
    expect(status(), "contact.state", "Fresh");
}
END_TEST

START_TEST(the_status_s_way_is_cut)
{
    set_up_with(META, "https://api");
    put_policy("{'interval':'1m','retryInterval':'10s'}");
    begin();
    run(2 * MINUTE);
    hf_simnode_set_status_link(w.node, HF_SIM_LINK_DOWN);
    run(2 * MINUTE);
    unsigned told = w.statuses;
    publish(2, NULL);
    run(10 * MINUTE);
    /* The node goes on; the pending status stays on disk and survives a restart. */
    ck_assert_uint_eq(hf_simnode_running(w.node), 2);
    ck_assert_uint_eq(w.statuses, told);
    json_t *said = parked();
    ck_assert_ptr_nonnull(said);
    expect(named(hf_json_at(said, "status.updates"), "name", "edge"), "phase", "Committed");
    json_decref(said);
    hf_simnode_end(w.node, true);
    begin();
    run(MINUTE);
    ck_assert_ptr_nonnull((said = parked()));
    json_decref(said);
    hf_simnode_set_status_link(w.node, HF_SIM_LINK_UP);
    run(2 * MINUTE);
    expect(update("edge"), "phase", "Committed");
    ck_assert_uint_le(w.statuses, told + 4);
    ck_assert_ptr_null(parked());
    /* The opposite: without a MetaServer, the cluster learns that this node cannot see its desired state. */
    hf_simmeta_cut(w.meta);
    run(5 * MINUTE);
    expect(status(), "contact.state", "Stale");
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

/* HF_SIM_STORY=name runs only that test. */
#define add_loop(tc, story, times)                                                                                     \
    do {                                                                                                               \
        const char *only_ = getenv("HF_SIM_STORY");                                                                    \
        if (only_ == NULL || strcmp(only_, #story) == 0)                                                               \
            tcase_add_loop_test((tc), story, 0, (times));                                                              \
    } while (0)
#define add(tc, story) add_loop(tc, story, 1)

static void node_cases(TCase *tc)
{
    add(tc, a_node_introduces_itself);
    add(tc, a_delta_is_committed);
    add(tc, a_sick_release_comes_back);
    add(tc, an_idle_day);
    add(tc, a_folder_is_enough);
    add(tc, a_folder_that_is_not_there);
    add_loop(tc, drift_is_repaired_within_the_interval, 4);
    add(tc, a_fight_over_a_file_becomes_rare);
    add(tc, alone_on_its_cache);
    add(tc, metrics_say_what_runs);
    add(tc, journal_is_opened_once_it_can_be);
    add(tc, journal_goes_on_above_an_unreadable_segment);
    add(tc, within_the_window_it_goes_on);
    add(tc, after_the_window_it_holds);
    add(tc, or_continues_if_told_so);
    add(tc, no_battery);
    add(tc, servers_that_differ);
    add(tc, contact_is_as_old_as_the_last_byte);
    add(tc, a_refused_version_changes_nothing);
    add(tc, others_go_on_beside_a_refused_object);
    add(tc, a_refused_policy_leaves_the_last_one);
    add_loop(tc, what_is_for_others_uses_up_nothing, 3);
    add(tc, policies_of_others_use_up_nothing);
    add_loop(tc, what_was_left_out_is_taken_when_labels_change, 4);
    add(tc, labels_change_in_a_folder);
    add(tc, what_leaves_is_dropped);
    add(tc, doubtful_labels_drop_nothing);
    add(tc, a_forbidden_watch_is_no_refused_object);
    add(tc, a_broken_object_for_others_is_theirs);
    add_loop(tc, no_room_is_said_and_mended, 4);
    add(tc, no_room_for_what_is_deleted);
    add(tc, labels_go_when_they_stop_being_true);
    add(tc, all_parts_are_acted_on);
    add(tc, a_label_selects);
    add(tc, labels_in_a_folder_stay);
    add(tc, no_node_is_made);
    add(tc, labels_that_are_refused);
    add(tc, a_server_that_is_busy);
    add(tc, a_halt_sends_nobody_back);
    add_loop(tc, a_node_waits_for_its_turn, 2);
    add(tc, a_node_waits_for_its_images);
    add_loop(tc, a_cached_turn_serves_offline, 2);
    add(tc, a_turn_is_written_once);
    add(tc, a_folder_gives_turns);
    add(tc, outcomes_are_events);
    add(tc, events_of_a_partition);
    add_loop(tc, events_survive_restarts, 2);
    add(tc, kept_events_are_not_repeated);
    add_loop(tc, damaged_file_of_events, HF_LEN(bad_events));
    add(tc, events_are_refused);
    add_loop(tc, events_behind_a_metaserver, 2);
}

static void put_again(const char *kind, const char *name)
{
    (void)hf_simapi_put(w.api, json_deep_copy(hf_simapi_get(w.api, kind, name)));
}

/* After a power cut a server answers that is behind the objects on the node's disk: what it lacks is not gone. */
START_TEST(a_server_that_is_behind_the_disk)
{
    set_up(API);
    put_policy("{'interval':'5m'}");
    begin();
    run(10 * MINUTE);
    uint64_t early = hf_simapi_version(w.api);
    hf_simapi_rewind(w.api, early + 100);
    put_policy("{'interval':'7m'}");
    put_again("Node", "n1");
    run(HOUR);
    ck_assert_str_eq(text_at("policy.interval"), "7m");
    hf_simnode_end(w.node, false);
    (void)hf_simapi_delete(w.api, "SyncPolicy", "p");
    hf_simapi_rewind(w.api, early + 10);
    put_again("Node", "n1");
    put_again("EdgeNode", "n1");
    hf_simapi_compact(w.api);
    unsigned exact = hf_simapi_counts(w.api)->exact_lists;
    begin();
    run(2 * MINUTE);
    ck_assert_str_eq(text_at("policy.name"), "p");
    ck_assert_uint_gt(hf_simapi_counts(w.api)->exact_lists, exact);
}
END_TEST

/* Somebody writes a sequence that no agent writes: the node's next status has its own again. */
START_TEST(a_sequence_that_no_agent_writes)
{
    set_up(API);
    begin();
    run(10 * MINUTE);
    json_t *node = json_deep_copy(hf_simapi_get(w.api, "EdgeNode", "n1"));
    (void)json_object_set_new(json_object_get(node, "status"), "sequence",
                              json_integer(_i == 0   ? INT64_MAX
                                           : _i == 1 ? INT64_C(1) << 53
                                                     : -1));
    (void)hf_simapi_put(w.api, node);
    run(10 * MINUTE);
    unsigned before = w.statuses;
    run(HOUR);
    ck_assert_uint_le(w.statuses - before, 30);
    ck_assert(w.sequence > 0 && w.sequence < 1000);
}
END_TEST

static void policy_and_status_cases(TCase *tc)
{
    add(tc, a_strategy_without_a_controller);
    add(tc, the_policy_in_effect_is_named);
    add(tc, the_highest_wins_and_the_rest_is_named);
    add(tc, old_updates_hide_nothing);
    add(tc, a_deleted_update_leaves_what_it_installed);
    add(tc, the_site_says_no);
    add(tc, a_short_window_and_a_long_timeout);
    add(tc, a_budget_refills_by_the_hour);
    add_loop(tc, a_power_cut_spends_no_second_budget, 2);
    add_loop(tc, a_metered_link_and_a_wrong_clock, 2);
    add_loop(tc, a_hold_and_a_wrong_clock, HF_LEN(wrong_clocks));
    add_loop(tc, two_witnesses_beside_the_end_of_a_hold, 2);
    add(tc, disks_are_judged_by_the_policy_alone);
    add(tc, a_server_that_fails_at_one_kind);
    add(tc, a_server_without_statuses);
    add(tc, a_reflashed_node_counts_on);
    add_loop(tc, once_does_not_wait_for_ever, 2);
    add(tc, once_is_patient_with_a_bad_link);
    add(tc, a_node_that_may_not_watch_its_edgenode);
    add(tc, a_new_node_whose_edgenode_does_not_come);
    add_loop(tc, a_status_that_is_refused_once, 2);
    add(tc, a_right_that_comes_back);
    add(tc, a_deleted_edgenode_is_made_again);
    add(tc, two_of_the_same_name);
    add(tc, a_clean_stop_is_remembered);
    add(tc, a_stop_without_contact);
    add(tc, a_folders_status_is_renewed);
    add(tc, a_node_away_goes_on_telling);
    add(tc, readers_on_the_node_have_the_newest_status);
    add(tc, an_outbox_does_not_keep_what_is_gone);
    add(tc, a_status_that_is_refused_is_renewed_on_the_node);
    add(tc, a_disk_that_refuses_is_told);
    add(tc, behind_a_metaserver);
    add(tc, cloudcore_has_no_right);
    add(tc, cloudcore_has_half_the_rights);
    add(tc, status_goes_to_the_api_server_itself);
    add(tc, the_status_s_way_is_cut);
    add(tc, ghosts_start_nothing);
    add(tc, a_server_that_is_behind_the_disk);
    tcase_add_loop_test(tc, a_sequence_that_no_agent_writes, 0, 3);
}

static void cases(TCase *tc)
{
    tcase_add_unchecked_fixture(tc, make_site, free_site);
    tcase_add_checked_fixture(tc, NULL, tear_down);
    node_cases(tc);
    policy_and_status_cases(tc);
}

HF_TEST_MAIN("sim/stories", cases)
