/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts of the commands on a fleet: views of objects, counts, selectors, kubeconfigs, plugins' answers, the
 * bar. */
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/parse.h"
#include "cli/fleet/kubeconfig.h"
#include "cli/fleet/node_set.h"
#include "cli/fleet/node_view.h"
#include "cli/fleet/output.h"
#include "cli/fleet/plugin.h"
#include "cli/fleet/table.h"
#include "cli/fleet/tally.h"
#include "cli/fleet/update_view.h"
#include "support/check_main.h"

static json_t *parse(const char *text)
{
    struct hf_err err = HF_ERR_INIT;
    json_t *json = NULL;

    ck_assert_msg(hf_yaml_parse(hf_view_of(text), NULL, &json, &err) == 0, "%s: %s", err.cause, text);
    return json;
}

/* ---- what an EdgeUpdate says ------------------------------------------------------------------------------------- */

#define READY(status, reason) "{type: Ready, status: '" status "', reason: " reason "}"
#define STALLED(reason) ", {type: Stalled, status: 'True', reason: " reason "}"

static const struct {
    const char *name;
    const char *annotations, *status; /* YAML in flow style */
    bool strategy;
    enum hf_update_view_state want;
    const char *reason, *stage;
} updates[] = {
    {"no status", "", "", true, HF_VIEW_UNREPORTED, "Unreported", ""},
    {"an older spec", "", "observedGeneration: 2, conditions: [" READY("True", "RolledOut") "]", true,
     HF_VIEW_UNREPORTED, "Unreported", ""},
    {"canary", "", "observedGeneration: 3, rollout: {phase: Canary}, conditions: [" READY("False", "Progressing") "]",
     true, HF_VIEW_PROGRESSING, "Progressing", "canary"},
    {"too few of the stage", "",
     "observedGeneration: 3, rollout: {phase: Wave, wave: 1}, conditions: [" READY("False", "FewUpdated") "]", true,
     HF_VIEW_PROGRESSING, "FewUpdated", "wave 1/2"},
    {"soak", "",
     "observedGeneration: 3, rollout: {phase: WaveSoak, wave: 1}, conditions: [" READY("False", "Soaking") "]", true,
     HF_VIEW_PROGRESSING, "Soaking", "wave 1/2 soak"},
    {"complete", "",
     "observedGeneration: 3, rollout: {phase: Complete, wave: 2}, conditions: [" READY("True", "RolledOut") "]", true,
     HF_VIEW_COMPLETE, "RolledOut", "complete"},
    {"halted", "",
     "observedGeneration: 3, rollout: {phase: Halted, wave: 2}, conditions: [" READY("False", "TooManyFailures")
         STALLED("TooManyFailures") "]",
     true, HF_VIEW_STALLED, "TooManyFailures", "wave 2/2"},
    {"halted and resumed", "edge.codcompass.io/rollout-resume: t2",
     "observedGeneration: 3, rollout: {phase: Halted, wave: 2, resumed: t1}, conditions: [" READY(
         "False", "TooManyFailures") STALLED("TooManyFailures") "]",
     true, HF_VIEW_PROGRESSING, "Resuming", "wave 2/2"},
    {"halted again after the resume", "edge.codcompass.io/rollout-resume: t2",
     "observedGeneration: 3, rollout: {phase: Halted, wave: 2, resumed: t2}, conditions: [" READY(
         "False", "TooManyFailures") STALLED("TooManyFailures") "]",
     true, HF_VIEW_STALLED, "TooManyFailures", "wave 2/2"},
    {"an operator halts, the controller has not seen it", "edge.codcompass.io/rollout-halted: why",
     "observedGeneration: 3, rollout: {phase: Wave, wave: 1}, conditions: [" READY("False", "Progressing") "]", true,
     HF_VIEW_STALLED, "HaltedByOperator", "wave 1/2"},
    {"an operator resumes, the controller has not seen it", "",
     "observedGeneration: 3, rollout: {phase: Halted, wave: 1}, conditions: [" READY("False", "HaltedByOperator")
         STALLED("HaltedByOperator") "]",
     true, HF_VIEW_PROGRESSING, "Resuming", "wave 1/2"},
    {"paused, not seen", "edge.codcompass.io/rollout-paused: 'true'",
     "observedGeneration: 3, rollout: {phase: Wave, wave: 1}, conditions: [" READY("False", "Progressing") "]", true,
     HF_VIEW_PAUSED, "Paused", "wave 1/2"},
    {"paused, seen", "edge.codcompass.io/rollout-paused: 'true'",
     "observedGeneration: 3, rollout: {phase: Paused, wave: 1}, conditions: [" READY("False", "Paused") "]", true,
     HF_VIEW_PAUSED, "Paused", "wave 1/2"},
    {"paused by another word, not seen", "edge.codcompass.io/rollout-paused: 'yes'",
     "observedGeneration: 3, rollout: {phase: Wave, wave: 1}, conditions: [" READY("False", "Progressing") "]", true,
     HF_VIEW_PAUSED, "Paused", "wave 1/2"},
    {"paused: false, not seen", "edge.codcompass.io/rollout-paused: 'false'",
     "observedGeneration: 3, rollout: {phase: Paused, wave: 1}, conditions: [" READY("False", "Paused") "]", true,
     HF_VIEW_PROGRESSING, "Resuming", "wave 1/2"},
    {"no longer paused, not seen", "",
     "observedGeneration: 3, rollout: {phase: Paused, wave: 1}, conditions: [" READY("False", "Paused") "]", true,
     HF_VIEW_PROGRESSING, "Resuming", "wave 1/2"},
    {"suspended", "", "observedGeneration: 3, conditions: [" READY("False", "Suspended") "]", true, HF_VIEW_PAUSED,
     "Suspended", ""},
    {"refused", "", "observedGeneration: 3, conditions: [" READY("False", "ObjectRefused") STALLED("ObjectRefused") "]",
     true, HF_VIEW_REFUSED, "ObjectRefused", ""},
    {"no strategy, complete", "", "observedGeneration: 3, conditions: [" READY("True", "RolledOut") "]", false,
     HF_VIEW_COMPLETE, "RolledOut", "complete"},
    {"no strategy, failed", "",
     "observedGeneration: 3, conditions: [" READY("False", "NodesFailed") STALLED("NodesFailed") "]", false,
     HF_VIEW_STALLED, "NodesFailed", "all at once"},
    {"status of a stranger", "", "observedGeneration: 3, conditions: 5, rollout: x, nodes: []", true,
     HF_VIEW_UNREPORTED, "Unreported", ""},
};

