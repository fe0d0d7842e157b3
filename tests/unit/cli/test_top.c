/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts of `holdfast top`: the picture of each size (tests/golden/top.txt), the keys, what sets a node
 * apart. */
#include <stdlib.h>

#include "cli/ui/past.h"
#include "cli/ui/screen.h"
#include "support/check_main.h"
#include "support/golden.h"

enum { NOW = 1795377600 }; /* 2026-11-22T20:00:00Z */

static struct hf_ui_board *board;
static struct hf_ui_model model;
static struct hf_ui_screen screen;

static json_t *parse(const char *text)
{
    struct hf_err err = HF_ERR_INIT;
    json_t *json = NULL;

    ck_assert_msg(hf_yaml_parse(hf_view_of(text), NULL, &json, &err) == 0, "%s: %s", err.cause, text);
    return json;
}

static void put_node(const char *name, const char *site, const char *status)
{
    _cleanup_(hf_freep) char *text = hf_asprintf(
        "metadata: {name: %s}\nstatus: {agent: {version: '1'}, policy: {name: p, interval: 1h}, %s}\n", name, status);
    _cleanup_(hf_freep) char *label = hf_asprintf("metadata: {name: %s, labels: {site: %s, tier: shop}}", name, site);
    _cleanup_(hf_json_freep) json_t *node = parse(text);
    _cleanup_(hf_json_freep) json_t *labels = parse(label);

    ck_assert_int_eq(hf_ui_board_put(board, "node", name, hf_ui_row_of_node(node)), 0);
    ck_assert_int_eq(hf_ui_board_put(board, "labels", name, hf_ui_row_of_labels(labels)), 0);
}

#define SEEN "observedTime: '2026-11-22T19:59:55Z'"
#define RUNS(version, phase, reason, message)                                                                          \
    ", updates: [{name: app, version: 1.4.2, installedVersion: " version ", phase: " phase ", reason: " reason         \
    ", message: '" message "'}]"

static void fill(void)
{
    static const char update[] =
        "metadata: {name: app, generation: 1}\n"
        "spec: {release: {name: app, version: 1.4.2}, strategy: {waves: [{percent: 5}, {percent: 100}]}}\n"
        "status: {observedGeneration: 1, nodes: {selected: 40, updated: 10, failed: 2}, rollout: {phase: Halted, wave: "
        "1},\n"
        "  conditions: [{type: Ready, status: 'False', reason: TooManyFailures},\n"
        "    {type: Stalled, status: 'True', reason: TooManyFailures, message: two failed}]}\n";
    _cleanup_(hf_json_freep) json_t *rollout = parse(update);

    board = hf_ui_board_new();
    hf_ui_model_init(&model);
    screen = (struct hf_ui_screen){.model = &model, .now_unix_s = NOW, .columns = 80, .lines = 24};
    for (int i = 0; i < 30; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "well-%02d", i);
        put_node(name, i % 3 == 0 ? "bergen" : "oslo", SEEN RUNS("1.4.2", "Committed", "Healthy", ""));
    }
    put_node("bad", "oslo", SEEN RUNS("1.4.1", "RolledBack", "HealthFailed", "the check answered 500"));
    put_node("busy", "oslo", SEEN RUNS("1.4.1", "Fetching", "Downloading", ""));
    put_node("wait", "bergen", SEEN RUNS("1.4.1", "Waiting", "WindowClosed", "opens at 22:00"));
    put_node("away", "bergen", "observedTime: '2026-11-20T19:59:55Z'" RUNS("1.4.2", "Committed", "Healthy", ""));
    put_node("odd-text", "tromso", SEEN RUNS("1", "Waiting", "\"a\\e[31m\\u202e\\u00e9\"", "x"));
    ck_assert_int_eq(hf_ui_board_put(board, "update", "app", hf_ui_row_of_update(rollout)), 0);
    ck_assert_int_eq(hf_ui_model_take(&model, board), 0);
}

