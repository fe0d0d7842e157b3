/* SPDX-License-Identifier: Apache-2.0 */
/* Several SyncPolicies on one node, with the whole agent on virtual time: which of them is in effect where, what leaves
 * the node and when, and what the node says about it. Then random changes of three policies, with partitions, restarts
 * and power cuts: no entry of spec.manifests is ever removed but by a proven change that nobody keeps it.
 *
 *     HF_SIM_SEED=S     only this seed, instead of a sample (support/walk.h); HF_SIM_LOG=1 prints the agent's log */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "config/config.h"
#include "support/check_main.h"
#include "support/fakes/apiserver_sim.h"
#include "support/fakes/simkubelet.h"
#include "support/fakes/simnode.h"
#include "support/walk.h"

#define MINUTE (60 * HF_NS_PER_S)
#define SECTIONS HF_SIMNODE_STATE "/sections"

static const char *const tempers[] = {"healthy"};
static struct hf_simsite *site;

/* A new one for each test. */
static struct world {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simapi *api;
    struct hf_config *config;
    struct hf_simnode *node;
    struct hf_simkubelet *kubelet;
} w;

static void set_up_with(const char *server)
{
    static const char config[] =
        "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nstaticPodFolder: /etc/pods\n"
        "manifests: {files: [/etc/app/**], staticPods: true, paths: [/media/usb/**]}\n";
    static const char pod[] = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: default}\nspec: {containers: "
                              "[{name: c, image: i}]}\n";

    w = (struct world){0};
    ck_assert_int_eq(hf_config_parse(HF_VIEW(config), "agent.yaml", &w.config, NULL), 0);
    ck_assert_uint_eq(hf_config_n_faults(w.config), 0);
    w.loop = hf_simloop_new(0);
    w.net = hf_simnet_new(w.loop);
    w.api = hf_simapi_new(w.loop, w.net, "https://api");
    hf_simsite_serve(site, w.net);
    struct hf_simnode_params params = {.loop = w.loop,
                                       .net = w.net,
                                       .site = site,
                                       .name = "n1",
                                       .server = server,
                                       .log = getenv("HF_SIM_LOG") != NULL,
                                       .config = w.config};
    w.node = hf_simnode_new(&params);
    hf_simfs_mkdir(w.node->fs, "/etc/pods", 0755);
    w.kubelet = hf_simkubelet_new(w.loop, w.node->fs, "/etc/pods", "n1");
    hf_simboard_listen(w.node->board, 10255, hf_simkubelet_list, w.kubelet); /* its read-only port */
    hf_simfs_put(w.node->fs, "/media/usb/pod/p.yaml", pod, sizeof(pod) - 1, 0644);
    for (const char *name = "abc"; *name != '\0'; name++) {
        char path[40];
        (void)snprintf(path, sizeof(path), "/media/usb/%c/f", *name);
        hf_simfs_put(w.node->fs, path, path, strlen(path), 0644);
    }
}

static void put_text(const char *format, ...) HF_PRINTF(1, 2);
static void put_text(const char *format, ...)
{
    char text[4096];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (char *p = text; *p != '\0'; p++)
        if (*p == '\'')
            *p = '"';
    (void)hf_simapi_put_text(w.api, text);
}

static void put_node(const char *more_labels)
{
    put_text("{'apiVersion':'v1','kind':'Node','metadata':{'name':'n1','labels':{'kubernetes.io/arch':'amd64'%s}}}",
             more_labels);
}

static void put_policy(const char *name, const char *spec)
{
    put_text("{'apiVersion':'" HF_API_GROUP_VERSION "','kind':'SyncPolicy','metadata':{'name':'%s'},'spec':{%s}}", name,
             spec);
}

#define FILE_ENTRY(name)                                                                                               \
    "{'name':'" name "','from':{'path':'/media/usb/" name "'},'to':'Files','path':'/etc/app/" name "/','prune':true}"
#define POD_ENTRY "{'name':'pod','from':{'path':'/media/usb/pod'},'to':'StaticPods','prune':true}"

