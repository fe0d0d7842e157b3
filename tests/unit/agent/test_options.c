/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/options.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "support/check_main.h"

static const char *env_name, *env_value;

static const char *environment(const char *name)
{
    return env_name != NULL && strcmp(name, env_name) == 0 ? env_value : NULL;
}

static const struct {
    const char *args[8];
    const char *env, *value;
    const char *error; /* part of it; NULL: fine */
} lines[] = {
    {{NULL}, NULL, NULL, NULL},
    {{"--source", "/x"}, NULL, NULL, NULL},
    {{"--source=/x", "--once"}, NULL, NULL, NULL},
    {{"--source", "/x", "--server", "http://a"}, NULL, NULL, "--source excludes --server"},
    {{"--server", "http://a", "--kubeconfig", "k"}, NULL, NULL, "give one of them"},
    {{"--server", "http://127.0.0.1:10550", "--status-kubeconfig", "k"}, NULL, NULL, NULL},
    {{"--source", "/x", "--status-kubeconfig", "k"}, NULL, NULL, "--status-kubeconfig excludes --source"},
    {{"--source", "/x"}, "HOLDFAST_STATUS_KUBECONFIG", "k", "--status-kubeconfig excludes --source"},
    {{"--labels-by", "nobody"}, NULL, NULL, "expected agent or controller"},
    {{"--labels-by=agent"}, NULL, NULL, NULL},
    {{NULL}, "HOLDFAST_LABELS_BY", "controller", NULL},
    {{"--status-kubeconfig"}, NULL, NULL, "--status-kubeconfig needs a value: a file"},
    {{"--kubeconfig", "k", "--client-certificate-dir", "/c", "--client-certificate-lifetime", "10m"}, NULL, NULL, NULL},
    {{"--client-certificate-dir", "certs"}, NULL, NULL, NULL},
    {{"--client-certificate-lifetime", "9m"}, NULL, NULL, "expected a duration of 10m to 720h"},
    {{"--client-certificate-lifetime", "721h"}, NULL, NULL, "expected a duration of 10m to 720h"},
    {{"--source", "/x", "--client-certificate-dir", "/c"}, NULL, NULL, "--client-certificate-dir excludes --source"},
    {{"--server", "a:6443"}, NULL, NULL, "--server 'a:6443': expected an http:// or https:// URL"},
    {{"--state-dir", "var"}, NULL, NULL, NULL},
    {{"--state-dir", "/var/"}, NULL, NULL, NULL},
    {{"--trust-dir", ""}, NULL, NULL, "--trust-dir needs a value"},
    {{"--source"}, NULL, NULL, "--source needs a value: a folder"},
    {{"--api", "k8s"}, NULL, NULL, "expected auto, apiserver or metaserver"},
    {{"--mode", "vm"}, NULL, NULL, "expected host or pod"},
    {{"--metrics-port", "70000"}, NULL, NULL, "expected 0 to 65535"},
    {{"--metrics-port", "0x50"}, NULL, NULL, "expected 0 to 65535"},
    {{"--log-level", "loud"}, NULL, NULL, "expected debug, info, warning or error"},
    {{"--node-name", "Node_1"}, NULL, NULL, "expected a lower case RFC 1123 name"},
    {{"--once=yes"}, NULL, NULL, "--once takes no value"},
    {{"--onc"}, NULL, NULL, "unknown argument '--onc'"},
    {{"extra"}, NULL, NULL, "unknown argument 'extra'"},
    {{"--update-root", "/a", "--update-root", "b"}, NULL, NULL, NULL},
    {{NULL}, "METRICS_PORT", "nine", "METRICS_PORT 'nine': expected 0 to 65535"},
    {{NULL}, "METRICS_PORT", "", NULL},
    {{"--metrics-port", "9"}, "METRICS_PORT", "10", NULL},
    {{"--metrics-port", "off"}, NULL, NULL, NULL},
    {{"--metrics-port", "of"}, NULL, NULL, "--metrics-port 'of': expected 0 to 65535, or off"},
    {{"--health-port", "-1"}, NULL, NULL, "--health-port '-1': expected 0 to 65535, or off"},
    {{"--metrics-port", "9091"}, NULL, NULL, "--metrics-port and --ingest-port are both 9091"},
    {{"--metrics-port", "9091"}, "INGEST_PORT", "off", NULL},
    {{"--metrics-port", "9091", "--ingest-address", "::1"}, NULL, NULL, NULL},
    {{"--health-port=70", "--ingest-port=70"}, NULL, NULL, "--ingest-port and --health-port are both 70"},
    {{"--listen-optional"}, NULL, NULL, NULL},
    {{"--probation", "5s"}, NULL, NULL, NULL},
    {{"--probation", "0s"}, NULL, NULL, "--probation"},
    {{"--probation", "3m"}, NULL, NULL, "--probation"},
    {{"--listen-optional=yes"}, NULL, NULL, "--listen-optional takes no value"},
    {{NULL}, "LISTEN_OPTIONAL", "maybe", "LISTEN_OPTIONAL 'maybe': expected true or false"},
    {{"--config", "agent.yaml"}, NULL, NULL, NULL},
    {{"--check-config"}, NULL, NULL, NULL},
    {{"--check-ready"}, NULL, NULL, NULL},
    {{"--first-install", "/keys"}, NULL, NULL, NULL},
    {{"--first-install", "keys"}, NULL, NULL, NULL},
    {{"--retry-base-ms", "0"}, NULL, NULL, "expected 1 to 3600000"},
};