START_TEST(views_of_updates)
{
    _cleanup_(hf_freep) char *text = hf_asprintf(
        "metadata: {name: e, generation: 3, annotations: {%s}}\n"
        "spec: {release: {name: e, version: '1'}%s}\nstatus: {%s}\n",
        updates[_i].annotations, updates[_i].strategy ? ", strategy: {waves: [{percent: 5}, {percent: 100}]}" : "",
        updates[_i].status);
    _cleanup_(hf_json_freep) json_t *update = parse(text);
    struct hf_update_view view;

    hf_update_view_of(update, &view);
    ck_assert_msg(view.state == updates[_i].want, "%s: state %s", updates[_i].name, hf_update_view_state_name(&view));
    ck_assert_msg(strcmp(view.reason, updates[_i].reason) == 0, "%s: reason %s", updates[_i].name, view.reason);
    ck_assert_msg(strcmp(view.stage, updates[_i].stage) == 0, "%s: stage %s", updates[_i].name, view.stage);
    _cleanup_(hf_json_freep) json_t *json = hf_update_view_json(&view);
    ck_assert_ptr_nonnull(json);
}
END_TEST

/* A node that is held is not away, and one that cannot go on is named while the rollout progresses. */
START_TEST(held_nodes_and_trouble)
{
    _cleanup_(hf_json_freep) json_t *update =
        parse("metadata: {name: e, generation: 3}\n"
              "spec: {release: {name: e, version: '1'}, strategy: {}}\n"
              "status: {observedGeneration: 3, nodes: {selected: 3, unknown: 2, held: 1}, rollout: {phase: Canary, "
              "trouble: {node: n1, reason: DownloadFailed}}, conditions: [" READY("False", "Progressing") "]}\n");
    struct hf_update_view view;

    hf_update_view_of(update, &view);
    ck_assert_int_eq(view.held, 1);
    ck_assert_str_eq(hf_update_view_reason(&view), "DownloadFailed");
    _cleanup_(hf_json_freep) json_t *json = hf_update_view_json(&view);
    ck_assert_int_eq(hf_json_int_or(json, "nodes.held", 0), 1);
    ck_assert_str_eq(hf_json_str_or(json, "trouble.node", ""), "n1");
    view.reason = "Soaking";
    ck_assert_str_eq(hf_update_view_reason(&view), "Soaking");
}
END_TEST

