/* SPDX-License-Identifier: Apache-2.0 */
/* rollback: from two signed EdgeUpdates to the signed one that goes back. */
#include <stdlib.h>

#include "api/edgeupdate.h"
#include "base/buf.h"
#include "cli/cli.h"
#include "codec/json.h"
#include "support/check_main.h"
#include "support/cli_run.h"

static struct cli_run run;

/* Two releases of one file, 1.1 and 1.2, both signed with the key `a`; and another key `b`. */
static void make(const char *version, const char *sequence, const char *file, const char *path, const char *out)
{
    ck_assert_msg(cli(&run, "release", "create", "--node-selector", "kubernetes.io/hostname=edge-7", "--name", "edge",
                      "--version", version, "--sequence", sequence, "--path", path, "--artifact", file, "--url-base",
                      "https://x.example/r", "--restart-unit", "edge.service", "--health-tcp", "80", "--key", "%/a.key",
                      "--out", out, NULL) == 0,
                  "%s", run.err);
}

static void setup(void)
{
    char content[20000];

    cli_begin(&run);
    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = (char)((i * 2654435761u) >> 13);
    cli_write(&run, "v1", content, sizeof(content));
    memset(content + 500, 'x', 40);
    cli_write(&run, "v2", content, sizeof(content));
    ck_assert_int_eq(cli(&run, "key", "generate", "%/a", NULL), 0);
    ck_assert_int_eq(cli(&run, "key", "generate", "%/b", NULL), 0);
    make("1.1", "7", "amd64=%/v1", "/opt/edge/bin", "%/one");
    make("1.2", "8", "amd64=%/v2,old=%/v1", "/opt/edge/bin", "%/two");
    /* What operators and the controller add around the release. */
    _cleanup_(hf_freep) char *text = cli_read(&run, "two/edge-1.2.yaml", NULL);
    _cleanup_(hf_freep) char *more = hf_asprintf("%s  strategy: {waves: [{percent: 5}, {percent: 100}]}\n"
                                                 "  waitForImages: true\n"
                                                 "status: {observedGeneration: 4, nodes: {failed: 3}}\n",
                                                 text);
    char *at = strstr(more, "metadata:\n");
    ck_assert_ptr_nonnull(at);
    _cleanup_(hf_freep) char *whole =
        hf_asprintf("%.*smetadata:\n  uid: u\n  resourceVersion: \"9\"\n  generation: 4\n  annotations: "
                    "{edge.codcompass.io/rollout-halted: x, keep: y}\n%s",
                    (int)(at - more), more, at + strlen("metadata:\n"));
    cli_write_text(&run, "current.yaml", whole);
}

static void teardown(void)
{
    cli_end(&run);
}

static json_t *load(const char *name)
{
    size_t n = 0;
    _cleanup_(hf_freep) char *text = cli_read(&run, name, &n);
    json_t *json = NULL;

    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(hf_yaml_parse((struct hf_view){text, n}, NULL, &json, NULL), 0);
    return json;
}

