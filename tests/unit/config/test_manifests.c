/* SPDX-License-Identifier: Apache-2.0 */
/* What entries of spec.manifests may do on a node without the file, and with one. */
#include "config/config.h"

#include <errno.h>

#include "support/check_main.h"

enum question { PODS, CLUSTER, WRITE, SECRET, READ, UNIT, EXEC, ORIGIN };

static bool ask(const struct hf_config *config, enum hf_config_scope scope, enum question question, const char *what,
                struct hf_err *err)
{
    switch (question) {
    case PODS:
        return hf_config_allows_manifest_static_pods(config, scope, err);
    case CLUSTER:
        return hf_config_allows_manifest_cluster(config, scope, err);
    case WRITE:
        return hf_config_allows_manifest_file(config, scope, what, err);
    case SECRET:
        return hf_config_allows_manifest_secret_file(config, scope, what, err);
    case READ:
        return hf_config_allows_manifest_read(config, scope, what, NULL, err);
    case UNIT:
        return hf_config_allows_manifest_unit(config, scope, what, err);
    case EXEC:
        return hf_config_allows_manifest_exec(config, scope, what, err);
    case ORIGIN:
        return hf_config_allows_manifest_origin(config, scope, what, err);
    }
    return false;
}

struct row {
    enum hf_config_scope scope;
    enum question question;
    const char *what, *says; /* `says` is a part of the refusal; NULL: allowed */
};

static void check(const struct hf_config *config, const struct row *row)
{
    struct hf_err err = HF_ERR_INIT;
    bool answer = ask(config, row->scope, row->question, row->what, &err);

    if (row->says == NULL)
        ck_assert_msg(answer, "%s: %s", row->what, err.cause);
    else
        ck_assert_msg(!answer && strstr(err.cause, row->says) != NULL, "%s: %s", row->what, err.cause);
    ck_assert(ask(config, row->scope, row->question, row->what, NULL) == answer);
}

#define U HF_CONFIG_UNSIGNED
#define S HF_CONFIG_SIGNED

static const struct row defaults[] = {
    {U, PODS, "", "static pods are not allowed: set manifests.staticPods: true in /etc/holdfast/agent.yaml"},
    {S, PODS, "", "set signedPolicies.manifests.staticPods: true"},
    {U, CLUSTER, "", "objects of the cluster are not allowed: set manifests.cluster: true"},
    {U, WRITE, "/etc/app/x", "'/etc/app/x' is not allowed: add '/etc/app/x' to manifests.files in"},
    {S, WRITE, "/etc/app/x", "to signedPolicies.manifests.files"},
    {U, WRITE, "/etc/app/", "'/etc/app/' is not allowed: add '/etc/app/**' to manifests.files in"},
    {U, SECRET, "/run/app/key", "to manifests.secrets"},
    {U, READ, "/media/usb", "to manifests.paths"},
    {U, UNIT, "nginx.service", "to manifests.units"},
    {U, EXEC, "/usr/sbin/nginx", "to manifests.exec"},
    {U, ORIGIN, "https://git.example.org/a.tar.gz", NULL},
    {U, ORIGIN, "http://git.example.org/a.tar.gz", "add 'http://git.example.org:80' to manifests.origins"},
    {U, ORIGIN, "ftp://git.example.org/a.tar.gz", "expected a URL"},
};

START_TEST(without_a_file)
{
    check(NULL, &defaults[_i]);
}
END_TEST

static const char text[] = "apiVersion: edge.codcompass.io/v1alpha1\n"
                           "kind: AgentConfiguration\n"
                           "staticPodFolder: /srv/pods\n"
                           "manifests: {cluster: true, files: ['/**'], paths: ['/**'], units: ['a-*.service']}\n"
                           "signedPolicies:\n"
                           "  manifests:\n"
                           "    staticPods: true\n"
                           "    secrets: [/run/app/*]\n"
                           "    exec: [/usr/sbin/nginx]\n"
                           "    origins: ['http://*.svc.cluster.local:*']\n";