static void empty(void)
{
    hf_ui_model_done(&model);
    hf_ui_board_free(board);
}

/* Draws, checks the size, and appends to the golden text. */
static void draw(struct hf_buf *all, const char *title)
{
    struct hf_buf text = HF_BUF_INIT(1 << 20);
    struct hf_view rest, one;
    unsigned lines = 0;

    ck_assert_int_eq(hf_ui_screen_draw(&screen, &text), 0);
    rest = hf_buf_view(&text);
    while (hf_view_split(&rest, '\n', &one)) {
        size_t width = 0;
        for (size_t i = 0; i < one.n; i++) {
            width += ((unsigned char)one.p[i] & 0xc0) != 0x80;
            ck_assert_msg((unsigned char)one.p[i] >= 0x20, "%s: byte %d", title, one.p[i]);
        }
        ck_assert_msg(width <= screen.columns, "%s: %zu columns", title, width);
        lines++;
    }
    ck_assert_msg(screen.lines == 0 || lines <= screen.lines, "%s: %u lines", title, lines);
    if (all != NULL)
        ck_assert_int_eq(hf_buf_addf(all, "==== %s\n%s\n", title, hf_buf_str(&text)), 0);
    hf_buf_done(&text);
}

static bool keys(const char *bytes)
{
    return hf_ui_screen_input(&screen, bytes, strlen(bytes));
}

START_TEST(pictures)
{
    struct hf_buf all = HF_BUF_INIT(1 << 20);
    _cleanup_(hf_json_freep) json_t *state = parse(
        "{partial: true, contexts: [{context: berlin, server: 'https://x', nodes: {lost: true, why: no route}}]}");

    fill();
    screen.state = state;
    draw(&all, "80x24");
    ck_assert(keys("\x1b[B\x1b[B"));
    screen.columns = 40;
    screen.lines = 12;
    draw(&all, "40x12, two down");
    screen.columns = 120;
    ck_assert(keys("/HEALTHFAILED\r"));
    draw(&all, "filtered");
    ck_assert(keys("\r"));
    screen.lines = 24;
    draw(&all, "details");
    ck_assert(keys("\x1b\x1b"));
    screen.columns = 80;
    screen.lines = 0;
    draw(&all, "a file");
    ck_assert(hf_golden("top.txt", hf_buf_view(&all)));
    hf_buf_done(&all);
    empty();
}
END_TEST

START_TEST(every_size)
{
    fill();
    for (screen.lines = 1; screen.lines < 40; screen.lines++)
        for (screen.columns = 1; screen.columns < 130; screen.columns += 7)
            for (int open = 0; open < 2; open++) {
                screen.open = open == 1;
                draw(NULL, "a size");
            }
    empty();
}
END_TEST

static const struct {
    const char *keys;
    bool goes_on;
    const char *selected, *find;
    bool open;
    enum hf_ui_sort sort;
} walks[] = {
    {"", true, "bad", "", false, HF_UI_BY_STATE},
    {"q", false, "bad", "", false, HF_UI_BY_STATE},
    {"j", true, "away", "", false, HF_UI_BY_STATE},
    {"\x1b[B\x1bOB\x1b[A", true, "away", "", false, HF_UI_BY_STATE},
    {"\x1b[F", true, "well-29", "", false, HF_UI_BY_STATE},
    {"G\x1b[H", true, "bad", "", false, HF_UI_BY_STATE},
    {"k\x1b[5~", true, "bad", "", false, HF_UI_BY_STATE},
    {"s", true, "bad", "", false, HF_UI_BY_NAME},
    {"sss", true, "bad", "", false, HF_UI_BY_STATE},
    {"/oslo", true, "bad", "oslo", false, HF_UI_BY_STATE},
    {"/1.4.1\r\x1b[B", true, "wait", "1.4.1", false, HF_UI_BY_STATE},
    {"/xq\x7f\x7f\x7fq", true, "", "q", false, HF_UI_BY_STATE},
    {"/site=berg\x1b", true, "bad", "", false, HF_UI_BY_STATE},
    {"/\xc3\xa9\x7f", true, "bad", "", false, HF_UI_BY_STATE},
    {"\r", true, "bad", "", true, HF_UI_BY_STATE},
    {"\x1b[B\r", true, "away", "", true, HF_UI_BY_STATE},
    {"\rjjjj\x1b", true, "bad", "", false, HF_UI_BY_STATE},
    {"\x1b[", true, "bad", "", false, HF_UI_BY_STATE},
    {"\x1b[99999;99999Z\x1b[1;5B", true, "away", "", false, HF_UI_BY_STATE},
};