START_TEST(goes_back)
{
    ck_assert_msg(cli(&run, "rollback", "%/current.yaml", "%/one/edge-1.1.yaml", "--key", "%/a.key", "--out",
                      "%/back.yaml", NULL) == 0,
                  "%s", run.err);
    ck_assert_ptr_nonnull(strstr(run.err, "no node has changed yet; next: kubectl apply -f "));
    ck_assert_ptr_nonnull(strstr(run.err, "edge 1.2 (sequence 8) back to 1.1+rollback.9 (sequence 9)"));
    ck_assert_ptr_nonnull(strstr(run.err, "1 of 1 artifact has no delta from 1.2"));
    ck_assert_str_eq(run.out, "");
    ck_assert_msg(cli(&run, "release", "verify", "%/back.yaml", "--key", "%/a.pem", NULL) == 0, "%s%s", run.out,
                  run.err);
    _cleanup_(hf_json_freep) json_t *back = load("back.yaml"), *one = load("one/edge-1.1.yaml");
    _cleanup_(hf_json_freep) json_t *current = load("current.yaml");
    ck_assert_int_eq(hf_json_int_or(back, "spec.release.sequence", 0), 9);
    ck_assert(json_equal(hf_json_at(back, "spec.release.artifacts"), hf_json_at(one, "spec.release.artifacts")));
    ck_assert(json_equal(hf_json_at(back, "spec.release.install"), hf_json_at(one, "spec.release.install")));
    ck_assert(json_equal(hf_json_at(back, "spec.strategy"), hf_json_at(current, "spec.strategy")));
    ck_assert(json_equal(hf_json_at(back, "spec.nodeSelector"), hf_json_at(current, "spec.nodeSelector")));
    ck_assert_uint_eq(json_object_size(hf_json_at(back, "metadata")), 2); /* the name, and one annotation */
    ck_assert_uint_eq(json_object_size(hf_json_at(back, "metadata.annotations")), 1);
    ck_assert_ptr_null(json_object_get(back, "status"));
    ck_assert_ptr_null(hf_json_at(back, "spec.waitForImages"));
}
END_TEST

static const struct {
    const char *older, *want;
} versions[] = {
    {"1.1", "1.1+rollback.9"},
    {"1.1-rc.1", "1.1-rc.1+rollback.9"},
    {"1.1+linux", "1.1+linux.rollback.9"},
    {"1.1+rollback.5", "1.1+rollback.9"},
    {"1.1+linux.rollback.5", "1.1+linux.rollback.9"},
    {"rollback.5", "rollback.5+rollback.9"},
    {"1234567890123456789012345678901234567890123456789012345678901234",
     "12345678901234567890123456789012345678901234567890123+rollback.9"},
};

/* So that `wait --version` and a history tell the way back from the release that was there first. */
START_TEST(the_version_says_so)
{
    make(versions[_i].older, "6", "amd64=%/v1", "/opt/edge/bin", "%/named");
    _cleanup_(hf_freep) char *older = hf_asprintf("%%/named/edge-%s.yaml", versions[_i].older);
    for (char *plus = older; (plus = strchr(plus, '+')) != NULL;) /* no character of a file's name */
        *plus = '_';
    ck_assert_msg(cli(&run, "rollback", "%/current.yaml", older, "--key", "%/a.key", "--out", "%/back.yaml", NULL) == 0,
                  "%s", run.err);
    _cleanup_(hf_json_freep) json_t *back = load("back.yaml");
    ck_assert_str_eq(hf_json_str_or(back, "spec.release.version", ""), versions[_i].want);
    ck_assert_int_eq(cli(&run, "release", "verify", "%/back.yaml", "--key", "%/a.pem", NULL), 0);
}
END_TEST

START_TEST(at_once_with_a_delta_to_standard_output)
{
    ck_assert_int_eq(cli(&run, "delta", "create", "%/v2", "%/v1", "%/back.delta", NULL), 0);
    ck_assert_msg(cli(&run, "rollback", "%/current.yaml", "%/one/edge-1.1.yaml", "--key", "%/a.key", "--at-once",
                      "--sequence", "20", "--delta", "amd64=%/back.delta", "--url-base", "https://x.example/r/",
                      NULL) == 0,
                  "%s", run.err);
    ck_assert_ptr_null(strstr(run.err, "have no delta"));
    cli_write_text(&run, "back.yaml", run.out);
    _cleanup_(hf_json_freep) json_t *back = load("back.yaml");
    const json_t *artifact = json_array_get(hf_json_at(back, "spec.release.artifacts"), 0);
    const json_t *delta = json_array_get(json_object_get(artifact, "deltas"), 0);
    ck_assert_str_eq(hf_json_str_or(delta, "url", ""), "https://x.example/r/back.delta");
    _cleanup_(hf_json_freep) json_t *current = load("current.yaml");
    ck_assert_str_eq(hf_json_str_or(delta, "from", ""),
                     hf_json_str_or(json_array_get(hf_json_at(current, "spec.release.artifacts"), 0), "sha256", "?"));
    ck_assert_int_eq(hf_json_int_or(back, "spec.release.sequence", 0), 20);
    ck_assert_ptr_null(hf_json_at(back, "spec.strategy"));
    const json_t *annotations = hf_json_at(back, "metadata.annotations");
    ck_assert_str_eq(json_string_value(json_object_get(annotations, HF_EVERYWHERE_ANNOTATION)), "true");
    ck_assert_int_eq(cli(&run, "release", "verify", "%/back.yaml", "--key", "%/a.pem", NULL), 0);
}
END_TEST

