/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/process/options.h"

#include <errno.h>

#include "support/check_main.h"

static const char *env_name, *env_value;

static const char *environment(const char *name)
{
    return env_name != NULL && strcmp(name, env_name) == 0 ? env_value : NULL;
}

static const struct {
    const char *args[6];
    const char *env, *value;
    const char *error; /* part of it; NULL: fine */
} lines[] = {
    {{NULL}, NULL, NULL, NULL},
    {{"--server", "http://a", "--kubeconfig", "k"}, NULL, NULL, "exclude each other"},
    {{"--server", "a:6443"}, NULL, NULL, "--server 'a:6443': expected an http:// or https:// URL"},
    {{"--lease-namespace", "A"}, NULL, NULL, "expected a name of a namespace"},
    {{"--lease-name", "a b"}, NULL, NULL, "expected a name of an object"},
    {{"--identity", "Node_1"}, NULL, NULL, "expected a lower case RFC 1123 name"},
    {{NULL}, "POD_NAME", "holdfast-controller-7d9-x2", NULL},
    {{"--no-leader-election"}, NULL, NULL, NULL},
    {{"--no-leader-election=1"}, NULL, NULL, "takes no value"},
    {{NULL}, "NO_LEADER_ELECTION", "yes", "NO_LEADER_ELECTION 'yes': expected true or false"},
    {{"--agent-account", "holdfast-agent"}, NULL, NULL, "expected a namespace and a name"},
    {{"--agent-account", "/holdfast-agent"}, NULL, NULL, "expected a namespace and a name"},
    {{"--agent-account", "edge/agent"}, NULL, NULL, NULL},
    {{"--approve-certificates", "no"}, NULL, NULL, "expected on or off"},
    {{"--approve-certificates=off"}, NULL, NULL, NULL},
    {{"--write-labels", "yes"}, NULL, NULL, "expected on or off"},
    {{NULL}, "WRITE_LABELS", "on", NULL},
    {{"--metrics-port", "70000"}, NULL, NULL, "expected 0 to 65535, or off"},
    {{"--metrics-port", "9092"}, NULL, NULL, "--metrics-port and --health-port are both 9092"},
    {{"--metrics-port", "9092", "--health-port", "off"}, NULL, NULL, NULL},
    {{"--collect-after", "10"}, NULL, NULL, "expected a duration of at least 1s"},
    {{"--collect-after", "500ms"}, NULL, NULL, "expected a duration of at least 1s"},
    {{"--collect-after", "48h"}, NULL, NULL, NULL},
    {{"--log-level", "loud"}, NULL, NULL, "expected debug, info, warning or error"},
    {{"--state-dir", "/x"}, NULL, NULL, "unknown argument '--state-dir': see --help"},
    {{"--kubeconfig"}, NULL, NULL, "--kubeconfig needs a value: a file"},
};

static int parse(const char *const args[6], struct hf_controller_options *options, struct hf_err *err)
{
    char *argv[8] = {(char *)(uintptr_t) "holdfast-controller"};
    int argc = 1;

    for (size_t i = 0; i < 6 && args[i] != NULL; i++)
        argv[argc++] = (char *)(uintptr_t)args[i];
    return hf_controller_options_parse(argc, argv, environment, options, err);
}

START_TEST(line)
{
    struct hf_controller_options options;
    struct hf_err err = HF_ERR_INIT;
    char text[600];

    env_name = lines[_i].env;
    env_value = lines[_i].value;
    int r = parse(lines[_i].args, &options, &err);
    (void)hf_err_text(&err, text, sizeof(text));
    if (lines[_i].error == NULL)
        ck_assert_msg(r == 0, "%s", text);
    else
        ck_assert_msg(r == -EINVAL && strstr(text, lines[_i].error) != NULL, "r=%d '%s', want '%s'", r, text,
                      lines[_i].error);
}
END_TEST

START_TEST(defaults)
{
    const char *const none[6] = {NULL}, *const some[6] = {"--metrics-port=0", "--collect-after=2m", "--identity=a",
                                                          "--metrics-address=0.0.0.0"};
    struct hf_controller_options o;

    env_name = NULL;
    ck_assert_int_eq(parse(none, &o, NULL), 0);
    ck_assert_str_eq(o.lease_namespace, "holdfast-system");
    ck_assert_str_eq(o.lease_name, "holdfast-controller");
    ck_assert(o.identity == NULL && o.agent_account == NULL && !o.no_election && o.approve_certificates);
    ck_assert(!o.write_labels);
    ck_assert_uint_eq(o.listen[HF_CONTROLLER_METRICS].port, 9090);
    ck_assert_uint_eq(o.listen[HF_CONTROLLER_HEALTH].port, 9092);
    ck_assert_str_eq(o.listen[HF_CONTROLLER_HEALTH].address, "127.0.0.1");
    ck_assert_uint_eq(o.collect_after_ns, 24 * 3600 * HF_NS_PER_S);
    ck_assert_int_eq(parse(some, &o, NULL), 0);
    ck_assert_uint_eq(o.listen[HF_CONTROLLER_HEALTH].port, 0);
    ck_assert_uint_eq(o.collect_after_ns, 120 * HF_NS_PER_S);
    ck_assert_str_eq(o.identity, "a");
    ck_assert_str_eq(o.listen[HF_CONTROLLER_HEALTH].address, "0.0.0.0"); /* a kubelet's probes come from outside */
}
END_TEST

START_TEST(help)
{
    const char *const dash[6] = {"-h"}, *const version[6] = {"--version"};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(16384);
    struct hf_controller_options o;

    ck_assert_int_eq(parse(dash, &o, NULL), 0);
    ck_assert_int_eq(o.action, HF_CONTROLLER_HELP);
    ck_assert_int_eq(parse(version, &o, NULL), 0);
    ck_assert_int_eq(o.action, HF_CONTROLLER_VERSION);
    ck_assert_int_eq(hf_controller_options_help(&text), 0);
    ck_assert_ptr_nonnull(strstr(hf_buf_str(&text), "--collect-after DURATION"));
    ck_assert_ptr_nonnull(strstr(hf_buf_str(&text), "[POD_NAMESPACE]"));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, line, 0, HF_LEN(lines));
    tcase_add_test(tc, defaults);
    tcase_add_test(tc, help);
}

HF_TEST_MAIN("controller/options", cases)