START_TEST(all_nodes_are_reached)
{
    static const struct {
        int64_t selected, updated, incompatible, superseded, unknown;
        enum hf_update_view_state state;
        bool want, want_reachable;
    } rows[] = {
        {10, 10, 0, 0, 0, HF_VIEW_COMPLETE, true, true},    {10, 9, 0, 0, 0, HF_VIEW_COMPLETE, false, false},
        {10, 9, 0, 0, 1, HF_VIEW_COMPLETE, false, true},    {10, 7, 2, 1, 0, HF_VIEW_COMPLETE, true, true},
        {0, 0, 0, 0, 0, HF_VIEW_COMPLETE, false, false},    {10, 10, 0, 0, 0, HF_VIEW_PROGRESSING, false, false},
        {10, 10, 0, 0, 0, HF_VIEW_UNREPORTED, false, false}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        const struct hf_update_view view = {.counted = true,
                                            .state = rows[i].state,
                                            .selected = rows[i].selected,
                                            .updated = rows[i].updated,
                                            .incompatible = rows[i].incompatible,
                                            .superseded = rows[i].superseded,
                                            .unknown = rows[i].unknown};
        ck_assert_msg(hf_update_view_reached_all(&view, false) == rows[i].want, "row %zu", i);
        ck_assert_msg(hf_update_view_reached_all(&view, true) == rows[i].want_reachable, "row %zu", i);
    }
}
END_TEST

/* ---- what an EdgeNode says --------------------------------------------------------------------------------------- */

#define SEEN "2026-11-22T20:00:00Z"

static const struct {
    const char *name, *status, *release;
    uint64_t later_s; /* now, after SEEN */
    bool silent;
    const char *phase;
} nodes[] = {
    {"never seen", "", NULL, 0, true, ""},
    {"fresh", "observedTime: " SEEN, NULL, 450, false, ""},
    {"one and a half intervals of 5 m", "observedTime: " SEEN, NULL, 451, true, ""},
    {"its own interval", "observedTime: " SEEN ", policy: {interval: 1h}", NULL, 5400, false, ""},
    {"its own interval is over", "observedTime: " SEEN ", policy: {interval: 1h}", NULL, 5401, true, ""},
    {"a short interval", "observedTime: " SEEN ", policy: {interval: 10s}", NULL, 20, false, ""},
    {"a short interval is over", "observedTime: " SEEN ", policy: {interval: 10s}", NULL, 21, true, ""},
    {"a clock before the report", "observedTime: " SEEN, NULL, 0, false, ""},
    {"the controller says so",
     "observedTime: " SEEN ", conditions: [{type: Ready, status: Unknown, reason: NodeSilent}]", NULL, 1, true, ""},
    {"the worst comes first",
     "observedTime: " SEEN ", updates: [{name: a, phase: Committed}, {name: b, phase: RolledBack}, {name: c, phase: "
     "Fetching}]",
     NULL, 1, false, "RolledBack"},
    {"the release that was asked for",
     "observedTime: " SEEN ", updates: [{name: a, phase: Committed}, {name: b, phase: RolledBack}]", "a", 1, false,
     "Committed"},
    {"no such release", "observedTime: " SEEN ", updates: [{name: a, phase: Committed}]", "z", 1, false, ""},
    {"cut off, and healthy when it reported",
     "observedTime: " SEEN ", contact: {state: Fresh}, conditions: [{type: Ready, status: 'True', reason: Settled}], "
     "updates: [{name: a, phase: Committed}]",
     NULL, 451, true, "Committed"},
    {"lists that are none", "observedTime: 5, updates: {}, conditions: x", NULL, 1, true, ""},
};