static const struct {
    const char *current, *older, *key;
    const char *option, *value;
    int code;
    const char *told;
} wrong[] = {
    {"%/one/edge-1.1.yaml", "%/current.yaml", "%/a.key", NULL, NULL, HF_EXIT_USAGE, "the wrong way round"},
    {"%/current.yaml", "%/current.yaml", "%/a.key", NULL, NULL, HF_EXIT_USAGE, "spec.release.sequence"},
    {"%/current.yaml", "%/other.yaml", "%/a.key", NULL, NULL, HF_EXIT_USAGE, "spec.release.name"},
    {"%/current.yaml", "%/elsewhere/edge-1.1.yaml", "%/a.key", NULL, NULL, HF_EXIT_USAGE, "spec.release.install.path"},
    {"%/current.yaml", "%/arm/edge-1.1.yaml", "%/a.key", NULL, NULL, HF_EXIT_USAGE, "OLDER has none for 'amd64'"},
    {"%/current.yaml", "%/one/edge-1.1.yaml", "%/a.key", "--sequence", "8", HF_EXIT_USAGE,
     "--sequence: 8 is not above"},
    {"%/current.yaml", "%/one/edge-1.1.yaml", "%/b.key", NULL, NULL, HF_EXIT_REFUSED,
     "has no valid signature of --key"},
    {"%/current.yaml", "%/forged.yaml", "%/a.key", NULL, NULL, HF_EXIT_REFUSED, "has no valid signature of --key"},
    {"%/high.yaml", "%/one/edge-1.1.yaml", "%/a.key", NULL, NULL, HF_EXIT_REFUSED,
     "CURRENT ('%/high.yaml') has no valid signature of --key"},
    {"%/current.yaml", "%/one/edge-1.1.yaml", "%/a.key", "--sequence", "9007199254740991", HF_EXIT_USAGE, "--leap"},
    {"%/current.yaml", "%/one/edge-1.1.yaml", "%/a.key", "--sequence", "1017", HF_EXIT_USAGE, "--leap"},
    {"%/current.yaml", "%/one/edge-1.1.yaml", "%/a.key", "--trusted", "%/b.pem", HF_EXIT_REFUSED, "--trusted"},
    {"%/current.yaml", "%/one/edge-1.1.yaml", "%/a.key", "--delta", "amd64=%/v1", HF_EXIT_USAGE, "needs --url-base"},
    {"%/current.yaml", "%/nothing.yaml", "%/a.key", NULL, NULL, HF_EXIT_FAILED, "No such file"},
    {"edgeupdate/edge", "%/one/edge-1.1.yaml", "%/a.key", "--kubeconfig", "%/none", HF_EXIT_FAILED, "No such file"},
};

static void replace(const char *from, const char *what, const char *with, const char *to)
{
    _cleanup_(hf_freep) char *text = cli_read(&run, from, NULL);
    char *at = strstr(text, what);

    ck_assert_ptr_nonnull(at);
    _cleanup_(hf_freep) char *other = hf_asprintf("%.*s%s%s", (int)(at - text), text, with, at + strlen(what));
    cli_write_text(&run, to, other);
}

