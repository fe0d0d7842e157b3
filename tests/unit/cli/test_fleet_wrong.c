/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator types wrong about a fleet: the answer names the field, or the option, and says what to do. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/cli_run.h"

enum { MAX_WORDS = 8, NEEDLES = 3 };

static struct cli_run run;

static void setup(void)
{
    cli_begin(&run);
    ck_assert_int_eq(setenv("HOME", run.folder, 1), 0);
    (void)unsetenv("KUBECONFIG");
    (void)unsetenv("KUBERNETES_SERVICE_HOST");
}

static void teardown(void)
{
    cli_end(&run);
}

static void run_words(const char *const words[MAX_WORDS])
{
    (void)cli(&run, words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7], NULL);
}

static void expect(int code, const char *const needles[NEEDLES])
{
    ck_assert_msg(run.code == code, "exit code %d, expected %d: %s%s", run.code, code, run.out, run.err);
    for (size_t i = 0; i < NEEDLES && needles[i] != NULL; i++)
        ck_assert_msg(strstr(run.err, needles[i]) != NULL || strstr(run.out, needles[i]) != NULL,
                      "'%s' is not in: %s%s", needles[i], run.out, run.err);
}

/* ---- the command line -------------------------------------------------------------------------------------------- */

#define SERVER "--server", "http://127.0.0.1:1"

static const struct {
    const char *words[MAX_WORDS];
    int code;
    const char *needles[NEEDLES];
} flags[] = {
    {{"status", "--contxt", "x"}, HF_EXIT_USAGE, {"'--contxt'", "did you mean '--context'?"}},
    {{"status", "-o", "jsno", SERVER}, HF_EXIT_USAGE, {"'--output'", "wide, json, yaml or name", "'jsno'"}},
    {{"status", "-o", "yaml", "--json", SERVER}, HF_EXIT_USAGE, {"--json", "-o yaml", "exclude each other"}},
    {{"status", "--state-dir", "/x", SERVER}, HF_EXIT_USAGE, {"--state-dir", "this node"}},
    {{"status", "a", "b"}, HF_EXIT_USAGE, {"unexpected argument 'b'"}},
    {{"nodes", "--phase", "Commited", SERVER}, HF_EXIT_USAGE, {"--phase", "did you mean 'Committed'?"}},
    {{"nodes", "--version", "", SERVER}, HF_EXIT_USAGE, {"--version", "empty"}},
    {{"nodes", "--release=", SERVER}, HF_EXIT_USAGE, {"--release", "empty"}},
    {{"nodes", "--phase", "xyzzy", SERVER}, HF_EXIT_USAGE, {"--phase", "'xyzzy'", "RolledBack"}},
    {{"nodes", "-l", "site=os lo", SERVER}, HF_EXIT_USAGE, {"--selector", "'site=os lo'", "key=value"}},
    {{"nodes", "-l", "a=b,,c", SERVER}, HF_EXIT_USAGE, {"--selector", "key=value"}},
    {{"nodes", "-l", "a>5", SERVER}, HF_EXIT_USAGE, {"--selector", "'a>5'"}},
    {{"node"}, HF_EXIT_USAGE, {"arguments are missing: NAME"}},
    {{"node", "a/b", SERVER}, HF_EXIT_USAGE, {"'a/b'", "name of an object", "without its kind"}},
    {{"rollout"}, HF_EXIT_USAGE, {"rollout watch"}},
    {{"rollout", "stop", "x"}, HF_EXIT_USAGE, {"unknown command 'rollout stop'", "rollout halt"}},
    {{"rollout", "puase", "x"}, HF_EXIT_USAGE, {"did you mean 'rollout pause'?"}},
    {{"rollout", "pause"}, HF_EXIT_USAGE, {"arguments are missing: NAME"}},
    {{"rollout", "watch", "x", "--timeout", "5", SERVER}, HF_EXIT_USAGE, {"--timeout", "'5'", "1h30m"}},
    {{"rollout", "halt", "x", "--reason", "", SERVER}, HF_EXIT_USAGE, {"--reason", "1 to 200"}},
    {{"wait", "--release", "edge"}, HF_EXIT_USAGE, {"option '--version TEXT' is missing"}},
    {{"wait", "--version", "1"}, HF_EXIT_USAGE, {"option '--release NAME' is missing"}},
    {{"wait", "--release", "e", "--version", "1", "-l", "=x"}, HF_EXIT_USAGE, {"--selector", "'=x'"}},
    {{"wait", "--release", "e", "--version", "1", "--timeout", "soon"}, HF_EXIT_USAGE, {"--timeout", "'soon'"}},
    {{"turn", "free"}, HF_EXIT_USAGE, {"arguments are missing: NODE"}},
    {{"rollback", "a.yaml"}, HF_EXIT_USAGE, {"CURRENT OLDER", "missing"}},
    {{"rollback", "a.yaml", "b.yaml"}, HF_EXIT_USAGE, {"--key FILE", "missing"}},
    {{"rollback", "a", "b", "--key", "k", "--sequence", "0"}, HF_EXIT_USAGE, {"--sequence", "'0'", "1 to"}},
    {{"rollback", "a", "b", "--key", "k", "--expires", "x"}, HF_EXIT_USAGE, {"--expires", "'x'", "90d"}},
    {{"rollback", "a", "b", "--key", "k", "--expires", "2001-01-01T00:00:00Z"},
     HF_EXIT_USAGE,
     {"--expires", "has passed"}},
    {{"nodes", "--server", "10.0.0.1:6443"}, HF_EXIT_USAGE, {"'10.0.0.1:6443'", "https://HOST[:PORT]"}},
    {{"nodes", "--server", "https://u:p@h"}, HF_EXIT_USAGE, {"credentials", "not allowed"}},
    {{"nodes", "--server", "http://10.0.0.1", "--token", "t"}, HF_EXIT_FAILED, {"http://10.0.0.1", "without TLS"}},
    {{"nodes", SERVER}, HF_EXIT_FAILED, {"http://127.0.0.1:1", "is this the right context?"}},
    {{"nodes", "--kubeconfig", "/nonexistent"}, HF_EXIT_FAILED, {"/nonexistent", "No such file"}},
    {{"nodes", "--kubeconfig", "/"},
     HF_EXIT_FAILED,
     {"kubeconfig '/': '/' is a folder: name a file, or the files in it"}},
    {{"nodes", "--kubeconfig", "/dev/null"}, HF_EXIT_FAILED, {"kubeconfig '/dev/null'"}},
    {{"nodes"}, HF_EXIT_FAILED, {"no kubeconfig", "--kubeconfig FILE", "KUBECONFIG"}},
    {{"nodes", SERVER, "--insecure-skip-tls-verify", "--certificate-authority", "x"},
     HF_EXIT_USAGE,
     {"--insecure-skip-tls-verify", "--certificate-authority", "exclude each other"}},
    {{"nodes", "--server", "https://127.0.0.1:1", "--certificate-authority", "/nonexistent"},
     HF_EXIT_FAILED,
     {"/nonexistent"}},
    {{"nodes", SERVER, "--as", "me"}, HF_EXIT_USAGE, {"unknown option '--as'"}},
};