static void run(uint64_t ns)
{
    (void)hf_simloop_run_for(w.loop, ns);
}

static void begin(void)
{
    struct hf_err err = HF_ERR_INIT;
    char text[600];
    int r = hf_simnode_begin(w.node, &err);

    ck_assert_msg(r == 0, "%s", hf_err_text(&err, text, sizeof(text)));
}

static void set_up(void)
{
    set_up_with("https://api");
    put_node("");
}

static void tear_down(void)
{
    hf_simnode_free(w.node);
    hf_simkubelet_free(w.kubelet);
    hf_simapi_free(w.api);
    hf_simnet_free(w.net);
    hf_simloop_free(w.loop);
    hf_config_free(w.config);
}

static bool has(const char *path)
{
    struct stat st;

    return hf_simfs_stat(w.node->fs, path, &st);
}

static bool has_all(void)
{
    return has("/etc/app/a/f") && has("/etc/pods/pod_default_p.yaml");
}

static const json_t *status(void)
{
    return hf_json_at(hf_simapi_get(w.api, "EdgeNode", "n1"), "status");
}

static const json_t *find(const char *list, const char *key, const char *value)
{
    const json_t *items = hf_json_at(status(), list);

    for (size_t i = 0; i < json_array_size(items); i++)
        if (strcmp(hf_json_str_or(json_array_get(items, i), key, ""), value) == 0)
            return json_array_get(items, i);
    return NULL;
}

static const char *origin(const char *path)
{
    return hf_json_str_or(find("policy.sections", "path", path), "policy", "");
}

struct events {
    const char *reason;
    unsigned n;
    char note[600];
};

static void see_event(void *arg, json_t *object)
{
    struct events *events = arg;

    if (strcmp(hf_json_str_or(object, "reason", ""), events->reason) != 0)
        return;
    events->n++;
    (void)snprintf(events->note, sizeof(events->note), "%s", hf_json_str_or(object, "note", ""));
}

static struct events events_of(const char *reason)
{
    struct events events = {.reason = reason};

    hf_simapi_each(w.api, "Event", see_event, &events);
    return events;
}

/* ---- stories ----------------------------------------------------------------------------------------------------- */

static const char site_spec[] =
    "'interval':'1m','telemetry':{'filter':{'minSeverity':'warning'}},'manifests':[" FILE_ENTRY("a") "," POD_ENTRY "]";

/* Only a field of the disk, of a policy that nobody thought of. */
START_TEST(an_unrelated_policy_takes_nothing_away)
{
    set_up();
    put_policy("site", site_spec);
    begin();
    run(2 * MINUTE);
    ck_assert(has_all());
    put_policy("alpha", "'disk':{'warnPercent':60}");
    for (int i = 0; i < 20; i++) {
        run(MINUTE);
        ck_assert(has_all());
    }
    ck_assert_str_eq(hf_json_str_or(status(), "policy.name", ""), "alpha");
    ck_assert_str_eq(hf_json_str_or(status(), "policy.interval", ""), "1m");
    ck_assert_uint_eq(json_array_size(hf_json_at(status(), "policy.policies")), 2);
    ck_assert_str_eq(origin("disk"), "alpha");
    ck_assert_str_eq(origin("telemetry"), "site");
    ck_assert_str_eq(origin("interval"), "site");
    ck_assert_str_eq(origin("manifests[a]"), "site");
    ck_assert_ptr_null(find("conditions", "type", "PolicyConflict"));
    ck_assert_str_eq(hf_json_str_or(find("conditions", "type", "Ready"), "status", ""), "True");
    ck_assert_uint_eq(events_of("ManifestRemoved").n + events_of("PolicyChanged").n, 0);
}
END_TEST