static const struct row one_file[] = {
    {U, CLUSTER, "", NULL},
    {S, CLUSTER, "", NULL},
    {U, PODS, "", "not allowed"},
    {S, PODS, "", NULL},
    {U, WRITE, "/etc/app/x", NULL},
    {U, WRITE, "/etc/app/", NULL},
    {U, WRITE, "/", "not an absolute path"},
    {U, WRITE, "/etc/app/../shadow", "not an absolute path"},
    {U, WRITE, "/etc/holdfast/agent.yaml", "is never allowed: no entry may write below /etc/holdfast"},
    {S, WRITE, "/etc/holdfast/trust.d/", "never allowed"},
    {U, WRITE, "/etc/holdfastx", NULL},
    {U, WRITE, "/proc/sys/kernel/core_pattern", "never allowed"},
    {U, WRITE, "/sys/x", "never allowed"},
    {U, WRITE, "/dev/sda", "never allowed"},
    {U, WRITE, "/var/lib/holdfast/manifests/x", "never allowed"},
    {U, WRITE, "/run/holdfast/x", "never allowed"},
    {U, WRITE, "/etc/kubernetes/manifests/x.yaml", "never allowed"},
    {U, WRITE, "/srv/pods/x.yaml", "no entry may write below /srv/pods"},
    {U, READ, "/srv/pods/x.yaml", NULL},
    {U, READ, "/etc/holdfast/agent.key", "no entry may read below /etc/holdfast"},
    {U, SECRET, "/run/app/key", "not allowed"},
    {S, SECRET, "/run/app/key", NULL},
    {S, SECRET, "/run/app/", NULL},
    {S, SECRET, "/run/app/a/key", "add '/run/app/a/key' to signedPolicies.manifests.secrets"},
    {S, SECRET, "/run/app/a/", "add '/run/app/a/**' to signedPolicies.manifests.secrets"},
    {U, UNIT, "a-b.service", NULL},
    {S, UNIT, "sshd.service", "not allowed"},
    {S, EXEC, "/usr/sbin/nginx", NULL},
    {U, EXEC, "/usr/sbin/nginx", "not allowed"},
    {S, ORIGIN, "http://source-controller.flux-system.svc.cluster.local/x.tar.gz", NULL},
    {S, ORIGIN, "http://source-controller.flux-system.svc.cluster.local.evil.org/x", "not allowed"},
};

static struct hf_config *parse(const char *yaml)
{
    struct hf_config *config = NULL;

    ck_assert_int_eq(hf_config_parse((struct hf_view){yaml, strlen(yaml)}, "/etc/holdfast/agent.yaml", &config, NULL),
                     0);
    return config;
}

START_TEST(with_a_file)
{
    _cleanup_(hf_config_freep) struct hf_config *config = parse(text);

    ck_assert_msg(hf_config_n_faults(config) == 0, "%s", hf_config_fault(config, 0));
    ck_assert_str_eq(hf_config_static_pod_folder(config), "/srv/pods");
    check(config, &one_file[_i]);
}
END_TEST

/* An entry that reads a folder reads all folders below it. Even the pattern for all paths allows no folder that is
 * closed, lies in a closed one, or has a closed one in it. */
START_TEST(closed_for_reading)
{
    static const struct {
        const char *path, *sub_path, *says;
    } rows[] = {
        {"/etc", "nginx", NULL},
        {"/etc/nginx", NULL, NULL},
        {"/etc", "holdfastx", NULL},
        {"/etc", "", "'/etc' is never allowed, because it has /etc/holdfast"},
        {"/etc", NULL, "because it has /etc/holdfast"},
        {"/etc", "holdfast", "'/etc/holdfast' is never allowed: no entry may read below /etc/holdfast"},
        {"/etc", "holdfast/credentials.d", "'/etc/holdfast/credentials.d' is never allowed"},
        {"/var", NULL, "because it has /var/lib/holdfast"},
        {"/var", "lib", "'/var/lib' is never allowed, because it has /var/lib/holdfast"},
        {"/var", "lib/holdfast/state", "no entry may read below /var/lib/holdfast"},
        {"/var", "log", NULL},
        {"/run", NULL, "because it has /run/holdfast"},
        {"/etc/", "holdfast", "no entry may read below /etc/holdfast"},
        {"/etc/", NULL, "because it has /etc/holdfast"},
        {"/dev", "shm", "no entry may read below /dev"},
    };
    _cleanup_(hf_config_freep) struct hf_config *config = parse(text);
    struct hf_err err = HF_ERR_INIT;

    bool answer = hf_config_allows_manifest_read(config, S, rows[_i].path, rows[_i].sub_path, &err);
    ck_assert_msg(answer == (rows[_i].says == NULL), "%s %s: %s", rows[_i].path, rows[_i].sub_path, err.cause);
    ck_assert_msg(answer || strstr(err.cause, rows[_i].says) != NULL, "%s", err.cause);
}
END_TEST