START_TEST(views_of_nodes)
{
    _cleanup_(hf_freep) char *text = hf_asprintf("metadata: {name: n}\nstatus: {%s}\n", nodes[_i].status);
    _cleanup_(hf_json_freep) json_t *node = parse(text);
    struct hf_node_view view;
    uint64_t seen;

    ck_assert_int_eq(hf_parse_time(SEEN, &seen), 0);
    hf_node_view_of(node, nodes[_i].release, seen + nodes[_i].later_s * HF_NS_PER_S, &view);
    ck_assert_msg(view.silent == nodes[_i].silent, "%s", nodes[_i].name);
    if (view.seen && view.silent) { /* what it said last is not true now */
        ck_assert_str_eq(view.ready, "Unknown");
        ck_assert_str_eq(view.reason, "NodeSilent");
        ck_assert_str_eq(view.contact, "Silent");
    }
    ck_assert_msg(strcmp(view.phase, nodes[_i].phase) == 0, "%s: %s", nodes[_i].name, view.phase);
}
END_TEST

START_TEST(tallies)
{
    static const struct {
        const char *phase, *version, *age;
        size_t committed, failed, incompatible, away, not_admitted;
        const char *reason;
    } rows[] = {{"Committed", "2", "5s", 1, 0, 0, 0, 0, NULL},
                {"Committed", "1", "5s", 0, 0, 0, 0, 0, NULL},
                {"Committed", "2", "old", 1, 0, 0, 0, 0, NULL},
                {"Fetching", "2", "old", 0, 0, 0, 1, 0, NULL},
                {"RolledBack", "2", "5s", 0, 1, 0, 0, 0, NULL},
                {"RolledBack", "1", "5s", 0, 0, 0, 0, 0, NULL},
                {"Incompatible", "2", "5s", 0, 0, 1, 0, 0, NULL},
                {"Rejected", "2", "old", 0, 1, 0, 0, 0, NULL},
                {"Waiting", "2", "5s", 0, 0, 0, 0, 1, "NotAdmitted"},
                {"Waiting", "1", "5s", 0, 0, 0, 0, 0, "NotAdmitted"},
                {"Waiting", "2", "old", 0, 0, 0, 1, 0, "NotAdmitted"},
                {"Waiting", "2", "5s", 0, 0, 0, 0, 0, "Queued"},
                {"RollingBack", "2", "5s", 0, 1, 0, 0, 0, "HealthFailed"},
                {"RollingBack", "2", "5s", 0, 0, 0, 0, 0, "TargetChanged"}};
    uint64_t seen;

    ck_assert_int_eq(hf_parse_time(SEEN, &seen), 0);
    for (size_t i = 0; i < HF_LEN(rows); i++) {
        _cleanup_(hf_freep) char *text =
            hf_asprintf("metadata: {name: n}\nstatus: {observedTime: " SEEN
                        ", updates: [{name: e, phase: %s, version: '%s', reason: %s}]}\n",
                        rows[i].phase, rows[i].version, rows[i].reason != NULL ? rows[i].reason : "None");
        _cleanup_(hf_json_freep) json_t *node = parse(text);
        struct hf_tally tally = {.nodes = 1};
        hf_tally_add(&tally, node, "e", "2", seen + (rows[i].age[0] == 'o' ? 3600 : 5) * HF_NS_PER_S);
        ck_assert_msg(tally.committed == rows[i].committed && tally.failed == rows[i].failed &&
                          tally.incompatible == rows[i].incompatible && tally.away == rows[i].away &&
                          tally.not_admitted == rows[i].not_admitted,
                      "row %zu", i);
    }
    ck_assert(!hf_tally_complete(&(struct hf_tally){.nodes = 0}, true));
    ck_assert(!hf_tally_complete(&(struct hf_tally){.nodes = 2, .committed = 1, .away = 1}, false));
    ck_assert(hf_tally_complete(&(struct hf_tally){.nodes = 2, .committed = 1, .away = 1}, true));
    ck_assert(!hf_tally_complete(&(struct hf_tally){.nodes = 2, .away = 2}, true));
    ck_assert(hf_tally_complete(&(struct hf_tally){.nodes = 2, .committed = 1, .incompatible = 1}, false));
}
END_TEST