/* Returns true if standard error has the text, where % stands for the folder of the test. */
static bool says(const char *text)
{
    const char *percent = strstr(text, "%/");

    if (percent == NULL)
        return strstr(run.err, text) != NULL;
    _cleanup_(hf_freep) char *whole = hf_asprintf("%.*s%s%s", (int)(percent - text), text, run.folder, percent + 1);
    return strstr(run.err, whole) != NULL;
}

START_TEST(refuses)
{
    make("1.1", "7", "amd64=%/v1", "/opt/other/bin", "%/elsewhere");
    make("1.1", "7", "arm64=%/v1", "/opt/edge/bin", "%/arm");
    replace("one/edge-1.1.yaml", "    name: edge", "    name: gate", "other.yaml");
    replace("one/edge-1.1.yaml", "/r/", "/evil/", "forged.yaml");
    replace("current.yaml", "sequence: 8", "sequence: 9007199254740990", "high.yaml");
    int code = cli(&run, "rollback", wrong[_i].current, wrong[_i].older, "--key", wrong[_i].key, "--out", "%/back.yaml",
                   wrong[_i].option, wrong[_i].value, NULL);
    ck_assert_msg(code == wrong[_i].code && says(wrong[_i].told), "%d: %s", code, run.err);
    size_t n;
    ck_assert_ptr_null(cli_read(&run, "back.yaml", &n));
}
END_TEST

/* A leap that is meant, and the highest sequence without one. */
START_TEST(sequences_that_leap)
{
    ck_assert_int_eq(cli(&run, "rollback", "%/current.yaml", "%/one/edge-1.1.yaml", "--key", "%/a.key", "--sequence",
                         "20261128", "--leap", "--out", "%/back.yaml", NULL),
                     0);
    ck_assert_int_eq(cli(&run, "rollback", "%/current.yaml", "%/one/edge-1.1.yaml", "--key", "%/a.key", "--sequence",
                         "1016", "--out", "%/back2.yaml", NULL),
                     0);
}
END_TEST

START_TEST(patches_that_do_not_fit)
{
    static const struct {
        const char *from, *to, *told;
    } patches[] = {{"%/v1", "%/v2", "makes the file"}, {"%/v1", "%/v1", "starts from the file"}};

    for (size_t i = 0; i < HF_LEN(patches); i++) {
        ck_assert_int_eq(cli(&run, "delta", "create", patches[i].from, patches[i].to, "%/p", NULL), 0);
        ck_assert_int_eq(cli(&run, "rollback", "%/current.yaml", "%/one/edge-1.1.yaml", "--key", "%/a.key", "--delta",
                             "amd64=%/p", "--url-base", "https://x.example", NULL),
                         HF_EXIT_USAGE);
        ck_assert_msg(strstr(run.err, patches[i].told) != NULL, "%s", run.err);
    }
}
END_TEST

START_TEST(another_key_may_have_signed)
{
    ck_assert_msg(cli(&run, "rollback", "%/current.yaml", "%/one/edge-1.1.yaml", "--key", "%/b.key", "--trusted",
                      "%/a.pem", "--out", "%/back.yaml", NULL) == 0,
                  "%s", run.err);
    ck_assert_int_eq(cli(&run, "release", "verify", "%/back.yaml", "--key", "%/b.pem", NULL), 0);
    ck_assert_int_eq(cli(&run, "release", "verify", "%/back.yaml", "--key", "%/a.pem", NULL), HF_EXIT_REFUSED);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, goes_back);
    tcase_add_loop_test(tc, the_version_says_so, 0, HF_LEN(versions));
    tcase_add_test(tc, at_once_with_a_delta_to_standard_output);
    tcase_add_loop_test(tc, refuses, 0, (int)HF_LEN(wrong));
    tcase_add_test(tc, sequences_that_leap);
    tcase_add_test(tc, patches_that_do_not_fit);
    tcase_add_test(tc, another_key_may_have_signed);
}
HF_TEST_MAIN("cli/rollback", cases)