/* The policy goes: its entries stay for its grace, then they go, and each removal is told. So is telemetry's end. */
START_TEST(a_deleted_policy_leaves_its_entries_for_the_grace)
{
    set_up();
    put_policy("site", "'interval':'1m','removalGrace':'10m','telemetry':{'filter':{'minSeverity':'warning'}},"
                       "'manifests':[" FILE_ENTRY("a") "," POD_ENTRY "]");
    begin();
    run(2 * MINUTE);
    ck_assert(has_all());
    ck_assert(hf_simapi_delete(w.api, "SyncPolicy", "site"));
    run(9 * MINUTE);
    ck_assert(has_all());
    const json_t *entry = find("manifests", "name", "a");
    ck_assert_str_eq(hf_json_str_or(entry, "phase", ""), "Applied");
    ck_assert_str_eq(hf_json_str_or(entry, "reason", ""), "NoPolicy");
    struct events changed = events_of("PolicyChanged");
    ck_assert_uint_eq(changed.n, 1);
    ck_assert_msg(strstr(changed.note, "telemetry: in effect from none, no longer from SyncPolicy 'site'") != NULL,
                  "%s", changed.note);
    ck_assert_uint_eq(events_of("ManifestRemoved").n, 0);
    run(2 * MINUTE);
    ck_assert(!has("/etc/app/a/f") && !has("/etc/pods/pod_default_p.yaml"));
    struct events removed = events_of("ManifestRemoved");
    ck_assert_uint_eq(removed.n, 2);
    ck_assert_msg(strstr(removed.note, "it came from 'site'") != NULL, "%s", removed.note);
    ck_assert_ptr_null(find("manifests", "name", "a"));
}
END_TEST

/* What the owner drops goes at once, as one expects of an edit. */
START_TEST(an_entry_that_its_policy_drops_goes_at_once)
{
    set_up();
    put_policy("site", "'removalGrace':'24h','manifests':[" FILE_ENTRY("a") "," POD_ENTRY "]");
    begin();
    run(2 * MINUTE);
    put_policy("site", "'removalGrace':'24h','manifests':[" POD_ENTRY "]");
    run(MINUTE);
    ck_assert(!has("/etc/app/a/f") && has("/etc/pods/pod_default_p.yaml"));
    ck_assert_uint_eq(events_of("ManifestRemoved").n, 1);
}
END_TEST

/* A selector, a label or a priority of another object moves things for a while: nothing leaves meanwhile. */
START_TEST(what_comes_back_within_the_grace_was_never_gone)
{
    set_up();
    put_policy("site", site_spec);
    begin();
    run(2 * MINUTE);
    for (int i = 0; i < 3; i++) {
        if (i == 0)
            put_policy("site",
                       "'nodeSelector':{'matchLabels':{'x':'y'}},'manifests':[" FILE_ENTRY("a") "," POD_ENTRY "]");
        else if (i == 1)
            ck_assert(hf_simapi_delete(w.api, "SyncPolicy", "site"));
        else
            put_policy("site", "'nodeSelector':{'matchExpressions':[{'key':'x','operator':'Exists'}]}");
        run(40 * HF_NS_PER_S);
        ck_assert(has_all());
        put_policy("site", site_spec);
        run(10 * MINUTE);
        ck_assert(has_all());
    }
    ck_assert_uint_eq(events_of("ManifestRemoved").n, 0);
}
END_TEST

/* The label that made the node a member goes, and comes back. */
START_TEST(a_label_that_flickers_removes_nothing)
{
    set_up();
    put_node(",'line':'3'");
    put_policy(
        "site",
        "'interval':'1m','removalGrace':'5m','nodeSelector':{'matchLabels':{'line':'3'}},'manifests':[" FILE_ENTRY(
            "a") "," POD_ENTRY "]");
    put_policy("base", "'interval':'1m'");
    begin();
    run(2 * MINUTE);
    ck_assert(has_all());
    put_node("");
    run(4 * MINUTE);
    ck_assert(has_all());
    put_node(",'line':'3'");
    run(10 * MINUTE);
    ck_assert(has_all());
    put_node("");
    run(30 * MINUTE);
    ck_assert(!has("/etc/app/a/f") && !has("/etc/pods/pod_default_p.yaml"));
}
END_TEST