START_TEST(a_tally_names_who_is_missing)
{
    struct hf_tally tally = {.nodes = 8};
    uint64_t seen;
    char text[400];

    ck_assert_int_eq(hf_parse_time(SEEN, &seen), 0);
    ck_assert_str_eq(hf_tally_format_missing(&tally, text, sizeof(text)), "");
    for (unsigned i = 0; i < 8; i++) {
        static const char *const phases[] = {"Committed", "Waiting", "RolledBack", "Incompatible"};
        _cleanup_(hf_freep) char *node = hf_asprintf("metadata: {name: n%u}\nstatus: {observedTime: " SEEN
                                                     ", updates: [{name: e, phase: %s, version: '%s'}]}\n",
                                                     i, phases[i % 4], i == 4 || i == 7 ? "1" : "2");
        _cleanup_(hf_json_freep) json_t *json = parse(node);
        hf_tally_add(&tally, json, "e", "2", seen + (i == 5 ? 3600 : 5) * HF_NS_PER_S);
    }
    ck_assert_str_eq(hf_tally_format_missing(&tally, text, sizeof(text)),
                     "n1 (Waiting), n2 (RolledBack), n4 (does not report this version), n5 (silent), n6 (RolledBack) "
                     "and 1 more");
}
END_TEST

START_TEST(a_tally_waits_for_admission)
{
    static const struct {
        struct hf_tally tally;
        bool want, want_reachable;
    } rows[] = {{{.nodes = 0}, false, false},
                {{.nodes = 2, .committed = 2}, false, false},
                {{.nodes = 2, .not_admitted = 2}, true, true},
                {{.nodes = 3, .committed = 1, .incompatible = 1, .not_admitted = 1}, true, true},
                {{.nodes = 3, .committed = 1, .not_admitted = 1}, false, false},
                {{.nodes = 3, .committed = 1, .away = 1, .not_admitted = 1}, false, true}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        ck_assert_msg(hf_tally_waits_for_admission(&rows[i].tally, false) == rows[i].want, "row %zu", i);
        ck_assert_msg(hf_tally_waits_for_admission(&rows[i].tally, true) == rows[i].want_reachable, "row %zu", i);
    }
}
END_TEST

/* ---- selectors --------------------------------------------------------------------------------------------------- */

START_TEST(selectors)
{
    static const char *const right[] = {"a=b", "a==b,c!=d",    "a",          "!a", "example.com/a=b",
                                        "a=",  "a in (b,c),d", "a notin (b)"};
    static const char *const wrong[] = {"",      ",",           "a,",  "=b",    "a!b",    "a b",
                                        "a=b c", "a=b&limit=1", "a>1", "a/b/c", "a=b%2C", "!"};

    for (size_t i = 0; i < HF_LEN(right); i++)
        ck_assert_msg(hf_node_set_check("-l", right[i], NULL) == 0, "%s", right[i]);
    for (size_t i = 0; i < HF_LEN(wrong); i++)
        ck_assert_msg(hf_node_set_check("-l", wrong[i], NULL) == -EINVAL, "%s", wrong[i]);
}
END_TEST

START_TEST(selectors_of_objects)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(500);
    _cleanup_(hf_json_freep) json_t *selector = parse(
        "matchLabels: {a: b, c: d}\nmatchExpressions: [{key: e, operator: In, values: [f, g]}, {key: h, operator: "
        "Exists}, {key: i, operator: DoesNotExist}, {key: j, operator: NotIn, values: [k]}]\n");

    ck_assert_int_eq(hf_node_set_format(selector, &out, NULL), 0);
    ck_assert_str_eq(hf_buf_str(&out), "a=b,c=d,e in (f,g),h,!i,j notin (k)");
    ck_assert_int_eq(hf_node_set_check("-l", hf_buf_str(&out), NULL), 0);
    hf_buf_clear(&out);
    ck_assert_int_eq(hf_node_set_format(NULL, &out, NULL), 0);
    ck_assert_str_eq(hf_buf_str(&out), "");
    _cleanup_(hf_json_freep) json_t *newer = parse("matchExpressions: [{key: e, operator: Gt, values: ['1']}]\n");
    ck_assert_int_eq(hf_node_set_format(newer, &out, NULL), -EINVAL);
}
END_TEST

/* ---- kubeconfigs ------------------------------------------------------------------------------------------------- */

