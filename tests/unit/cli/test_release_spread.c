/* SPDX-License-Identifier: Apache-2.0 */
/* How a release spreads: what `release create` and `rollback` write for it, and what lint says about the objects of
 * unstaged.json. The admission policy of the chart is asked about the same ones (tests/system/e2e/test_guard.py). */
#include <stdio.h>

#include "api/edgeupdate.h"
#include "base/buf.h"
#include "cli/cli.h"
#include "cli/release/release_spread.h"
#include "codec/json.h"
#include "support/check_main.h"
#include "support/cli_run.h"

#define CASES "tests/unit/cli/unstaged.json"
#define OBJECT                                                                                                         \
    "{\"apiVersion\":\"" HF_API_GROUP_VERSION                                                                          \
    "\",\"kind\":\"EdgeUpdate\",\"metadata\":{\"name\":\"a\",\"annotations\":"                                         \
    "%s},\"spec\":%.*s%s\"release\":{\"name\":\"a\",\"version\":\"1\",\"sequence\":1,\"expires\":"                     \
    "\"2099-01-01T00:00:00Z\",\"install\":{\"path\":\"/opt/a/x\"},\"artifacts\":[{\"arch\":\"amd64\",\"url\":"         \
    "\"https://x.example/a\",\"sha256\":"                                                                              \
    "\"0000000000000000000000000000000000000000000000000000000000000000\",\"size\":1}]}},\"status\":%s}"

static struct cli_run run;

static void setup(void)
{
    cli_begin(&run);
    cli_write_text(&run, "v", "something");
}

static void teardown(void)
{
    cli_end(&run);
}

static json_t *load(const char *path)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    char chunk[4096];
    json_t *json = NULL;
    size_t n;
    FILE *file = fopen(path, "r");

    ck_assert_msg(file != NULL, "%s", path);
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        ck_assert_int_eq(hf_buf_add(&text, chunk, n), 0);
    (void)fclose(file);
    ck_assert_int_eq(hf_yaml_parse(hf_buf_view(&text), NULL, &json, NULL), 0);
    return json;
}

/* What `lint` prints about the EdgeUpdate with these parts. */
static void lint(const char *annotations, const char *spec, const char *status)
{
    size_t n = strlen(spec) - 1; /* without its closing brace */
    _cleanup_(hf_freep) char *text =
        hf_asprintf(OBJECT, annotations, (int)n, spec, spec[n - 1] == '{' ? "" : ",", status);

    cli_write_text(&run, "a.json", text);
    ck_assert_msg(cli(&run, "lint", "%/a.json", NULL) == 0, "%s%s", run.out, run.err);
}

static void expect(const char *name, const char *refused)
{
    const char *line = strstr(run.out, "warning: spec.strategy: would start on ");

    ck_assert_msg((line != NULL) == (refused != NULL), "%s: %s", name, run.out);
    if (line != NULL)
        ck_assert_msg(strstr(line, refused) != NULL && strstr(line, "edge.codcompass.io/everywhere: \"true\"") != NULL,
                      "%s: %s", name, line);
}

START_TEST(lint_says_what_the_policy_says)
{
    _cleanup_(hf_json_freep) json_t *cases = load(CASES);
    size_t i;
    json_t *one;

    ck_assert_uint_eq(json_array_size(cases), 12);
    json_array_foreach(cases, i, one) {
        json_t *annotations = json_object_get(one, "annotations");
        _cleanup_(hf_freep) char *notes = annotations != NULL ? json_dumps(annotations, 0) : strdup("{}");
        _cleanup_(hf_freep) char *spec = json_dumps(json_object_get(one, "spec"), 0);
        lint(notes, spec, "{}");
        expect(hf_json_str_or(one, "name", "?"), hf_json_str(one, "refused"));
    }
}
END_TEST

static const struct {
    const char *annotations, *spec, *status, *refused;
} counted[] = {
    {"{}", "{\"nodeSelector\":{\"matchLabels\":{\"a\":\"b\"}}}", "{\"nodes\":{\"selected\":10}}", NULL},
    {"{}", "{\"nodeSelector\":{\"matchLabels\":{\"a\":\"b\"}}}", "{\"nodes\":{\"selected\":11}}",
     "on 11 nodes at once"},
    {"{}", "{\"nodeSelector\":{\"matchLabels\":{\"a\":\"b\"}},\"strategy\":{}}", "{\"nodes\":{\"selected\":11}}", NULL},
    {"{\"edge.codcompass.io/everywhere\":\"true\"}", "{\"nodeSelector\":{\"matchLabels\":{\"a\":\"b\"}}}",
     "{\"nodes\":{\"selected\":11}}", NULL},
};

START_TEST(lint_counts_nodes_of_a_status)
{
    lint(counted[_i].annotations, counted[_i].spec, counted[_i].status);
    expect(counted[_i].spec, counted[_i].refused);
}
END_TEST

static json_t *create(const char *option, const char *value)
{
    ck_assert_msg(cli(&run, "release", "create", "--name", "e", "--version", "1", "--sequence", "1", "--path",
                      "/opt/e/x", "--artifact", "amd64=%/v", "--url-base", "https://x.example", "--out", "%/out",
                      option, value, NULL) == 0,
                  "%s", run.err);
    ck_assert_int_eq(cli(&run, "lint", "%/out/e-1.yaml", NULL), 0);
    ck_assert_ptr_null(strstr(run.out, "spec.strategy"));
    return load(cli_path(&run, "out/e-1.yaml"));
}

static const struct {
    const char *option, *value;
    bool strategy, annotation;
} made[] = {
    {"--everywhere", NULL, false, true},
    {"--node-selector", "kubernetes.io/hostname=edge-7", false, false},
    {"--node-selector", "site=oslo", true, false},
    {"--node-selector", "kubernetes.io/hostname!=edge-7", true, false},
};

START_TEST(create_writes_how_it_spreads)
{
    _cleanup_(hf_json_freep) json_t *update = create(made[_i].option, made[_i].value);
    const json_t *annotations = hf_json_at(update, "metadata.annotations");

    ck_assert_int_eq(hf_json_at(update, "spec.strategy") != NULL, made[_i].strategy);
    ck_assert_int_eq(json_object_get(annotations, HF_EVERYWHERE_ANNOTATION) != NULL, made[_i].annotation);
    if (made[_i].strategy)
        ck_assert_str_eq(hf_json_str_or(hf_json_at(update, "spec.strategy.canary.nodeSelector.matchLabels"), "x", "-"),
                         "-");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, lint_says_what_the_policy_says);
    tcase_add_loop_test(tc, lint_counts_nodes_of_a_status, 0, (int)HF_LEN(counted));
    tcase_add_loop_test(tc, create_writes_how_it_spreads, 0, (int)HF_LEN(made));
}
HF_TEST_MAIN("cli/release_spread", cases)