START_TEST(wrong_flags)
{
    run_words(flags[_i].words);
    expect(flags[_i].code, flags[_i].needles);
}
END_TEST

/* As kubectl has it: a path on the command line is relative to the working folder, not to the kubeconfig. */
START_TEST(a_file_of_the_command_line)
{
    const char *path = cli_path(&run, "kube");

    ck_assert_int_eq(mkdir(path, 0755), 0);
    cli_write_text(&run, "kube/config",
                   "current-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n"
                   "clusters: [{name: c, cluster: {server: \"https://127.0.0.1:1\"}}]\n"
                   "users: [{name: u, user: {token: t}}]\n");
    cli_write_text(&run, "ca.pem", "no certificate\n");
    ck_assert_int_eq(chdir(run.folder), 0);
    ck_assert_int_eq(cli(&run, "nodes", "--kubeconfig", "kube/config", "--certificate-authority", "ca.pem", NULL),
                     HF_EXIT_FAILED);
    ck_assert_ptr_null(strstr(run.err, "No such file"));
    ck_assert_int_eq(cli(&run, "nodes", "--kubeconfig", "kube/config", "--certificate-authority", "config", NULL),
                     HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(run.err, "No such file"));
}
END_TEST

/* ---- kubeconfigs ------------------------------------------------------------------------------------------------- */

#define CONTEXT "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
#define CLUSTER "clusters: [{name: c, cluster: {server: \"https://127.0.0.1:1\"}}]\n"
#define USERS "users: [{name: u, user: {token: t}}]\n"
#define CURRENT "current-context: c\n"
#define USER(text) CURRENT CONTEXT CLUSTER "users: [{name: u, user: {" text "}}]\n"
#define CLUSTER_OF(text) CURRENT CONTEXT USERS "clusters: [{name: c, cluster: {" text "}}]\n"
#define EXEC(text) USER("exec: {apiVersion: client.authentication.k8s.io/v1, " text "}")