START_TEST(keys_of_the_reader)
{
    fill();
    draw(NULL, "before");
    ck_assert_int_eq(keys(walks[_i].keys), walks[_i].goes_on);
    draw(NULL, "after");
    if (walks[_i].selected[0] != '\0')
        ck_assert_str_eq(screen.selected, walks[_i].selected);
    ck_assert_str_eq(screen.find, walks[_i].find);
    ck_assert_int_eq(screen.open, walks[_i].open);
    ck_assert_int_eq(screen.sort, walks[_i].sort);
    empty();
}
END_TEST

START_TEST(a_node_that_goes_away_while_it_is_open)
{
    fill();
    draw(NULL, "before");
    ck_assert(keys("\r"));
    ck_assert_int_eq(hf_ui_board_remove(board, "node", "bad"), 0);
    ck_assert_int_eq(hf_ui_model_take(&model, board), 0);
    draw(NULL, "gone");
    ck_assert(keys("\x1b"));
    draw(NULL, "the list");
    ck_assert_str_eq(screen.selected, "away");
    empty();
}
END_TEST

START_TEST(what_sets_a_node_apart)
{
    fill();
    put_node("odd", "oslo",
             "conditions: [{type: PolicyTrusted, status: 'False'}], " SEEN RUNS("1.4.0", "Committed", "Healthy", ""));
    ck_assert_int_eq(hf_ui_model_take(&model, board), 0);
    _cleanup_(hf_json_freep) json_t *apart = hf_ui_model_compare(&model, "odd", "site");
    _cleanup_(hf_freep) char *text = json_dumps(apart, JSON_SORT_KEYS);
    ck_assert_str_eq(text,
                     "{\"apart\": [{\"mine\": \"1.4.0\", \"most\": \"1.4.2\", \"n\": 20, \"what\": \"runs app\"}, "
                     "{\"mine\": \"False\", \"most\": \"\", \"n\": 22, \"what\": \"condition PolicyTrusted\"}], "
                     "\"by\": \"site=oslo\", \"n\": 22}");
    _cleanup_(hf_json_freep) json_t *all = hf_ui_model_compare(&model, "odd", "");
    ck_assert_int_eq(hf_json_int_or(all, "n", 0), 35);
    ck_assert_str_eq(hf_json_str_or(all, "by", "x"), "");
    ck_assert_ptr_null(hf_ui_model_compare(&model, "absent", "site"));
    ck_assert(hf_ui_model_matches(&model, "odd", "Runs=1.4.0") &&
              hf_ui_model_matches(&model, "odd", "1.4.0  site=oslo"));
    ck_assert(!hf_ui_model_matches(&model, "odd", "1.4.2") && !hf_ui_model_matches(&model, "odd", "1.4.0 site=lund"));
    empty();
}
END_TEST

