/* SPDX-License-Identifier: Apache-2.0 */
/* node enrol: the files that it writes, and what it refuses before it writes one. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/encoding/base64.h"
#include "cli/cli.h"
#include "kube/kube.h"
#include "kube/rules/bound_token.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/cli_run.h"

#define CA "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
#define FOR_NODE "{\"sub\": \"system:serviceaccount:holdfast-system:holdfast-agent\", \"exp\": 4102444800, "
#define GOOD FOR_NODE "\"kubernetes.io\": {\"node\": {\"name\": \"edge-7\", \"uid\": \"u\"}}}"

static struct cli_run run;

static void setup(void)
{
    cli_begin(&run);
}

static void teardown(void)
{
    cli_end(&run);
}

/* A JWT with these claims; nobody checks its head and signature. */
static void make_token(const char *claims, char text[2048])
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(2048);

    ck_assert_int_eq(hf_base64_encode(claims, strlen(claims), &body), 0);
    while (body.n > 0 && body.p[body.n - 1] == '=')
        body.n--;
    for (size_t i = 0; i < body.n; i++)
        body.p[i] = body.p[i] == '+' ? '-' : body.p[i] == '/' ? '_' : body.p[i];
    (void)snprintf(text, 2048, "e30.%.*s.c2ln", (int)body.n, body.p);
}

static const struct {
    const char *claims, *node; /* node: "" none, or the name */
    int r;
} tokens[] = {
    {GOOD, "edge-7", 0},
    {FOR_NODE "\"kubernetes.io\": {\"pod\": {\"name\": \"p\"}, \"node\": {\"name\": \"n?~\"}}}", "n?~", 0},
    {FOR_NODE "\"kubernetes.io\": {\"pod\": {\"name\": \"p\"}}}", "", 0},
    {FOR_NODE "\"kubernetes.io\": []}", "", -EBADMSG},
    {"{\"sub\": \"system:node:n1\", \"kubernetes.io\": {}}", "", -EBADMSG},
    {"{\"sub\": 7, \"kubernetes.io\": {}}", "", -EBADMSG},
    {"[]", "", -EBADMSG},
    {"", "", -EBADMSG},
};

START_TEST(claims)
{
    struct hf_bound_token token = {.node = "x"};
    char text[2048];

    make_token(tokens[_i].claims, text);
    int r = hf_bound_token_read(hf_view_of(text), &token, NULL);
    ck_assert_msg(r == tokens[_i].r && (r < 0 || strcmp(token.node, tokens[_i].node) == 0), "%d: %d '%s'", _i, r,
                  token.node);
}
END_TEST

/* Cut anywhere, or with other bytes: no token, and no read beyond it. */
START_TEST(damaged_tokens)
{
    static const char *const others[] = {"",           ".",          "..",   "a.b",     "a.b.c.d",
                                         "e30.e30=.c", "e30.e+30.c", "....", "e30.!!.c"};
    struct hf_bound_token token;
    char text[2048];

    for (size_t i = 0; i < HF_LEN(others); i++)
        ck_assert_int_eq(hf_bound_token_read(hf_view_of(others[i]), &token, NULL), -EBADMSG);
    make_token(GOOD, text);
    for (size_t n = 0; n < strlen(text) - 4; n++)
        ck_assert_int_eq(hf_bound_token_read((struct hf_view){text, n}, &token, NULL), -EBADMSG);
}
END_TEST

static void put(const char *name, const char *text)
{
    cli_write_text(&run, name, text);
}

static int enrol(const char *server, const char *node, const char *dir)
{
    return cli(&run, "node", "enrol", "--server", server, "--token-file", "%/one-time", "--ca-file", "%/site-ca.crt",
               "--node-name", node, "--dir", dir, NULL);
}

START_TEST(writes_what_an_agent_reads)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(8192);
    char dir[300], path[400], token[2048];
    struct hf_kube_config config;
    struct hf_err err = HF_ERR_INIT;
    struct stat st;

    make_token(GOOD, token);
    put("one-time", token);
    put("site-ca.crt", CA);
    (void)snprintf(dir, sizeof(dir), "%s", cli_path(&run, "etc"));
    ck_assert_int_eq(enrol("https://k3s.example.com:6443", "Edge-7", dir), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "edge-7"));
    ck_assert_ptr_null(strstr(run.out, token));
    (void)snprintf(path, sizeof(path), "%s/kubeconfig", dir);
    ck_assert_msg(hf_kube_config_find(hf_fs_posix(), NULL, path, NULL, &config, &err) == 0, "%s", err.cause);
    ck_assert_str_eq(config.server, "https://k3s.example.com:6443");
    ck_assert_str_eq(config.token, token);
    ck_assert(strncmp(config.ca_pem, CA, strlen(config.ca_pem)) == 0 && strlen(config.ca_pem) + 1 >= strlen(CA));
    hf_kube_config_done(&config);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    (void)snprintf(path, sizeof(path), "%s/token", dir);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

static const struct {
    const char *claims, *ca, *server, *node;
    int code;
    const char *err;
} refused[] = {
    {GOOD, CA, "http://k3s.example.com", "edge-7", HF_EXIT_USAGE, "expected an https:// URL"},
    {GOOD, CA, "https://k3s.example.com\"", "edge-7", HF_EXIT_USAGE, "--server"},
    {GOOD, CA, "k3s", "edge-7", HF_EXIT_USAGE, "--server"},
    {GOOD, "no certificate", "https://k", "edge-7", HF_EXIT_REFUSED, "--ca-file"},
    {GOOD, CA, "https://k", "edge-8", HF_EXIT_REFUSED, "for the node edge-7, and this one is edge-8"},
    {FOR_NODE "\"kubernetes.io\": {}}", CA, "https://k", "edge-7", HF_EXIT_REFUSED, "bound to no node"},
    {"{}", CA, "https://k", "edge-7", HF_EXIT_REFUSED, "not a service account's token"},
    {"{\"sub\": \"system:serviceaccount:a:b\", \"exp\": 1700000000, \"kubernetes.io\": {\"node\": {\"name\": "
     "\"edge-7\"}}}",
     CA, "https://k", "edge-7", HF_EXIT_REFUSED, "the token ended at 2023-11-14"},
};

START_TEST(refuses_before_it_writes)
{
    char dir[300], token[2048];
    struct stat st;

    make_token(refused[_i].claims, token);
    put("one-time", token);
    put("site-ca.crt", refused[_i].ca);
    (void)snprintf(dir, sizeof(dir), "%s", cli_path(&run, "etc"));
    int code = enrol(refused[_i].server, refused[_i].node, dir);
    ck_assert_msg(code == refused[_i].code && strstr(run.err, refused[_i].err) != NULL, "%d: %d %s", _i, code, run.err);
    ck_assert_ptr_null(strstr(run.err, token));
    ck_assert_int_lt(stat(dir, &st), 0);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, claims, 0, HF_LEN(tokens));
    tcase_add_test(tc, damaged_tokens);
    tcase_add_test(tc, writes_what_an_agent_reads);
    tcase_add_loop_test(tc, refuses_before_it_writes, 0, HF_LEN(refused));
}

HF_TEST_MAIN("cli/enrol", cases)