static const struct {
    const char *text;
    const char *option, *value; /* of the command line; NULL: none */
    int code;
    const char *needles[NEEDLES];
} configs[] = {
    {"a: [", NULL, NULL, HF_EXIT_FAILED, {"kubeconfig", "config", "line 2"}},
    {"- a", NULL, NULL, HF_EXIT_FAILED, {"not a kubeconfig", "kind Config"}},
    {"kind: Pod\n", NULL, NULL, HF_EXIT_FAILED, {"not a kubeconfig", "kind Config"}},
    {"contexts: 5\n", NULL, NULL, HF_EXIT_FAILED, {"'contexts' must be a list"}},
    {CONTEXT CLUSTER USERS, NULL, NULL, HF_EXIT_USAGE, {"'current-context'", "--context", "there are: c"}},
    {"current-context: d\n" CONTEXT CLUSTER USERS,
     NULL,
     NULL,
     HF_EXIT_FAILED,
     {"'current-context' is 'd'", "--context"}},
    {CURRENT CONTEXT CLUSTER USERS, "--context", "prod", HF_EXIT_USAGE, {"--context", "'prod'", "there are: c"}},
    {CURRENT CONTEXT CLUSTER USERS, "--cluster", "prod", HF_EXIT_USAGE, {"--cluster", "'prod'", "there are: c"}},
    {CURRENT CONTEXT CLUSTER USERS, "--user", "me", HF_EXIT_USAGE, {"--user", "'me'", "there are: u"}},
    {CURRENT CONTEXT USERS, NULL, NULL, HF_EXIT_FAILED, {"context 'c'", "cluster 'c'", "'clusters'"}},
    {CURRENT CONTEXT CLUSTER, NULL, NULL, HF_EXIT_FAILED, {"context 'c'", "user 'u'", "'users'"}},
    {CURRENT "contexts: [{name: c, context: {user: u}}]\n" CLUSTER USERS,
     NULL,
     NULL,
     HF_EXIT_FAILED,
     {"'c'", "no 'cluster'"}},
    {CURRENT CONTEXT USERS "clusters: [{name: c, cluster: 5}]\n",
     NULL,
     NULL,
     HF_EXIT_FAILED,
     {"'cluster' must be an object"}},
    {CLUSTER_OF(""), NULL, NULL, HF_EXIT_FAILED, {"cluster 'c'", "no 'server'", "--server"}},
    {CLUSTER_OF("server: \"https://a\", proxy-url: \"http://p\""),
     NULL,
     NULL,
     HF_EXIT_FAILED,
     {"'proxy-url'", "not supported", "HTTPS_PROXY"}},
    {CLUSTER_OF("server: \"https://a\", certificate-authority: none.crt"), NULL, NULL, HF_EXIT_FAILED, {"none.crt"}},
    {CLUSTER_OF("server: \"https://a\", certificate-authority-data: \"%\""),
     NULL,
     NULL,
     HF_EXIT_FAILED,
     {"'certificate-authority-data'", "base64"}},
    {CLUSTER_OF("server: \"https://a\", insecure-skip-tls-verify: 1"),
     NULL,
     NULL,
     HF_EXIT_FAILED,
     {"'insecure-skip-tls-verify'", "true or false"}},
    {USER("username: a, password: b"), NULL, NULL, HF_EXIT_FAILED, {"'username'", "not supported", "token"}},
    {USER("auth-provider: {name: gcp}"), NULL, NULL, HF_EXIT_FAILED, {"'auth-provider'", "not supported", "exec"}},
    {USER("token: t, as: root"), NULL, NULL, HF_EXIT_FAILED, {"'as'", "not supported"}},
    {USER("token: 5"), NULL, NULL, HF_EXIT_FAILED, {"'token' must be text"}},
    {USER("tokenFile: none"), NULL, NULL, HF_EXIT_FAILED, {"none", "No such file"}},
    {USER("client-key-data: \"LS0=\""), NULL, NULL, HF_EXIT_FAILED, {"without its key"}},
    {EXEC("command: \"\""), NULL, NULL, HF_EXIT_FAILED, {"'exec'", "'command' is missing"}},
    {EXEC("command: ./none, installHint: see https://example.com"),
     NULL,
     NULL,
     HF_EXIT_FAILED,
     {"./none", "see https://example.com"}},
    {EXEC("command: holdfast-none, args: {}"), NULL, NULL, HF_EXIT_FAILED, {"'exec'", "'args' must be a list"}},
    {USER("exec: {apiVersion: x/v1, command: a}"),
     NULL,
     NULL,
     HF_EXIT_FAILED,
     {"apiVersion 'x/v1'", "client.authentication.k8s.io/v1"}},
};

