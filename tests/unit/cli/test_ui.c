/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts of `holdfast ui`: what a node needs, the fields of a row, the rows that are new since a version. */
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "cli/ui/act.h"
#include "cli/ui/board.h"
#include "cli/ui/row.h"
#include "support/check_main.h"

static json_t *parse(const char *text)
{
    struct hf_err err = HF_ERR_INIT;
    json_t *json = NULL;

    ck_assert_msg(hf_yaml_parse(hf_view_of(text), NULL, &json, &err) == 0, "%s: %s", err.cause, text);
    return json;
}

/* ---- what a node needs ------------------------------------------------------------------------------------------- */

#define SEEN "observedTime: 2026-11-22T20:00:00Z, contact: {state: Fresh}"
#define UPDATE(phase, reason) ", updates: [{name: a, phase: " phase ", reason: " reason ", message: words}]"

static const struct {
    const char *name, *status;
    enum hf_ui_look look;
    const char *reason, *what;
} nodes[] = {
    {"never seen", "", HF_UI_WAIT, "NeverReported", ""},
    {"without releases", SEEN, HF_UI_GOOD, "", ""},
    {"committed", SEEN UPDATE("Committed", "Healthy"), HF_UI_GOOD, "", ""},
    {"incompatible", SEEN UPDATE("Incompatible", "Requirements"), HF_UI_GOOD, "", ""},
    {"superseded", SEEN UPDATE("Superseded", "x"), HF_UI_GOOD, "", ""},
    {"waiting", SEEN UPDATE("Waiting", "WindowClosed"), HF_UI_WAIT, "WindowClosed", "a"},
    {"fetching", SEEN UPDATE("Fetching", "Downloading"), HF_UI_BUSY, "Downloading", "a"},
    {"patching", SEEN UPDATE("Patching", "x"), HF_UI_BUSY, "x", "a"},
    {"verified", SEEN UPDATE("Verified", "TurnPending"), HF_UI_BUSY, "TurnPending", "a"},
    {"swapping", SEEN UPDATE("Swapping", "x"), HF_UI_BUSY, "x", "a"},
    {"probation", SEEN UPDATE("Probation", "x"), HF_UI_BUSY, "x", "a"},
    {"rolling back", SEEN UPDATE("RollingBack", "HealthFailed"), HF_UI_BAD, "HealthFailed", "a"},
    {"rolled back", SEEN UPDATE("RolledBack", "HealthFailed"), HF_UI_BAD, "HealthFailed", "a"},
    {"rejected", SEEN UPDATE("Rejected", "Unsigned"), HF_UI_BAD, "Unsigned", "a"},
    {"a phase of a newer agent", SEEN UPDATE("Dreaming", "x"), HF_UI_BUSY, "x", "a"},
    {"the worst of several", SEEN ", updates: [{name: a, phase: Committed}, {name: b, phase: RolledBack, reason: r}]",
     HF_UI_BAD, "r", "b"},
    {"a condition", SEEN ", conditions: [{type: PolicyTrusted, status: 'False', reason: Unsigned, message: m}]",
     HF_UI_BAD, "Unsigned", "PolicyTrusted"},
    {"a failure before a condition",
     SEEN UPDATE("RolledBack", "HealthFailed") ", conditions: [{type: Stalled, status: 'True', reason: x}]", HF_UI_BAD,
     "HealthFailed", "a"},
    {"a condition before work",
     SEEN UPDATE("Fetching", "x") ", conditions: [{type: NodeNameShared, status: 'True', reason: Two}]", HF_UI_BAD,
     "Two", "NodeNameShared"},
    {"stale", "observedTime: 2026-11-22T20:00:00Z, contact: {state: Stale, reason: DnsFailed}", HF_UI_WAIT, "DnsFailed",
     ""},
    {"expired", "observedTime: 2026-11-22T20:00:00Z, contact: {state: Expired}", HF_UI_WAIT, "Expired", ""},
    {"held", SEEN ", hold: {active: true, reason: line 3}", HF_UI_WAIT, "Held", ""},
    {"a sink that fails", SEEN ", telemetry: {sinks: [{name: s, breaker: HalfOpen}]}", HF_UI_WAIT, "SinkFails", "s"},
    {"a sink that takes all", SEEN ", telemetry: {sinks: [{name: s, breaker: Closed, droppedEvents: 0}]}", HF_UI_GOOD,
     "", ""},
    {"lost events before a sink that fails",
     SEEN ", telemetry: {sinks: [{name: s, breaker: Open}, {name: t, droppedEvents: 3}]}", HF_UI_BAD, "EventsLost",
     "t"},
    {"lost events before work", SEEN UPDATE("Fetching", "x") ", telemetry: {sinks: [{name: t, droppedEvents: 3}]}",
     HF_UI_BAD, "EventsLost", "t"},
    {"a sink that cannot begin", SEEN ", telemetry: {troubles: ['sink s: no token']}", HF_UI_BAD, "SinkFails", ""},
    {"a failure before lost events",
     SEEN UPDATE("RolledBack", "HealthFailed") ", telemetry: {sinks: [{name: t, droppedEvents: 3}]}", HF_UI_BAD,
     "HealthFailed", "a"},
    {"lists that are none", "observedTime: 5, updates: {}, conditions: x, hold: 7, contact: []", HF_UI_WAIT,
     "NeverReported", ""},
};