/* Two policies of one priority: the one that was there stays, over a restart and a lost cache, too. */
START_TEST(the_incumbent_stays_in_a_conflict)
{
    set_up();
    put_policy("site", "'interval':'1m','disk':{'warnPercent':60}");
    begin();
    run(2 * MINUTE);
    put_policy("alpha", "'interval':'1m','disk':{'warnPercent':50}");
    run(MINUTE);
    for (int life = 0; life < 3; life++) {
        ck_assert_str_eq(origin("disk"), "site");
        const json_t *conflict = find("conditions", "type", "PolicyConflict");
        ck_assert_str_eq(hf_json_str_or(conflict, "status", ""), "True");
        ck_assert_str_eq(hf_json_str_or(conflict, "reason", ""), "SamePriority");
        const char *message = hf_json_str_or(conflict, "message", "");
        ck_assert_msg(strstr(message, "disk: SyncPolicies 'site' and 'alpha'") == message, "%s", message);
        hf_simnode_end(w.node, life == 1);
        if (life == 1)
            hf_simfs_delete(w.node->fs, HF_SIMNODE_STATE "/cache");
        begin();
        run(2 * MINUTE);
    }
    ck_assert(has(SECTIONS));
    put_policy("alpha", "'interval':'1m','priority':1,'disk':{'warnPercent':50}");
    run(MINUTE);
    ck_assert_str_eq(origin("disk"), "alpha");
    ck_assert_ptr_null(find("conditions", "type", "PolicyConflict"));
    ck_assert_uint_eq(events_of("PolicyChanged").n, 1);
}
END_TEST

/* The grace counts over restarts of the agent, so that one that starts again and again removes in the end, too. */
START_TEST(the_grace_counts_over_restarts)
{
    set_up();
    put_policy("site", "'interval':'1m','removalGrace':'10m','manifests':[" FILE_ENTRY("a") "," POD_ENTRY "]");
    begin();
    run(2 * MINUTE);
    ck_assert(hf_simapi_delete(w.api, "SyncPolicy", "site"));
    for (int i = 0; i < 4; i++) {
        run(2 * MINUTE);
        ck_assert(has_all());
        hf_simnode_end(w.node, i % 2 == 1);
        begin();
    }
    run(4 * MINUTE);
    ck_assert(!has("/etc/app/a/f") && !has("/etc/pods/pod_default_p.yaml"));
}
END_TEST

/* A policy whose newer version nobody can read may be the one that keeps the entry. */
START_TEST(a_refused_policy_keeps_what_it_had)
{
    set_up();
    put_policy("site", site_spec);
    put_policy("other", "'removalGrace':'0s'");
    begin();
    run(2 * MINUTE);
    put_policy("site", "'interval':'often'");
    run(20 * MINUTE);
    ck_assert(has_all());
    ck_assert_uint_eq(events_of("ManifestRemoved").n, 0);
}
END_TEST

/* ---- random changes ---------------------------------------------------------------------------------------------- */

enum { POLICIES = 3, NAMES = 3, STEPS = 120, SEEDS = 64, GRACE_S = 120 };

struct policy {
    bool exists, selects;
    bool entries[NAMES];
    int priority;
};

/* What the server has, and since when. */
struct fleet {
    uint64_t rng;
    struct policy policies[POLICIES];
    bool away; /* the link is cut */
    /* of each entry: when the server first was without it, and whether a policy has dropped it; forgotten when a policy
     * has had it for long enough that the node must know */
    uint64_t unnamed_ns[NAMES], known_ns[NAMES];
    bool dropped[NAMES];
    bool seen[NAMES]; /* in place at the last look */
    unsigned removals;
};

static uint64_t draw(struct fleet *fleet, uint64_t below)
{
    fleet->rng = fleet->rng * 6364136223846793005u + 1442695040888963407u;
    return (fleet->rng >> 33) % below;
}