START_TEST(the_first_entry_wins_and_paths_are_relative_to_their_file)
{
    struct hf_kubeconfig_file files[] = {
        {"/one/config", parse("current-context: ''\nusers: [{name: u, user: {tokenFile: token, client-key: /abs/k}}]\n"
                              "clusters: []\n")},
        {"/two/config",
         parse("current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
               "clusters: [{name: k, cluster: {server: 'https://two', certificate-authority: pki/ca.crt}}]\n"
               "users: [{name: u, user: {token: never}}]\n")},
        {"/three/config", parse("current-context: d\nclusters: [{name: k, cluster: {server: 'https://three'}}]\n")}};
    struct hf_kubeconfig_choice choice;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_kubeconfig_pick(files, 3, &(struct hf_kubeconfig_options){.server = NULL}, &choice, &err) == 0,
                  "%s", err.cause);
    const json_t *cluster = hf_json_at(json_array_get(json_object_get(choice.config, "clusters"), 0), "cluster");
    const json_t *user = hf_json_at(json_array_get(json_object_get(choice.config, "users"), 0), "user");
    ck_assert_str_eq(hf_json_str_or(cluster, "server", ""), "https://two");
    ck_assert_str_eq(hf_json_str_or(cluster, "certificate-authority", ""), "/two/pki/ca.crt");
    ck_assert_str_eq(hf_json_str_or(user, "tokenFile", ""), "/one/token");
    ck_assert_str_eq(hf_json_str_or(user, "client-key", ""), "/abs/k");
    ck_assert_ptr_null(hf_json_at(user, "token"));
    ck_assert_str_eq(choice.context, "c");
    ck_assert_str_eq(choice.path, "/two/config");
    json_decref(choice.config);
    for (size_t i = 0; i < HF_LEN(files); i++)
        json_decref(files[i].root);
}
END_TEST

START_TEST(options_win)
{
    struct hf_kubeconfig_file file = {
        "/k/config", parse("current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                           "clusters: [{name: k, cluster: {server: 'https://a', certificate-authority-data: eA==}}]\n"
                           "users: [{name: u, user: {exec: {command: bin/x}, tokenFile: t}}]\n")};
    struct hf_kubeconfig_choice choice;
    const struct hf_kubeconfig_options options = {.server = "https://b", .insecure = true};

    ck_assert_int_eq(hf_kubeconfig_pick(&file, 1, &options, &choice, NULL), 0);
    const json_t *cluster = hf_json_at(json_array_get(json_object_get(choice.config, "clusters"), 0), "cluster");
    ck_assert_str_eq(hf_json_str_or(cluster, "server", ""), "https://b");
    ck_assert(hf_json_bool_or(cluster, "insecure-skip-tls-verify", false));
    ck_assert_ptr_null(json_object_get(cluster, "certificate-authority-data"));
    ck_assert_str_eq(hf_json_str_or(choice.exec, "command", ""), "/k/bin/x");
    json_decref(choice.config);
    const struct hf_kubeconfig_options token = {.token = "t"};
    ck_assert_int_eq(hf_kubeconfig_pick(&file, 1, &token, &choice, NULL), 0);
    ck_assert_ptr_null(choice.exec);
    const json_t *user = hf_json_at(json_array_get(json_object_get(choice.config, "users"), 0), "user");
    ck_assert_str_eq(hf_json_str_or(user, "token", ""), "t");
    ck_assert_uint_eq(json_object_size(user), 1);
    json_decref(choice.config);
    json_decref(file.root);
}
END_TEST

START_TEST(a_server_without_a_kubeconfig)
{
    struct hf_kubeconfig_choice choice;
    const struct hf_kubeconfig_options options = {.server = "https://b"};

    ck_assert_int_eq(hf_kubeconfig_pick(NULL, 0, &options, &choice, NULL), 0);
    ck_assert_str_eq(choice.context, "");
    json_decref(choice.config);
}
END_TEST

#define V1 "client.authentication.k8s.io/v1"
#define ANSWER(status) "{\"kind\": \"ExecCredential\", \"apiVersion\": \"" V1 "\", \"status\": {" status "}}"