START_TEST(what_a_node_needs)
{
    _cleanup_(hf_freep) char *text = hf_asprintf("metadata: {name: n}\nstatus: {%s}\n", nodes[_i].status);
    _cleanup_(hf_json_freep) json_t *node = parse(text);
    struct hf_ui_verdict got;

    hf_ui_judge(node, &got);
    ck_assert_msg(got.look == nodes[_i].look, "%s: %s", nodes[_i].name, hf_ui_look_name(got.look));
    ck_assert_msg(strcmp(got.reason, nodes[_i].reason) == 0, "%s: reason %s", nodes[_i].name, got.reason);
    ck_assert_msg(strcmp(got.what, nodes[_i].what) == 0, "%s: what %s", nodes[_i].name, got.what);
    _cleanup_(hf_json_freep) json_t *row = hf_ui_row_of_node(node);
    ck_assert_str_eq(hf_json_str_or(row, "look", ""), hf_ui_look_name(nodes[_i].look));
}
END_TEST

/* ---- rows -------------------------------------------------------------------------------------------------------- */

START_TEST(row_of_a_node)
{
    _cleanup_(hf_json_freep) json_t *node =
        parse("metadata: {name: edge-1}\n"
              "status: {observedTime: '2026-11-22T20:00:00Z', policy: {interval: 1h}, agent: {version: '7'},\n"
              "  conditions: [{type: Ready, status: Unknown, reason: NodeSilent}],\n"
              "  updates: [{name: a, phase: Committed, version: '2', installedVersion: '1', reason: r,\n"
              "    digest: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}]}\n");
    _cleanup_(hf_json_freep) json_t *row = hf_ui_row_of_node(node);
    const json_t *update = json_array_get(hf_json_at(row, "updates"), 0);

    ck_assert_int_eq(hf_json_int_or(row, "seen", 0), 1795377600);
    ck_assert_int_eq(hf_json_int_or(row, "quiet", 0), 5400);
    ck_assert(hf_json_bool_or(row, "silent", false));
    ck_assert_str_eq(hf_json_str_or(row, "agent", ""), "7");
    ck_assert_str_eq(hf_json_str_or(update, "r", ""), "a");
    ck_assert_str_eq(hf_json_str_or(update, "v", ""), "2");
    ck_assert_str_eq(hf_json_str_or(update, "i", ""), "1");
    ck_assert_str_eq(hf_json_str_or(update, "d", ""), "0123456789abcdef");
    ck_assert_int_ge(hf_json_int_or(update, "s", -1), 0);
}
END_TEST

START_TEST(row_of_labels)
{
    _cleanup_(hf_json_freep) json_t *node =
        parse("metadata: {name: edge-1, labels: {site: oslo, kubernetes.io/hostname: edge-1, wrong: 5}}");
    _cleanup_(hf_json_freep) json_t *row = hf_ui_row_of_labels(node);

    ck_assert_uint_eq(json_object_size(json_object_get(row, "labels")), 1);
    ck_assert_str_eq(hf_json_str_or(row, "labels.site", ""), "oslo");
    _cleanup_(hf_json_freep) json_t *none = hf_ui_row_of_labels(NULL);
    ck_assert_uint_eq(json_object_size(json_object_get(none, "labels")), 0);
}
END_TEST