START_TEST(wrong_kubeconfigs)
{
    cli_write_text(&run, "config", configs[_i].text);
    (void)cli(&run, "nodes", "--kubeconfig", "%/config", configs[_i].option, configs[_i].value, NULL);
    expect(configs[_i].code, configs[_i].needles);
}
END_TEST

/* What K3s has written on its server: the file that its own kubectl works with. */
static int openat_k3s(void *ctx, int dirfd, const char *path, int how, mode_t mode, unsigned resolve)
{
    bool k3s = strcmp(path, "/etc/rancher/k3s/k3s.yaml") == 0;

    return hf_fs_posix()->openat(ctx, dirfd, k3s ? cli_path(&run, "k3s.yaml") : path, how, mode, resolve);
}

#define K3S(server) CURRENT CONTEXT USERS "clusters: [{name: c, cluster: {server: \"" server "\"}}]\n"

static const struct {
    const char *name, *home, *pod, *server;
    const char *needle;
} finds[] = {
    {"nothing else", NULL, NULL, NULL, "https://127.0.0.1:2"},
    {"the user's own file is first", K3S("https://127.0.0.1:3"), NULL, NULL, "https://127.0.0.1:3"},
    {"a pod has its service account", NULL, "10.0.0.1", NULL, "serviceaccount"},
    {"no credentials for another server", NULL, NULL, "http://127.0.0.1:1", "http://127.0.0.1:1"},
};

START_TEST(the_file_of_k3s)
{
    struct hf_fs_ops fs = *hf_fs_posix();
    const char *server = finds[_i].server;

    fs.openat = openat_k3s;
    run.fs = &fs;
    cli_write_text(&run, "k3s.yaml", server == NULL ? K3S("https://127.0.0.1:2") : "damaged: [");
    if (finds[_i].home != NULL) {
        ck_assert_int_eq(mkdir(cli_path(&run, ".kube"), 0755), 0);
        cli_write_text(&run, ".kube/config", finds[_i].home);
    }
    if (finds[_i].pod != NULL)
        ck_assert_int_eq(
            setenv("KUBERNETES_SERVICE_HOST", finds[_i].pod, 1) | setenv("KUBERNETES_SERVICE_PORT", "443", 1), 0);
    (void)cli(&run, "nodes", server != NULL ? "--server" : NULL, server, NULL);
    ck_assert_msg(run.code == HF_EXIT_FAILED && strstr(run.err, finds[_i].needle) != NULL, "%s: %s", finds[_i].name,
                  run.err);
    run.fs = NULL;
}
END_TEST

/* ---- strategies -------------------------------------------------------------------------------------------------- */

#define OBJECT                                                                                                         \
    "apiVersion: edge.codcompass.io/v1alpha1\nkind: EdgeUpdate\nmetadata: {name: e}\nspec:\n"                          \
    "  nodeSelector: {matchLabels: {a: b}}\n  release:\n    name: e\n    version: \"1\"\n    sequence: 1\n"            \
    "    expires: \"2099-01-01T00:00:00Z\"\n    install: {path: /opt/e/b, restart: {systemdUnit: e.service}}\n"        \
    "    artifacts: [{arch: amd64, url: \"https://x.example/f\", size: 5, sha256: "                                    \
    "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]\n"                                         \
    "    health: {checks: [{http: {url: \"http://127.0.0.1:1/\"}}]}\n"                                                 \
    "  signatures: [{keyId: k, signature: \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
    "AAAAAAAAAAAAA==\"}]\n  strategy: "