#define HEAD "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"

/* A fault allows nothing; whatever is wrong with requireSigned, it asks for signatures. */
START_TEST(faults)
{
    static const struct {
        const char *text, *fault;
        bool policy, manifests, resync;
    } rows[] = {
        {"requireSigned: [Manifests]\n", NULL, false, true, true},
        {"requireSigned: [SyncPolicy]\n", NULL, true, false, true},
        {"requireSigned: [SyncPolicy, Manifests]\n", NULL, true, true, true},
        {"requireSigned: [Pods]\n", "expected SyncPolicy or Manifests", true, true, true},
        {"requireSigned: Manifests\n", "expected a list", true, true, true},
        {"clockResync: false\n", NULL, false, false, false},
        {"clockResync: 'no'\n", "expected true or false", false, false, false},
        {"manifests: {staticPods: 1}\n", "expected true or false", false, false, true},
        {"manifests: true\n", "expected an object", false, false, true},
        {"manifests: {file: [/etc/**]}\n", "did you mean 'files'?", false, false, true},
        {"telemetry: {manifests: {cluster: true}}\n", "unknown field", false, false, true},
        {"staticPodFolder: pods\n", "expected an absolute path", false, false, true},
    };
    char yaml[400];

    (void)snprintf(yaml, sizeof(yaml), HEAD "%s", rows[_i].text);
    _cleanup_(hf_config_freep) struct hf_config *config = parse(yaml);
    const char *fault = hf_config_fault(config, 0);
    ck_assert_msg((fault == NULL) == (rows[_i].fault == NULL), "%s: %s", rows[_i].text, fault);
    ck_assert_msg(fault == NULL || strstr(fault, rows[_i].fault) != NULL, "%s", fault);
    ck_assert(hf_config_requires_signed_policy(config) == rows[_i].policy);
    ck_assert(hf_config_requires_signed_manifests(config) == rows[_i].manifests);
    ck_assert(hf_config_allows_clock_resync(config, NULL) == rows[_i].resync);
    ck_assert(!hf_config_allows_manifest_static_pods(config, S, NULL));
    ck_assert(!hf_config_allows_manifest_cluster(config, S, NULL));
    ck_assert(!hf_config_allows_manifest_file(config, S, "/etc/app/x", NULL));
    ck_assert_ptr_null(hf_config_static_pod_folder(config));
}
END_TEST

/* Whatever is wrong with `tpm`, no copy of a secret gets on the disk. */
START_TEST(tpm)
{
    static const struct {
        const char *text, *fault;
        bool seals;
        uint32_t pcrs;
    } rows[] = {
        {"", NULL, true, 0},
        {"tpm: {}\n", NULL, true, 0},
        {"tpm: {sealSecrets: false}\n", NULL, false, 0},
        {"tpm: {sealSecrets: 'no'}\n", "expected true or false", false, 0},
        {"tpm: {pcrs: [7, 11]}\n", NULL, true, 1u << 7 | 1u << 11},
        {"tpm: {pcrs: [7, 24]}\n", "tpm.pcrs[1]: expected a number from 0 to 22", false, 1u << 7},
        {"tpm: {pcrs: [7, 16]}\n", "tpm.pcrs[1]: any program can reset PCR 16", false, 1u << 7},
        {"tpm: {pcrs: [23], sealSecrets: true}\n", "tpm.pcrs[0]: any program can reset PCR 23", false, 0},
        {"tpm: {pcrs: [22]}\n", NULL, true, 1u << 22},
        {"tpm: {pcrs: 7}\n", "expected a list", false, 0},
        {"tpm: {pcrs: [-1], sealSecrets: true}\n", "expected a number", false, 0},
        {"tpm: {sealSecrets: true, pcrs: [7.5]}\n", "expected a number", false, 0},
        {"tpm: {tcti: 'device:/dev/tpm0'}\n", NULL, true, 0},
        {"tpm: {tcti: 'cmd:sh -c true'}\n", "expected device:PATH or swtpm:CONFIGURATION", false, 0},
        {"tpm: {tcti: 'device:'}\n", "expected device:PATH", false, 0},
        {"tpm: {tcti: 'swtpm:path=/run/x y'}\n", "expected device:PATH", false, 0},
        {"tpm: {sealSecret: false}\n", "did you mean 'sealSecrets'?", false, 0},
        {"tpm: true\n", "expected an object", false, 0},
        {"kind: Other\n", "", false, 0},
    };
    char yaml[400];

    (void)snprintf(yaml, sizeof(yaml), HEAD "%s", rows[_i].text);
    _cleanup_(hf_config_freep) struct hf_config *config = parse(yaml);
    const char *fault = hf_config_fault(config, 0);
    struct hf_config_tpm is = hf_config_tpm(config);
    ck_assert_msg((fault == NULL) == (rows[_i].fault == NULL), "%s: %s", rows[_i].text, fault);
    ck_assert_msg(fault == NULL || strstr(fault, rows[_i].fault) != NULL, "%s", fault);
    ck_assert_msg(is.seals_secrets == rows[_i].seals && is.pcrs == rows[_i].pcrs, "%s", rows[_i].text);
    ck_assert_str_eq(hf_config_tpm(NULL).tcti, "device:/dev/tpmrm0");
    ck_assert(hf_config_tpm(NULL).seals_secrets);
}
END_TEST