START_TEST(row_of_an_update)
{
    _cleanup_(hf_json_freep) json_t *update =
        parse("metadata: {name: e, generation: 1}\n"
              "spec: {release: {name: e, version: '2'}, strategy: {waves: [{percent: 5, soak: 10m}, {percent: 100}]}}\n"
              "status: {observedGeneration: 1, conditions: [{type: Ready, status: 'False', reason: Soaking}],\n"
              "  rollout: {phase: WaveSoak, wave: 1, slots: 600, slotsBefore: 100, soaked: 90s, digest: ffff}}\n");
    _cleanup_(hf_json_freep) json_t *row = hf_ui_row_of_update(update);

    ck_assert_str_eq(hf_json_str_or(row, "state", ""), "Progressing");
    ck_assert_str_eq(hf_json_str_or(row, "stage", ""), "wave 1/2 soak");
    ck_assert_int_eq(hf_json_int_or(row, "soak", 0), 600);
    ck_assert_int_eq(hf_json_int_or(row, "soaked", 0), 90);
    ck_assert_int_eq(hf_json_int_or(row, "slots", 0), 600);
    ck_assert_int_eq(hf_json_int_or(json_array_get(hf_json_at(row, "waves"), 1), "percent", 0), 100);
    ck_assert(hf_json_bool_or(row, "strategy", false));
    _cleanup_(hf_json_freep) json_t *empty = json_object();
    _cleanup_(hf_json_freep) json_t *nothing = hf_ui_row_of_update(empty);
    ck_assert_str_eq(hf_json_str_or(nothing, "state", ""), "Unreported");
}
END_TEST

/* Texts of any length, and lists without end, fit into a row. */
START_TEST(rows_are_bounded)
{
    static char text[100001];
    _cleanup_(hf_json_freep) json_t *list = json_array();
    _cleanup_(hf_json_freep) json_t *labels = json_object();
    struct hf_ui_board *board = hf_ui_board_new();

    for (size_t i = 0; i + 4 < sizeof(text); i += 4)
        memcpy(text + i, "\xf0\x9f\x98\x80", 4);
    for (int i = 0; i < 1000; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "k%d", i);
        ck_assert_int_eq(json_object_set_new(labels, key, json_string(text)), 0);
        ck_assert_int_eq(
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "name", text, "version",
                                                  text, "installedVersion", text, "phase", text, "reason", text,
                                                  "message", text, "digest", text, "percent", 5)),
            0);
    }
    _cleanup_(hf_json_freep) json_t *node =
        json_pack("{s:{s:s, s:O}, s:{s:O, s:{s:s}}}", "metadata", "name", "n", "labels", labels, "status", "updates",
                  list, "agent", "version", text);
    _cleanup_(hf_json_freep) json_t *update = json_pack(
        "{s:{s:s, s:i}, s:{s:{s:s, s:s}, s:{s:O}}, s:{s:i, s:O, s:{s:s, s:O, s:O}, s:[{s:s, s:s, s:s, s:s}]}}",
        "metadata", "name", "u", "generation", 1, "spec", "release", "name", text, "version", text, "strategy", "waves",
        list, "status", "observedGeneration", 1, "failures", list, "rollout", "phase", text, "waitingFor", list,
        "trouble", list, "conditions", "type", "Ready", "status", "False", "reason", text, "message", text);
    ck_assert(node != NULL && update != NULL);
    ck_assert_int_eq(hf_ui_board_put(board, "node", "n", hf_ui_row_of_node(node)), 0);
    ck_assert_int_eq(hf_ui_board_put(board, "labels", "n", hf_ui_row_of_labels(node)), 0);
    ck_assert_int_eq(hf_ui_board_put(board, "update", "u", hf_ui_row_of_update(update)), 0);
    hf_ui_board_free(board);
}
END_TEST

/* ---- the board --------------------------------------------------------------------------------------------------- */

static void put(struct hf_ui_board *board, const char *name, int value)
{
    ck_assert_int_eq(hf_ui_board_put(board, "node", name, json_pack("{s:i}", "v", value)), 0);
}

static void expect_changes(const struct hf_ui_board *board, uint64_t since, const char *want)
{
    struct hf_buf text = HF_BUF_INIT(4 << 20);

    ck_assert_int_eq(hf_ui_board_changes(board, since, &text), 0);
    ck_assert_str_eq(hf_buf_str(&text), want);
    hf_buf_done(&text);
}