START_TEST(answers_of_plugins)
{
    static const struct {
        const char *text;
        int want;
    } rows[] = {
        {ANSWER("\"token\": \"t\""), 0},
        {ANSWER("\"token\": \"t\", \"expirationTimestamp\": \"2026-11-22T20:00:00Z\""), 0},
        {ANSWER("\"clientCertificateData\": \"c\", \"clientKeyData\": \"k\""), 0},
        {ANSWER("\"clientCertificateData\": \"c\""), -EBADMSG},
        {ANSWER("\"token\": \"\""), -EBADMSG},
        {ANSWER("\"token\": 5"), -EBADMSG},
        {ANSWER("\"token\": \"a\\nb\""), -EBADMSG},
        {ANSWER("\"token\": \"t\", \"expirationTimestamp\": \"soon\""), -EBADMSG},
        {ANSWER(""), -EBADMSG},
        {"{\"kind\": \"ExecCredential\", \"apiVersion\": \"" V1 "beta1\", \"status\": {\"token\": \"t\"}}", -EBADMSG},
        {"{\"kind\": \"Pod\", \"apiVersion\": \"" V1 "\", \"status\": {\"token\": \"t\"}}", -EBADMSG},
        {"", -EBADMSG},
        {"[]", -EBADMSG},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_plugin_credential found = {.token = NULL};
        int r = hf_plugin_parse(hf_view_of(rows[i].text), V1, &found, NULL);
        ck_assert_msg(r == rows[i].want, "%d: %s", r, rows[i].text);
        hf_plugin_done(&found);
    }
}
END_TEST

/* ---- output ------------------------------------------------------------------------------------------------------ */

START_TEST(bars)
{
    static const struct {
        struct hf_output_bar bar;
        const char *want;
    } rows[] = {{{0, 0, 0, 0, 0}, "[..........]"},       {{100, 100, 0, 0, 0}, "[##########]"},
                {{100, 0, 0, 0, 0}, "[..........]"},     {{1000, 1, 1, 1, 1}, "[#>x?......]"},
                {{100, 50, 20, 10, 10}, "[#####>>x?.]"}, {{100, 99, 0, 1, 0}, "[#########x]"},
                {{4, 9, 9, 9, 9}, "[##########]"},       {{-5, 1, 1, 1, 1}, "[..........]"},
                {{10, -3, 5, 0, 0}, "[>>>>>.....]"}};
    char text[13];

    for (size_t i = 0; i < HF_LEN(rows); i++)
        ck_assert_str_eq(hf_output_draw(&rows[i].bar, text, sizeof(text)), rows[i].want);
}
END_TEST

START_TEST(tables)
{
    static const char *const titles[] = {"A", "B", "C"}, *const rows[][3] = {{"zz", "\xc3\xa4\xc3\xb6", "c"},
                                                                             {"y", "", NULL}};
    const enum hf_tint tints[] = {HF_TINT_GOOD, HF_TINT_NONE, HF_TINT_BAD};
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    struct hf_table table;

    ck_assert_int_eq(hf_table_begin(&table, titles, 3, NULL), 0);
    ck_assert_int_eq(hf_table_add(&table, rows[0], tints, NULL), 0);
    ck_assert_int_eq(hf_table_add(&table, rows[1], NULL, NULL), 0);
    hf_table_sort(&table);
    hf_table_print(&table, to, false);
    (void)fflush(to);
    ck_assert_str_eq(text, "A   B   C\ny   -   -\nzz  \xc3\xa4\xc3\xb6  c\n");
    rewind(to);
    hf_table_print(&table, to, true);
    (void)fclose(to);
    ck_assert_ptr_nonnull(strstr(text, "\033[32mzz\033[0m  \xc3\xa4\xc3\xb6  \033[31mc\033[0m\n"));
    hf_table_done(&table);
    free(text);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, views_of_updates, 0, (int)HF_LEN(updates));
    tcase_add_test(tc, held_nodes_and_trouble);
    tcase_add_test(tc, all_nodes_are_reached);
    tcase_add_loop_test(tc, views_of_nodes, 0, (int)HF_LEN(nodes));
    tcase_add_test(tc, tallies);
    tcase_add_test(tc, a_tally_names_who_is_missing);
    tcase_add_test(tc, a_tally_waits_for_admission);
    tcase_add_test(tc, selectors);
    tcase_add_test(tc, selectors_of_objects);
    tcase_add_test(tc, the_first_entry_wins_and_paths_are_relative_to_their_file);
    tcase_add_test(tc, options_win);
    tcase_add_test(tc, a_server_without_a_kubeconfig);
    tcase_add_test(tc, answers_of_plugins);
    tcase_add_test(tc, bars);
    tcase_add_test(tc, tables);
}
HF_TEST_MAIN("cli/fleet", cases)