static bool is_named(const struct fleet *fleet, unsigned entry)
{
    for (unsigned i = 0; i < POLICIES; i++)
        if (fleet->policies[i].exists && fleet->policies[i].selects && fleet->policies[i].entries[entry])
            return true;
    return false;
}

static void publish(struct fleet *fleet, unsigned which)
{
    static const char *const texts[NAMES] = {FILE_ENTRY("a"), FILE_ENTRY("b"), FILE_ENTRY("c")};
    const struct policy *policy = &fleet->policies[which];
    char name[8], spec[1500];
    const char *comma = "";

    (void)snprintf(name, sizeof(name), "p%u", which);
    if (!policy->exists) {
        (void)hf_simapi_delete(w.api, "SyncPolicy", name);
        return;
    }
    size_t n = (size_t)snprintf(spec, sizeof(spec),
                                "'interval':'1m','removalGrace':'%ds','priority':%d,%s'disk':{'warnPercent':%u},"
                                "'manifests':[",
                                GRACE_S, policy->priority,
                                policy->selects ? "" : "'nodeSelector':{'matchLabels':{'no':'no'}},", 50 + which);
    for (unsigned i = 0; i < NAMES; i++)
        if (policy->entries[i]) {
            n += (size_t)snprintf(spec + n, sizeof(spec) - n, "%s%s", comma, texts[i]);
            comma = ",";
        }
    (void)snprintf(spec + n, sizeof(spec) - n, "]");
    put_policy(name, spec);
}

/* The server's state has changed: note which entries nobody keeps now. */
static void note_names(struct fleet *fleet, unsigned which, const bool before[NAMES])
{
    const struct policy *policy = &fleet->policies[which];

    for (unsigned i = 0; i < NAMES; i++) {
        bool edited = before[i] && policy->exists && policy->selects && !policy->entries[i];
        fleet->dropped[i] |= edited;
        if (!is_named(fleet, i) && fleet->unnamed_ns[i] == 0)
            fleet->unnamed_ns[i] = hf_simloop_now_ns(w.loop);
    }
}

static void change_policy(struct fleet *fleet)
{
    unsigned which = (unsigned)draw(fleet, POLICIES), entry = (unsigned)draw(fleet, NAMES);
    struct policy *policy = &fleet->policies[which];
    bool before[NAMES];

    for (unsigned i = 0; i < NAMES; i++)
        before[i] = policy->exists && policy->selects && policy->entries[i];
    switch (draw(fleet, 5)) {
    case 0:
        policy->exists = !policy->exists;
        break;
    case 1:
        policy->selects = !policy->selects;
        break;
    case 2:
        policy->priority = (int)draw(fleet, 3) - 1;
        break;
    default:
        policy->entries[entry] = !policy->entries[entry];
        break;
    }
    publish(fleet, which);
    note_names(fleet, which, before);
}

static void change_world(struct fleet *fleet)
{
    switch (draw(fleet, 8)) {
    case 0:
    case 1:
        fleet->away = !fleet->away;
        hf_simnode_set_links(w.node, fleet->away ? HF_SIM_LINK_DOWN : HF_SIM_LINK_UP, HF_SIM_LINK_UP);
        break;
    case 2:
        hf_simnode_end(w.node, draw(fleet, 2) == 0);
        begin();
        break;
    case 3:
        hf_simapi_compact(w.api);
        hf_simapi_expire_watches(w.api);
        break;
    case 4:
        hf_simapi_stale_cache(w.api, draw(fleet, 3));
        break;
    default:
        change_policy(fleet);
        break;
    }
}