START_TEST(changes_since_a_version)
{
    struct hf_ui_board *board = hf_ui_board_new();

    expect_changes(board, 0, "{\"version\":0,\"more\":false,\"rows\":[]}\n");
    put(board, "a", 1);
    put(board, "b", 1);
    put(board, "a", 1); /* the same */
    ck_assert_uint_eq(hf_ui_board_version(board), 2);
    put(board, "a", 2);
    expect_changes(board, 0,
                   "{\"version\":3,\"more\":false,\"rows\":[{\"v\":1,\"k\":\"node\",\"n\":\"b\"},"
                   "{\"v\":2,\"k\":\"node\",\"n\":\"a\"}]}\n");
    expect_changes(board, 2, "{\"version\":3,\"more\":false,\"rows\":[{\"v\":2,\"k\":\"node\",\"n\":\"a\"}]}\n");
    expect_changes(board, 3, "{\"version\":3,\"more\":false,\"rows\":[]}\n");
    expect_changes(board, UINT64_MAX, "{\"version\":3,\"more\":false,\"rows\":[]}\n");
    ck_assert_int_eq(hf_ui_board_remove(board, "node", "unknown"), 0);
    ck_assert_int_eq(hf_ui_board_remove(board, "node", "b"), 0);
    expect_changes(board, 3, "{\"version\":4,\"more\":false,\"rows\":[{\"gone\":true,\"k\":\"node\",\"n\":\"b\"}]}\n");
    put(board, "b", 1);
    expect_changes(board, 4, "{\"version\":5,\"more\":false,\"rows\":[{\"v\":1,\"k\":\"node\",\"n\":\"b\"}]}\n");
    ck_assert_int_eq(hf_ui_board_put(board, "node", "c", NULL), -ENOMEM);
    ck_assert_uint_eq(hf_ui_board_version(board), 5);
    hf_ui_board_free(board);
}
END_TEST

/* Answers end at their limit, and the next one goes on: each row comes once. */
START_TEST(many_changes_come_in_parts)
{
    enum { MANY = 5000 };
    static char filler[1001];
    struct hf_ui_board *board = hf_ui_board_new();
    uint64_t version = 0;
    size_t rows = 0, parts = 0;
    bool more = true;

    memset(filler, 'x', sizeof(filler) - 1);
    for (int i = 0; i < MANY; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "n%d", i);
        ck_assert_int_eq(hf_ui_board_put(board, "node", name, json_pack("{s:s}", "v", filler)), 0);
    }
    for (; more; parts++) {
        struct hf_buf text = HF_BUF_INIT(4 << 20);
        json_t *json = NULL;
        ck_assert_int_eq(hf_ui_board_changes(board, version, &text), 0);
        ck_assert_uint_le(text.n, HF_UI_MAX_ANSWER_BYTES + HF_UI_MAX_ROW_BYTES + 100);
        ck_assert_int_eq(hf_json_parse(hf_buf_view(&text), NULL, &json, NULL), 0);
        more = hf_json_bool_or(json, "more", false);
        version = (uint64_t)hf_json_int_or(json, "version", 0);
        rows += json_array_size(hf_json_at(json, "rows"));
        json_decref(json);
        hf_buf_done(&text);
    }
    ck_assert_uint_eq(rows, MANY);
    ck_assert_uint_ge(parts, 4);
    ck_assert_uint_eq(version, hf_ui_board_version(board));
    hf_ui_board_free(board);
}
END_TEST

/* ---- acts -------------------------------------------------------------------------------------------------------- */

static const struct hf_cli_option option_kubeconfig = {.name = "kubeconfig", .value = "FILE"},
                                  option_context = {.name = "context", .value = "NAME"},
                                  option_token = {.name = "token", .value = "TEXT"},
                                  option_insecure = {.name = "insecure-skip-tls-verify"},
                                  option_browser = {.name = "no-browser"};
static const struct hf_cli_args some_args = {
    .options = {&option_browser, &option_kubeconfig, &option_context, &option_token, &option_insecure},
    .values = {NULL, "/a b", "berlin", "secret", NULL},
    .n_options = 5,
};