/* A wrong or misspelt value counts as true. */
START_TEST(tpm_floors)
{
    static const struct {
        const char *text, *fault;
        bool counts, seals;
    } rows[] = {
        {"", NULL, false, true},
        {"tpm: {}\n", NULL, false, true},
        {"tpm: {floors: true}\n", NULL, true, true},
        {"tpm: {floors: false}\n", NULL, false, true},
        {"tpm: {floors: 'no'}\n", "tpm.floors: expected true or false", true, true},
        {"tpm: {floor: true}\n", "did you mean 'floors'?", true, true},
        {"tpm: {sealSecrets: 1, floors: true}\n", "tpm.sealSecrets: expected true or false", true, false},
    };
    char yaml[400];

    (void)snprintf(yaml, sizeof(yaml), HEAD "%s", rows[_i].text);
    _cleanup_(hf_config_freep) struct hf_config *config = parse(yaml);
    const char *fault = hf_config_fault(config, 0);
    struct hf_config_tpm is = hf_config_tpm(config);
    ck_assert_msg((fault == NULL) == (rows[_i].fault == NULL), "%s: %s", rows[_i].text, fault);
    ck_assert_msg(fault == NULL || strstr(fault, rows[_i].fault) != NULL, "%s", fault);
    ck_assert_msg(is.counts_floors == rows[_i].counts && is.seals_secrets == rows[_i].seals, "%s", rows[_i].text);
    ck_assert(!hf_config_tpm(NULL).counts_floors);
}
END_TEST

/* The wrong value of a whole part also takes the defaults away. */
START_TEST(a_part_that_is_wrong_allows_nothing)
{
    _cleanup_(hf_config_freep) struct hf_config *config = parse(HEAD "manifests: [x]\n");

    ck_assert(!hf_config_allows_manifest_origin(config, U, "https://git.example.org/x", NULL));
    ck_assert(hf_config_allows_manifest_origin(NULL, U, "https://git.example.org/x", NULL));
}
END_TEST

START_TEST(within)
{
    ck_assert(hf_config_path_is_within("/a/b", "/a"));
    ck_assert(hf_config_path_is_within("/a/b", "/a/"));
    ck_assert(hf_config_path_is_within("/a", "/a"));
    ck_assert(hf_config_path_is_within("/a", "/"));
    ck_assert(!hf_config_path_is_within("/ab", "/a"));
    ck_assert(!hf_config_path_is_within("/", "/a"));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, without_a_file, 0, (int)HF_LEN(defaults));
    tcase_add_loop_test(tc, with_a_file, 0, (int)HF_LEN(one_file));
    tcase_add_loop_test(tc, closed_for_reading, 0, 15);
    tcase_add_loop_test(tc, faults, 0, 12);
    tcase_add_loop_test(tc, tpm, 0, 16);
    tcase_add_loop_test(tc, tpm_floors, 0, 7);
    tcase_add_test(tc, a_part_that_is_wrong_allows_nothing);
    tcase_add_test(tc, within);
}
HF_TEST_MAIN("config/manifests", cases)