static int parse(const char *const args[8], struct hf_agent_options *options, struct hf_err *err)
{
    char *argv[10] = {(char *)(uintptr_t) "holdfast-agent"};
    int argc = 1;

    for (size_t i = 0; i < 8 && args[i] != NULL; i++)
        argv[argc++] = (char *)(uintptr_t)args[i];
    return hf_agent_options_parse(argc, argv, environment, options, err);
}

START_TEST(line)
{
    struct hf_agent_options options;
    struct hf_err err = HF_ERR_INIT;
    char text[600];

    env_name = lines[_i].env;
    env_value = lines[_i].value;
    int r = parse(lines[_i].args, &options, &err);
    (void)hf_err_text(&err, text, sizeof(text));
    if (r == 0)
        hf_agent_options_done(&options);
    if (lines[_i].error == NULL)
        ck_assert_msg(r == 0, "%s", text);
    else
        ck_assert_msg(r == -EINVAL && strstr(text, lines[_i].error) != NULL, "r=%d '%s', want '%s'", r, text,
                      lines[_i].error);
}
END_TEST

static const struct {
    const char *given, *want; /* in the working folder /usr/lib */
} paths[] = {
    {"/var/x", "/var/x"},        {"/var/x//", "/var/x"},         {"/", "/"},
    {"/var/../x", "/var/../x"}, /* an absolute path stays as it is */
    {"state", "/usr/lib/state"}, {"./state/", "/usr/lib/state"}, {"a//b/./c", "/usr/lib/a/b/c"},
    {"../state", "/usr/state"},  {"../../../..", "/"},           {".", "/usr/lib"},
};

/* Resolved once, at the start: a later change of the working folder changes nothing. */
START_TEST(paths_of_the_working_folder)
{
    struct hf_agent_options options;
    struct hf_err err = HF_ERR_INIT;
    const char *given = paths[_i].given, *want = paths[_i].want;
    const char *const args[8] = {"--state-dir", given, "--trust-dir", given, "--update-root", given, "--config", given};

    ck_assert_int_eq(chdir("/usr/lib"), 0);
    env_name = "EDGE_STORAGE_DIR";
    env_value = given;
    ck_assert_int_eq(parse(args, &options, &err), 0);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_str_eq(options.state_dir, want);
    ck_assert_str_eq(options.trust_dir, want);
    ck_assert_str_eq(options.roots[0], want);
    ck_assert_str_eq(options.config, want);
    ck_assert_str_eq(options.storage_dir, want);
    hf_agent_options_done(&options);
}
END_TEST

START_TEST(a_path_that_is_too_long)
{
    struct hf_agent_options options;
    struct hf_err err = HF_ERR_INIT;
    static char given[5000];
    const char *const args[8] = {"--state-dir", given};

    memset(given, 'x', sizeof(given) - 1);
    env_name = NULL;
    ck_assert_int_lt(parse(args, &options, &err), 0);
    given[0] = '/';
    ck_assert_int_lt(parse(args, &options, &err), 0);
}
END_TEST

START_TEST(defaults_and_order)
{
    struct hf_agent_options options;
    const char *const elsewhere[8] = {"--state-dir", "/tmp/other"};
    const char *const none[8] = {NULL}, *const all[8] = {
                                            "--metrics-port=9", "--update-root", "/a",    "--update-root=/b/c",
                                            "--mode",           "pod",           "--api", "metaserver"};

    env_name = "METRICS_PORT";
    env_value = "10";
    ck_assert_int_eq(parse(none, &options, NULL), 0);
    ck_assert_uint_eq(options.listen[HF_LISTEN_METRICS].port, 10);
    ck_assert_str_eq(options.state_dir, "/var/lib/holdfast");
    ck_assert_str_eq(options.run_dir, "/run/holdfast");
    ck_assert_str_eq(options.trust_dir, "/etc/holdfast/trust.d");
    ck_assert_ptr_null(options.roots[0]); /* those of the configuration hold */
    ck_assert_str_eq(options.config, "/etc/holdfast/agent.yaml");
    ck_assert(!options.config_given);
    ck_assert(!options.pod_mode && options.api == HF_KUBE_AUTO && options.action == HF_OPTIONS_RUN);
    ck_assert_int_eq(parse(elsewhere, &options, NULL), 0);
    ck_assert_ptr_null(options.run_dir); /* another agent of this machine must not write to the first one's */
    ck_assert_int_eq(parse(all, &options, NULL), 0);
    ck_assert_uint_eq(options.listen[HF_LISTEN_METRICS].port, 9);
    ck_assert_str_eq(options.roots[1], "/b/c");
    ck_assert_ptr_null(options.roots[2]);
    ck_assert(options.pod_mode && options.api == HF_KUBE_METASERVER);
}
END_TEST