static const struct {
    const char *body, *words; /* NULL: refused */
} acts[] = {
    {"{\"act\": \"Pause\", \"name\": \"app\"}", "rollout pause -- app"},
    {"{\"act\": \"Halt\", \"name\": \"app\"}", "rollout halt -- app"},
    {"{\"act\": \"Halt\", \"name\": \"--app\", \"reason\": \"--x y\"}", "rollout halt --reason=--x y -- --app"},
    {"{\"act\": \"Resume\", \"name\": \"app\", \"confirmed\": true}", "rollout resume -- app"},
    {"{\"act\": \"FreeTurn\", \"name\": \"n\", \"release\": \"r\"}", "turn free --release=r -- n"},
    {"{\"act\": \"Pause\", \"name\": \"app\", \"reason\": \"x\"}", NULL},
    {"{\"act\": \"Halt\", \"name\": \"app\", \"release\": \"x\"}", NULL},
    {"{\"act\": \"Delete\", \"name\": \"app\"}", NULL},
    {"{\"act\": \"Pause\"}", NULL},
    {"{\"name\": \"app\"}", NULL},
    {"{\"act\": \"Pause\", \"name\": \"\"}", NULL},
    {"{\"act\": \"Pause\", \"name\": 5}", NULL},
    {"{\"act\": \"Pause\", \"name\": \"a\\nb\"}", NULL},
    {"{\"act\": \"Pause\", \"name\": \"app\", \"confirmed\": 1}", NULL},
    {"{\"act\": \"Pause\", \"name\": \"app\", \"token\": \"x\"}", NULL},
    {"[]", NULL},
    {"", NULL},
};

START_TEST(an_act_is_a_command)
{
    struct hf_err err = HF_ERR_INIT;
    struct hf_ui_act act;
    struct hf_buf line = HF_BUF_INIT(4096);
    int r = hf_ui_act_parse(hf_view_of(acts[_i].body), &act, &err);

    ck_assert_int_eq(r, acts[_i].words != NULL ? 0 : -EBADMSG);
    if (r < 0)
        return;
    char **argv = hf_ui_act_argv(&act, "/bin/holdfast", &some_args, "oslo", act.name);
    for (size_t i = 1; argv[i] != NULL; i++)
        if (i < 3 || i > 6)
            ck_assert_int_eq(hf_buf_addf(&line, "%s%s", line.n > 0 ? " " : "", argv[i]), 0);
    ck_assert_str_eq(hf_buf_str(&line), acts[_i].words);
    ck_assert_str_eq(argv[0], "/bin/holdfast");
    ck_assert_str_eq(argv[3], "--kubeconfig=/a b");
    ck_assert_str_eq(argv[4], "--token=secret");
    ck_assert_str_eq(argv[5], "--insecure-skip-tls-verify");
    ck_assert_str_eq(argv[6], "--context=oslo");
    _cleanup_(hf_json_freep) json_t *review = hf_ui_act_review(&act, act.name);
    ck_assert_str_eq(hf_json_str_or(review, "spec.resourceAttributes.verb", ""), "patch");
    ck_assert_str_eq(hf_json_str_or(review, "spec.resourceAttributes.resource", ""),
                     strcmp(act.words[0], "turn") == 0 ? "edgenodes" : "edgeupdates");
    ck_assert_str_eq(hf_json_str_or(review, "spec.resourceAttributes.name", ""), act.name);
    hf_ui_argv_free(argv);
    hf_ui_act_done(&act);
    hf_buf_done(&line);
}
END_TEST

START_TEST(a_reader_sees_no_token)
{
    _cleanup_(hf_json_freep) json_t *options = hf_ui_act_options(&some_args);
    _cleanup_(hf_freep) char *text = json_dumps(options, 0);

    ck_assert_str_eq(text, "[\"--kubeconfig=/a b\", \"--token=...\", \"--insecure-skip-tls-verify\"]");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, an_act_is_a_command, 0, (int)HF_LEN(acts));
    tcase_add_test(tc, a_reader_sees_no_token);
    tcase_add_loop_test(tc, what_a_node_needs, 0, (int)HF_LEN(nodes));
    tcase_add_test(tc, row_of_a_node);
    tcase_add_test(tc, row_of_labels);
    tcase_add_test(tc, row_of_an_update);
    tcase_add_test(tc, rows_are_bounded);
    tcase_add_test(tc, changes_since_a_version);
    tcase_add_test(tc, many_changes_come_in_parts);
}
HF_TEST_MAIN("cli/ui", cases)