static const struct {
    const char *text;
    const char *needles[NEEDLES];
} strategies[] = {
    {"5", {"spec.strategy", "expected an object"}},
    {"{waves: 5}", {"spec.strategy.waves", "expected a list"}},
    {"{waves: [{}]}", {"spec.strategy.waves[0].percent", "is required"}},
    {"{waves: [{percent: 0}]}", {"spec.strategy.waves[0].percent", "1 to 100", "0"}},
    {"{waves: [{percent: 50}, {percent: 5}]}", {"spec.strategy.waves", "must rise", "5 follows 50"}},
    {"{waves: [{percent: 5, soak: 10}]}", {"spec.strategy.waves[0].soak", "30s or 1h30m", "10"}},
    {"{waves: [{percent: 5, soak: 721h}]}", {"spec.strategy.waves[0].soak", "0s to 720h"}},
    {"{waevs: []}", {"spec.strategy.waevs", "unknown field", "did you mean 'waves'?"}},
    {"{waves: [{percent: 50}]}", {"spec.strategy.waves", "ends at 50 %", "percent: 100"}},
    {"{canary: {soak: 1m}}", {"spec.strategy.canary.nodeSelector", "is required"}},
    {"{canary: {nodeSelector: {}, soak: 1m}}", {"spec.strategy.canary.nodeSelector", "must not be empty"}},
    {"{canary: {nodeSelector: {matchLabels: {a: b}}}}", {"spec.strategy.canary.soak", "is required"}},
    {"{canary: {nodeSelector: {matchLabels: {a: b}}, soak: 1m, mandatory: 1}}",
     {"spec.strategy.canary.mandatory", "true or false"}},
    {"{maxFailures: 2 %}", {"spec.strategy.maxFailures", "a percentage such as 2%", "'2 %'"}},
    {"{maxFailures: -1}", {"spec.strategy.maxFailures", "0 to 999999", "-1"}},
    {"{minUpdated: 0}", {"spec.strategy.minUpdated", "1 to 999999", "got 0"}},
    {"{minUpdated: half}", {"spec.strategy.minUpdated", "a percentage such as 2%", "'half'"}},
    {"{minUpdatedAfter: 1s}", {"spec.strategy.minUpdatedAfter", "1m to 720h"}},
    {"{unknownAfter: 1s}", {"spec.strategy.unknownAfter", "1m to 720h"}},
    {"{progressDeadline: soon}", {"spec.strategy.progressDeadline", "30s or 1h30m"}},
    {"{disruption: {}}", {"spec.strategy.disruption.groupBy", "is required"}},
    {"{disruption: {groupBy: \"a b\"}}", {"spec.strategy.disruption.groupBy", "expected a label key"}},
    {"{disruption: {groupBy: z, maxUnavailable: 0}}", {"spec.strategy.disruption.maxUnavailable", "1 to 999999"}},
    {"{disruption: {groupBy: z, maxUnavaliable: 1}}",
     {"spec.strategy.disruption.maxUnavaliable", "did you mean 'maxUnavailable'?"}},
};

START_TEST(wrong_strategies)
{
    _cleanup_(hf_freep) char *text = hf_asprintf("%s%s\n", OBJECT, strategies[_i].text);

    cli_write_text(&run, "a.yaml", text);
    (void)cli(&run, "lint", "--strict", "%/a.yaml", NULL);
    expect(HF_EXIT_REFUSED, strategies[_i].needles);
}
END_TEST

START_TEST(a_right_strategy)
{
    static const char text[] =
        OBJECT "{canary: {nodeSelector: {matchLabels: {a: b}}, soak: 1h, mandatory: true}, waves: "
               "[{percent: 5, soak: 1h}, {percent: 100}], maxFailures: 2%, minUpdated: 75%, minUpdatedAfter: 4h, "
               "unknownAfter: 1h, "
               "progressDeadline: 2h, disruption: {groupBy: topology.kubernetes.io/zone, "
               "maxUnavailable: 10%}}\n";

    cli_write_text(&run, "a.yaml", text);
    ck_assert_msg(cli(&run, "lint", "--strict", "%/a.yaml", NULL) == 0, "%s%s", run.out, run.err);
}
END_TEST

_Static_assert(HF_LEN(flags) + HF_LEN(configs) + HF_LEN(strategies) >= 60, "too few cases");

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_file_of_the_command_line);
    tcase_add_loop_test(tc, wrong_flags, 0, (int)HF_LEN(flags));
    tcase_add_loop_test(tc, wrong_kubeconfigs, 0, (int)HF_LEN(configs));
    tcase_add_loop_test(tc, the_file_of_k3s, 0, (int)HF_LEN(finds));
    tcase_add_loop_test(tc, wrong_strategies, 0, (int)HF_LEN(strategies));
    tcase_add_test(tc, a_right_strategy);
}
HF_TEST_MAIN("cli/fleet_wrong", cases)