/* {"1.4.2": [at the oldest age, a day ago, now], ...} of the first release. */
static void ran(const char *version, json_int_t oldest, json_int_t day, json_int_t now)
{
    _cleanup_(hf_json_freep) json_t *past = hf_ui_model_past(&model, NOW);
    const json_t *ages = hf_json_at(past, "ages"), *first = json_array_get(hf_json_at(past, "releases"), 0);
    const json_t *versions = hf_json_at(first, "versions"), *n = NULL;
    size_t a_day_ago = 0;

    for (size_t i = 0; i < json_array_size(versions); i++)
        if (strcmp(hf_json_str_or(json_array_get(versions, i), "version", "x"), version) == 0)
            n = hf_json_at(json_array_get(versions, i), "n");
    ck_assert_uint_eq(json_array_size(ages), HF_UI_PAST_STEPS);
    ck_assert_int_eq(json_integer_value(json_array_get(ages, HF_UI_PAST_STEPS - 1)), 0);
    ck_assert_msg(json_array_size(n) == HF_UI_PAST_STEPS, "%s", version);
    while (json_integer_value(json_array_get(ages, a_day_ago)) > 86400)
        a_day_ago++;
    ck_assert_msg(json_integer_value(json_array_get(n, 0)) == oldest, "%s: oldest", version);
    ck_assert_msg(json_integer_value(json_array_get(n, a_day_ago)) == day, "%s: a day ago", version);
    ck_assert_msg(json_integer_value(json_array_get(n, HF_UI_PAST_STEPS - 1)) == now, "%s: now", version);
}

static void put_past(const char *name, const char *more)
{
    _cleanup_(hf_freep) char *status = hf_asprintf(SEEN ", updates: [{name: app, version: '2', %s}]", more);

    put_node(name, "oslo", status);
}

START_TEST(which_version_ran_when)
{
    board = hf_ui_board_new();
    hf_ui_model_init(&model);
    _cleanup_(hf_json_freep) json_t *nothing = hf_ui_model_past(&model, NOW);
    ck_assert_uint_eq(json_array_size(hf_json_at(nothing, "releases")), 0);
    put_past("two-days", "installedVersion: '2', from: '1', phase: Committed, time: '2026-11-20T20:00:00Z'");
    put_past("hour", "installedVersion: '2', from: '1', phase: Committed, time: '2026-11-22T19:00:00Z'");
    put_past("waits", "installedVersion: '1', from: '0', phase: Waiting, time: '2026-11-21T08:00:00Z'");
    put_past("no-time", "installedVersion: '2', phase: Committed");
    put_past("ahead", "installedVersion: '2', from: '1', phase: Committed, time: '2027-01-01T00:00:00Z'");
    ck_assert_int_eq(hf_ui_model_take(&model, board), 0);
    ran("2", 0, 1, 4);
    ran("1", 3, 3, 1);
    ran("", 2, 1, 0); /* what nobody tells is nobody's */
    put_past("two-days", "installedVersion: '2', from: '1', phase: Committed, time: '2025-01-01T00:00:00Z'");
    ck_assert_int_eq(hf_ui_model_take(&model, board), 0);
    ran("2", 1, 1, 4);
    for (int i = 0; i < 40; i++) {
        _cleanup_(hf_freep) char *more =
            hf_asprintf("installedVersion: 'v%d', phase: Committed, time: '2026-11-22T19:00:00Z'", i % 20);
        _cleanup_(hf_freep) char *name = hf_asprintf("many-%d", i);
        put_past(name, more);
    }
    ck_assert_int_eq(hf_ui_model_take(&model, board), 0);
    _cleanup_(hf_json_freep) json_t *many = hf_ui_model_past(&model, NOW);
    ck_assert_uint_eq(json_array_size(hf_json_at(json_array_get(hf_json_at(many, "releases"), 0), "versions")),
                      HF_UI_PAST_VERSIONS);
    empty();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, pictures);
    tcase_add_test(tc, every_size);
    tcase_add_loop_test(tc, keys_of_the_reader, 0, (int)HF_LEN(walks));
    tcase_add_test(tc, a_node_that_goes_away_while_it_is_open);
    tcase_add_test(tc, what_sets_a_node_apart);
    tcase_add_test(tc, which_version_ran_when);
}
HF_TEST_MAIN("cli/top", cases)