static const struct {
    const char *args[4];
    mode_t want;
} socket_modes[] = {
    {{NULL}, 0666},
    {{"--ingest-socket-group=0"}, 0660},
    {{"--ingest-socket-mode=000"}, 0}, /* for root alone, and not the same as no flag */
    {{"--ingest-socket-mode=0000", "--ingest-socket-group=0"}, 0},
    {{"--ingest-socket-mode=0600", "--ingest-socket-group=0"}, 0600},
};

START_TEST(socket_mode)
{
    const char *args[8] = {NULL};
    struct hf_agent_options options;

    memcpy(args, socket_modes[_i].args, sizeof(socket_modes[_i].args));
    env_name = NULL;
    ck_assert_int_eq(parse(args, &options, NULL), 0);
    ck_assert_uint_eq(options.ingest_socket_access.mode, socket_modes[_i].want);
}
END_TEST

static const struct {
    const char *args[4];
    const char *env, *value;
    int want[HF_LISTEN_COUNT]; /* ports; -1: off */
    bool optional;
} ports[] = {
    {{NULL}, NULL, NULL, {9090, 9091, 9092}, false},
    {{"--metrics-port=80"}, NULL, NULL, {80, 9091, 9092}, false},
    {{"--metrics-port=0"}, NULL, NULL, {0, 0, 0}, false}, /* any free one: for tests of before there were three */
    {{"--metrics-port=0", "--health-port=7"}, NULL, NULL, {0, 0, 7}, false},
    {{"--metrics-port=off", "--ingest-port", "0"}, NULL, NULL, {-1, 0, 9092}, false},
    {{"--health-port=off"}, "HEALTH_PORT", "17", {9090, 9091, -1}, false},
    {{"--listen-optional"}, "LISTEN_OPTIONAL", "false", {9090, 9091, 9092}, true},
    {{NULL}, "LISTEN_OPTIONAL", "true", {9090, 9091, 9092}, true},
    {{NULL}, "LISTEN_OPTIONAL", "false", {9090, 9091, 9092}, false},
};

START_TEST(three_ports)
{
    const char *args[8] = {NULL};
    struct hf_agent_options options;

    memcpy(args, ports[_i].args, sizeof(ports[_i].args));
    env_name = ports[_i].env;
    env_value = ports[_i].value;
    ck_assert_int_eq(parse(args, &options, NULL), 0);
    for (enum hf_agent_listener i = 0; i < HF_LISTEN_COUNT; i++) {
        ck_assert_int_eq(options.listen[i].off ? -1 : options.listen[i].port, ports[_i].want[i]);
        ck_assert_str_eq(options.listen[i].address, "127.0.0.1");
    }
    ck_assert_int_eq(options.listen_optional, ports[_i].optional);
}
END_TEST

START_TEST(help_and_version)
{
    struct hf_agent_options options;
    const char *const help[8] = {"--help"}, *const dash[8] = {"-h"}, *const version[8] = {"--version"};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(16384);

    env_name = NULL;
    ck_assert_int_eq(parse(help, &options, NULL), 0);
    ck_assert_int_eq(options.action, HF_OPTIONS_HELP);
    ck_assert_int_eq(parse(dash, &options, NULL), 0);
    ck_assert_int_eq(options.action, HF_OPTIONS_HELP);
    ck_assert_int_eq(parse(version, &options, NULL), 0);
    ck_assert_int_eq(options.action, HF_OPTIONS_VERSION);
    ck_assert_int_eq(hf_agent_options_help(&text), 0);
    ck_assert_ptr_nonnull(strstr(hf_buf_str(&text), "--metrics-port PORT"));
    ck_assert_ptr_nonnull(strstr(hf_buf_str(&text), "[NODE_NAME]"));
}
END_TEST

static const struct {
    const char *host, *want; /* NULL: refused */
} names[] = {{"node-1", "node-1"}, {"Edge-7.Site.Example", "edge-7.site.example"},
             {"", NULL},           {"-a", NULL},
             {"a.", NULL},         {"a_b", NULL},
             {"a b", NULL},        {"9", "9"}};

START_TEST(node_name)
{
    char got[HF_API_MAX_NAME + 1];
    int r = hf_agent_node_name(names[_i].host, got, sizeof(got), NULL);

    ck_assert_msg((r == 0) == (names[_i].want != NULL), "'%s': %d", names[_i].host, r);
    if (r == 0)
        ck_assert_str_eq(got, names[_i].want);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, line, 0, HF_LEN(lines));
    tcase_add_test(tc, defaults_and_order);
    tcase_add_loop_test(tc, paths_of_the_working_folder, 0, HF_LEN(paths));
    tcase_add_test(tc, a_path_that_is_too_long);
    tcase_add_loop_test(tc, socket_mode, 0, HF_LEN(socket_modes));
    tcase_add_loop_test(tc, three_ports, 0, HF_LEN(ports));
    tcase_add_test(tc, help_and_version);
    tcase_add_loop_test(tc, node_name, 0, HF_LEN(names));
}

HF_TEST_MAIN("agent/options", cases)