/* An entry may go only after the server has been without it: dropped by a policy that stayed, or for the grace. */
static void look(struct fleet *fleet, uint64_t seed)
{
    static const char *const paths[NAMES] = {"/etc/app/a/f", "/etc/app/b/f", "/etc/app/c/f"};
    uint64_t now = hf_simloop_now_ns(w.loop);

    for (unsigned i = 0; i < NAMES; i++) {
        bool there = has(paths[i]);
        if (fleet->seen[i] && !there) {
            uint64_t gone_ns = fleet->unnamed_ns[i] != 0 ? now - fleet->unnamed_ns[i] : 0;
            ck_assert_msg(fleet->unnamed_ns[i] != 0, "seed %u: '%s' goes, and the server always had it", (unsigned)seed,
                          paths[i]);
            ck_assert_msg(fleet->dropped[i] || gone_ns >= GRACE_S * HF_NS_PER_S,
                          "seed %u: '%s' goes %u s after the last policy that had it, which has not dropped it",
                          (unsigned)seed, paths[i], (unsigned)(gone_ns / HF_NS_PER_S));
            fleet->removals++;
        }
        fleet->seen[i] = there;
        if (fleet->away || !is_named(fleet, i)) {
            fleet->known_ns[i] = now;
        } else if (now - fleet->known_ns[i] > 3 * MINUTE) {
            fleet->unnamed_ns[i] = 0;
            fleet->dropped[i] = false;
        }
    }
}

/* With the link up for long enough, the node has seen what the server has. */
static void settle(struct fleet *fleet, uint64_t seed)
{
    static const char *const paths[NAMES] = {"/etc/app/a/f", "/etc/app/b/f", "/etc/app/c/f"};

    fleet->away = false;
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_UP);
    hf_simapi_stale_cache(w.api, 0);
    for (int i = 0; i < 60; i++) {
        run(20 * HF_NS_PER_S);
        look(fleet, seed);
    }
    for (unsigned i = 0; i < NAMES; i++) {
        ck_assert_msg(has(paths[i]) == is_named(fleet, i), "seed %u: '%s' in the end", (unsigned)seed, paths[i]);
    }
}

START_TEST(nothing_goes_that_somebody_keeps)
{
    uint64_t seed = getenv("HF_SIM_SEED") != NULL ? strtoull(getenv("HF_SIM_SEED"), NULL, 10) : (uint64_t)_i + 1;
    struct fleet fleet = {.rng = seed};

    set_up();
    for (unsigned i = 0; i < POLICIES; i++)
        fleet.policies[i] = (struct policy){.exists = true, .selects = true, .entries = {true, i != 1, i == 2}};
    for (unsigned i = 0; i < POLICIES; i++)
        publish(&fleet, i);
    begin();
    settle(&fleet, seed);
    for (unsigned i = 0; i < STEPS; i++) {
        change_world(&fleet);
        for (uint64_t k = 1 + draw(&fleet, 4); k > 0; k--) {
            run((1 + draw(&fleet, 30)) * HF_NS_PER_S);
            look(&fleet, seed);
        }
        if (i % 15 == 14)
            settle(&fleet, seed);
    }
    settle(&fleet, seed);
    ck_assert_uint_eq(events_of("ManifestRemoved").n > 0, fleet.removals > 0);
}
END_TEST

static void make_site(void)
{
    site = hf_simsite_new("edge", HF_LEN(tempers), tempers);
}

static void drop_site(void)
{
    hf_simsite_free(site);
}

static void cases(TCase *tc)
{
    tcase_add_unchecked_fixture(tc, make_site, drop_site);
    tcase_add_checked_fixture(tc, NULL, tear_down);
    tcase_add_test(tc, an_unrelated_policy_takes_nothing_away);
    tcase_add_test(tc, a_deleted_policy_leaves_its_entries_for_the_grace);
    tcase_add_test(tc, an_entry_that_its_policy_drops_goes_at_once);
    tcase_add_test(tc, what_comes_back_within_the_grace_was_never_gone);
    tcase_add_test(tc, a_label_that_flickers_removes_nothing);
    tcase_add_test(tc, the_incumbent_stays_in_a_conflict);
    tcase_add_test(tc, the_grace_counts_over_restarts);
    tcase_add_test(tc, a_refused_policy_keeps_what_it_had);
    hf_walk_add_loop_test(tc, nothing_goes_that_somebody_keeps, SEEDS);
}
HF_TEST_MAIN("sim/policies", cases)
