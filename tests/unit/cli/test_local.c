/* SPDX-License-Identifier: Apache-2.0 */
/* lint, hold: what is read from and written to files of one node. */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/guard.h"
#include "cli/parts.h"
#include "node/clock_file.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/cli_run.h"
#include "sync/hold_age.h"

static struct cli_run run;

static void setup(void)
{
    cli_begin(&run);
}

static void teardown(void)
{
    cli_end(&run);
}

/* ---- lint -------------------------------------------------------------------------------------------------------- */

#define HEAD "apiVersion: edge.codcompass.io/v1alpha1\n"

#define POLICY_IN_LIST "apiVersion: edge.codcompass.io/v1alpha1\n  kind: SyncPolicy\n  metadata: {name: x}\n"

static const struct {
    const char *text;
    int want;
    const char *told; /* must stand in the output */
} lints[] = {
    {"", 0, ""},
    {HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec: {}\n", 0, ""},
    {HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec:\n  nodeSelector: {}\n  interval: 1ms\n", HF_EXIT_REFUSED,
     "a.yaml:6: spec.interval: "},
    {HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec:\n  strange: 1\n", HF_EXIT_REFUSED,
     "a.yaml:5: spec.strange: unknown field, not acted on"},
    {HEAD "kind: EdgeUpdate\nmetadata: {name: x}\nspec:\n  release:\n    name: x\n    checks: []\n", HF_EXIT_REFUSED,
     "a.yaml:7: spec.release.checks: unknown field"},
    {HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec:\n  nodeSelector: {matchlabels: {a: b}}\n", HF_EXIT_REFUSED,
     "a.yaml:5: spec.nodeSelector.matchlabels: unknown field; did you mean matchLabels? without it this selects "
     "every node"},
    {HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec:\n  nodeselector: {matchLabels: {a: b}}\n", HF_EXIT_REFUSED,
     "a.yaml:5: spec.nodeselector: unknown field; did you mean nodeSelector? without it this selects every node"},
    {HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec:\n  NODESELECTOR: {}\n", HF_EXIT_REFUSED,
     "did you mean nodeSelector?"},
    {HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec:\n  selector: {matchLabels: {a: b}}\n", HF_EXIT_REFUSED,
     "a.yaml:5: spec.selector: unknown field; did you mean nodeSelector?"},
    {HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec:\n  nodeSelector: {}\n  nodeselector: {}\n", HF_EXIT_REFUSED,
     "a.yaml:6: spec.nodeselector: unknown field; did you mean it to be part of nodeSelector?"},
    {"---\n" HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec: {}\n---\n" HEAD
     "kind: SyncPolicy\nmetadata: {name: y}\nspec:\n  priority: high\n",
     HF_EXIT_REFUSED, "a.yaml:11: spec.priority: "},
    {HEAD "kind: EdgeUpdate\nmetadata: {name: x}\nspec:\n  release:\n    name: x\n", HF_EXIT_REFUSED,
     "a.yaml:5: spec.release."},
    {HEAD "kind: EdgeNode\nmetadata: {name: x}\n", HF_EXIT_REFUSED, "a.yaml:2: kind: "},
    {"apiVersion: v1\nkind: ConfigMap\n", 0, "a.yaml:1: warning: apiVersion: "},
    {"apiVersion: edge.codcompas.io/v1alpha1\nkind: EdgeUpdate\n", HF_EXIT_REFUSED,
     "a.yaml:1: apiVersion: unknown 'edge.codcompas.io/v1alpha1' for kind EdgeUpdate; did you mean "
     "'edge.codcompass.io/v1alpha1'?"},
    {"apiVersion: edge.codcompass.io/v1aplha1\nkind: SyncPolicy\n", HF_EXIT_REFUSED,
     "a.yaml:1: apiVersion: unknown version 'v1aplha1'; expected 'v1alpha1'"},
    {"apiVersion: edge.codcompass.oi/v1alpha1\nkind: Rollout\n", HF_EXIT_REFUSED,
     "a.yaml:1: apiVersion: unknown 'edge.codcompass.oi/v1alpha1'; did you mean"},
    {"apiVersion: apps/v1\nkind: Edgeupdate\n", HF_EXIT_REFUSED, "unknown 'apps/v1' for kind EdgeUpdate; did you mean"},
    {"apiVersion: edge.example.io/v1alpha1\nkind: Rollout\n", 0, "a.yaml:1: warning: apiVersion: not of"},
    {HEAD "kind: Edgeupdate\n", HF_EXIT_REFUSED,
     "a.yaml:2: kind: unknown kind 'Edgeupdate'; did you mean 'EdgeUpdate'?"},
    {HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec:\n  manifests:\n"
          "  - name: login\n    from: {secret: {namespace: a, name: b}}\n"
          "    to: Files\n    path: /run/a/\n    substitute: {}\n",
     HF_EXIT_REFUSED, "a.yaml:10: spec.manifests[0].substitute: the content of a Secret is written as it is"},
    {"\x01\xff\xfe rand", HF_EXIT_REFUSED, "a.yaml:1: "},
    {"apiVersion: v1\nkind: List\nitems:\n- " POLICY_IN_LIST "  spec: {interval: 1ms}\n", HF_EXIT_REFUSED,
     "a.yaml:7: items[0].spec.interval: "},
    {HEAD "kind: SyncPolicyList\nitems:\n- metadata: {name: x}\n  spec: {interval: 1ms}\n", HF_EXIT_REFUSED,
     "a.yaml:5: items[0].spec.interval: "},
    {HEAD "kind: SyncPolicyList\nitems:\n- metadata: {name: x}\n  spec: {interval: 1m}\n", 0, ""},
    {HEAD "kind: SyncPolicyList\n", HF_EXIT_REFUSED, "a.yaml:1: a list without items"},
    {"apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: []}]\n", HF_EXIT_REFUSED,
     "a.yaml:1: items[0]: a list within a list"},
    {"apiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {a: b}}\n", 0, ""},
    {"a: 1\n", HF_EXIT_REFUSED, "apiVersion: missing; expected 'edge.codcompass.io/v1alpha1'"},
    {"a: [\n", HF_EXIT_REFUSED, "a.yaml:2: line 2"},
    {"a: 1\na: 2\n", HF_EXIT_REFUSED, "a.yaml:2: line 2"},
    {HEAD "kind: AgentConfiguration\nexec: []\n", 0, ""},
    {HEAD "kind: AgentConfiguration\ntelemetry:\n  fils: [/x]\n", HF_EXIT_REFUSED,
     "a.yaml:4: telemetry.fils: unknown field; did you mean 'files'?"},
    {HEAD "kind: AgentConfiguraton\n", HF_EXIT_REFUSED,
     "unknown kind 'AgentConfiguraton'; did you mean 'AgentConfiguration'?"},
    {"{\"apiVersion\": \"edge.codcompass.io/v1alpha1\", \"kind\": \"Nothing\"}", HF_EXIT_REFUSED, "a.yaml:1: kind: "},
};

START_TEST(lint)
{
    cli_write_text(&run, "a.yaml", lints[_i].text);
    ck_assert_msg(cli(&run, "lint", "%/a.yaml", NULL) == lints[_i].want, "%s -> %d\n%s%s", lints[_i].text, run.code,
                  run.out, run.err);
    ck_assert_msg(strstr(run.out, lints[_i].told) != NULL, "'%s' is not in: %s", lints[_i].told, run.out);
}
END_TEST

/* What a node with this configuration refuses. */
START_TEST(lint_with_a_configuration)
{
    static const struct {
        const char *object;
        int want;
        const char *told; /* must stand in the output; NULL: it is empty */
    } rows[] = {
        {"kind: SyncPolicy\nmetadata: {name: x}\nspec:\n  telemetry:\n    sources: {files: [{path: /etc/shadow}]}\n"
         "    sink: {url: 'https://x'}\n",
         HF_EXIT_REFUSED,
         "a.yaml:6: spec.telemetry.sources.files[0].path: '/etc/shadow' is not allowed: add '/etc/shadow' to "
         "telemetry.files in "},
        {"kind: SyncPolicy\nmetadata: {name: x}\nspec:\n  telemetry:\n    sources: {files: [{path: /var/log/x}]}\n"
         "    sink:\n      url: 'https://x'\n      tokenFile: /etc/shadow\n",
         HF_EXIT_REFUSED, "a.yaml:9: spec.telemetry.sink.tokenFile: 'file:/etc/shadow' is not allowed: add '/etc' to"},
        {"kind: SyncPolicy\nmetadata: {name: x}\nspec: {}\n", HF_EXIT_REFUSED,
         "a.yaml:4: spec.signatures: the node acts only on signed policies (requireSigned)"},
        {"kind: SyncPolicy\nmetadata: {name: x}\nspec:\n  sequence: 1\n  signatures:\n  - keyId: a\n    signature: "
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n"
         "  telemetry: {sources: {files: [{path: /srv/x}]}, sink: {url: 'https://x'}}\n",
         0, NULL},
        {"kind: SyncPolicy\nmetadata: {name: x}\nspec:\n"
         "  sequence: 1\n  signatures:\n  - keyId: a\n    signature: "
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n"
         "  manifests:\n  - name: pods\n    from: {configMap: {namespace: a, name: b}}\n    to: StaticPods\n",
         HF_EXIT_REFUSED,
         "a.yaml:12: spec.manifests[0].to: static pods are not allowed: set manifests.staticPods: true in "},
        {"kind: SyncPolicy\nmetadata: {name: x}\nspec:\n"
         "  sequence: 1\n  signatures:\n  - keyId: a\n    signature: "
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n"
         "  manifests:\n  - name: web\n    from: {path: /media/usb}\n"
         "    contentDigest: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
         "    to: Files\n    path: /etc/nginx\n    reload: {systemdUnit: nginx.service}\n",
         HF_EXIT_REFUSED, "'/etc/nginx' is not allowed: add '/etc/nginx' to signedPolicies.manifests.files in "},
        {"kind: SyncPolicy\nmetadata: {name: x}\nspec:\n"
         "  sequence: 1\n  signatures:\n  - keyId: a\n    signature: "
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n"
         "  manifests:\n  - name: web\n    from: {path: /etc, subPath: holdfast/credentials.d}\n"
         "    to: Files\n    path: /etc/nginx/\n",
         HF_EXIT_REFUSED,
         "spec.manifests[0].from: '/etc/holdfast/credentials.d' is never allowed: no entry may read below "
         "/etc/holdfast"},
    };
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);

    cli_write_text(&run, "agent.yaml",
                   HEAD "kind: AgentConfiguration\nrequireSigned: [SyncPolicy]\nsignedPolicies: {files: [/srv/**]}\n");
    ck_assert_int_eq(hf_buf_addf(&text, "%s%s", HEAD, rows[_i].object), 0);
    cli_write_text(&run, "a.yaml", hf_buf_str(&text));
    ck_assert_int_eq(cli(&run, "lint", "--config", "%/agent.yaml", "%/a.yaml", NULL), rows[_i].want);
    if (rows[_i].told == NULL)
        ck_assert_str_eq(run.out, "");
    else
        ck_assert_msg(strstr(run.out, rows[_i].told) != NULL, "%s", run.out);
    cli_write_text(&run, "agent.yaml", HEAD "kind: AgentConfiguration\nexce: []\n");
    ck_assert_int_eq(cli(&run, "lint", "--config", "%/agent.yaml", "%/a.yaml", NULL), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.out, "agent.yaml:3: exce: unknown field; did you mean 'exec'?"));
    ck_assert_int_eq(cli(&run, "lint", "--config", "%/none.yaml", "%/a.yaml", NULL), HF_EXIT_FAILED);
}
END_TEST

/* ---- policy sign ------------------------------------------------------------------------------------------------- */

START_TEST(policy_sign)
{
    ck_assert_int_eq(cli(&run, "key", "generate", "%/site", NULL), 0);
    ck_assert_int_eq(cli(&run, "key", "generate", "%/second", NULL), 0);
    cli_write_text(&run, "p.yaml", HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec: {interval: 5m}\n");
    ck_assert_int_eq(cli(&run, "policy", "sign", "%/p.yaml", "--key", "%/site.key", NULL), HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "spec.sequence is missing: give --sequence N") != NULL, "%s", run.err);
    ck_assert_int_eq(cli(&run, "policy", "sign", "%/p.yaml", "--sequence", "4", "--key", "%/site.key", NULL), 0);
    ck_assert_str_eq(run.out, "signed by site\n");
    ck_assert_int_eq(cli(&run, "policy", "sign", "%/p.yaml", "--key", "%/second.key", NULL), 0);
    ck_assert_str_eq(run.out, "signed by site\nsigned by second\n");
    ck_assert_int_eq(cli(&run, "lint", "--strict", "%/p.yaml", NULL), 0);
    /* who may read the file stays the same */
    struct stat st;
    ck_assert_int_eq(chmod(cli_path(&run, "p.yaml"), 0600), 0);
    ck_assert_int_eq(cli(&run, "policy", "sign", "%/p.yaml", "--key", "%/second.key", NULL), 0);
    ck_assert_int_eq(stat(cli_path(&run, "p.yaml"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(chmod(cli_path(&run, "p.yaml"), 0666), 0);
    ck_assert_int_eq(cli(&run, "policy", "sign", "%/p.yaml", "--key", "%/second.key", NULL), 0);
    ck_assert_int_eq(stat(cli_path(&run, "p.yaml"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0666);
    /* another sequence makes the signatures worthless */
    ck_assert_int_eq(cli(&run, "policy", "sign", "%/p.yaml", "--sequence", "5", "--key", "%/site.key", NULL), 0);
    ck_assert_str_eq(run.out, "signed by site\n");
    ck_assert_int_eq(cli(&run, "policy", "sign", "%/p.yaml", "--sequence", "x", "--key", "%/site.key", NULL),
                     HF_EXIT_USAGE);
    /* what an API server drops cannot be signed */
    cli_write_text(&run, "p.yaml", HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec: {sequence: 1, strange: 1}\n");
    ck_assert_int_eq(cli(&run, "policy", "sign", "%/p.yaml", "--key", "%/site.key", NULL), HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "spec.strange: unknown field") != NULL, "%s", run.err);
    cli_write_text(&run, "p.yaml", HEAD "kind: EdgeUpdate\n");
    ck_assert_int_eq(cli(&run, "policy", "sign", "%/p.yaml", "--key", "%/site.key", NULL), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.err, "expected one SyncPolicy"));
}
END_TEST

START_TEST(lint_counts)
{
    cli_write_text(&run, "a.yaml",
                   HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec:\n  interval: 1ms\n  strange: 1\n");
    ck_assert_int_eq(cli(&run, "lint", "%/a.yaml", NULL), HF_EXIT_REFUSED);
    ck_assert_str_eq(run.err, "2 errors, 0 warnings\n");
    cli_write_text(&run, "a.yaml", "apiVersion: v1\nkind: ConfigMap\n---\napiVersion: v1\nkind: Secret\n");
    ck_assert_int_eq(cli(&run, "lint", "%/a.yaml", NULL), 0);
    ck_assert_str_eq(run.err, "0 errors, 2 warnings\n");
    ck_assert_int_eq(cli(&run, "lint", "--strict", "%/a.yaml", NULL), HF_EXIT_REFUSED);
}
END_TEST

/* ---- Flux -------------------------------------------------------------------------------------------------------- */

#define FLUX(more) HEAD "kind: SyncPolicy\nmetadata: {name: \"${CLUSTER}\"" more "}\nspec:\n"

#define QUOTED HEAD "kind: SyncPolicy\nmetadata: {name: a}\nspec:\n"

static const struct {
    const char *text, *value; /* of --substitute; NULL: without it */
    int want;
    const char *told; /* "": nothing */
} by_flux[] = {
    {FLUX("") "  interval: 5m\n", NULL, HF_EXIT_REFUSED, "a.yaml:3: metadata.name: expected a name"},
    {FLUX("") "  interval: 5m\n", "CLUSTER=site-7", 0, ""},
    {QUOTED "  ${CLUSTER}: 5m\n", NULL, HF_EXIT_REFUSED, "spec.${CLUSTER}: "},
    {FLUX("") "  interval: 5m\n", "CLUSTER=Site 7", HF_EXIT_REFUSED, "got 'Site 7'"},
    {FLUX("") "  interval: 5m\n", "OTHER=x", HF_EXIT_REFUSED,
     "a.yaml:3: metadata.name: '${CLUSTER}' has no value, and Flux leaves nothing of it: --substitute CLUSTER=VALUE"},
    {FLUX("") "  interval: ${EVERY:=5m}\n  priority: ${FIRST:-7}\n", "CLUSTER=a", 0, ""},
    {FLUX("") "  interval: ${EVERY:=1ms}\n", "CLUSTER=a", HF_EXIT_REFUSED, "a.yaml:5: spec.interval: "},
    {FLUX("") "  interval: ${CLUSTER:0:1}\n", "CLUSTER=a", HF_EXIT_REFUSED, "spec.interval: lint knows ${CLUSTER} and"},
    {FLUX("") "  priority: ${CLUSTER}\n", "CLUSTER=12", HF_EXIT_REFUSED,
     "a.yaml:3: metadata.name: "}, /* a number, as Flux applies it */
    {QUOTED "  priority: ${CLUSTER}\n", "CLUSTER=7", 0, ""},
    /* Flux writes these texts with quotes, or as a block, so they stay texts */
    {QUOTED "  priority: \"${CLUSTER} # of the site\"\n", "CLUSTER=7", HF_EXIT_REFUSED, "got '7 # of the site'"},
    {QUOTED "  priority: |\n    ${CLUSTER}\n", "CLUSTER=7", HF_EXIT_REFUSED, "a.yaml:5: spec.priority: "},
    {QUOTED "  images: {prefetch: \"[${CLUSTER}]\"}\n", "CLUSTER=a", HF_EXIT_REFUSED, "got '[a]'"},
    {FLUX("") "  labels: {static: {site: \"$${CLUSTER}\"}}\n", "CLUSTER=a", HF_EXIT_REFUSED, "got '${CLUSTER}'"},
    {FLUX("") "  labels: {static: {site: \"$CLUSTER\"}}\n", "CLUSTER=a", HF_EXIT_REFUSED, "got '$CLUSTER'"},
    {FLUX(", annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}") "  interval: 5m\n", "CLUSTER=a",
     HF_EXIT_REFUSED, "got '${CLUSTER}'"},
    {HEAD "kind: EdgeUpdate\nmetadata: {name: x}\nspec:\n  release:\n    name: ${CLUSTER}\n", "CLUSTER=a",
     HF_EXIT_REFUSED,
     "a.yaml:6: spec.release.name: is signed: nodes refuse a release in which Flux fills something in"},
    /* names of fields, too; a value may make two of them one */
    {QUOTED "  labels: {static: {\"edge.codcompass.io/${CLUSTER}\": a}}\n", "CLUSTER=site", 0, ""},
    {QUOTED "  labels: {static: {\"edge.codcompass.io/${CLUSTER}\": a}}\n", "CLUSTER=-", HF_EXIT_REFUSED,
     "edge.codcompass.io/-: is not a label key"},
    {QUOTED "  ${CLUSTER}: 5m\n", "CLUSTER=interval", 0, ""},
    {QUOTED "  interval: 5m\n  ${CLUSTER}: 6m\n", "CLUSTER=interval", HF_EXIT_REFUSED,
     "spec.${CLUSTER}: has the name of another field when the values are filled in"},
    {QUOTED "  labels: {static: {\"${OTHER}\": a}}\n", "CLUSTER=site", HF_EXIT_REFUSED, "'${OTHER}' has no value"},
    {HEAD "kind: EdgeUpdate\nmetadata: {name: x}\nspec:\n  release:\n    ${CLUSTER}: y\n", "CLUSTER=name",
     HF_EXIT_REFUSED, "is signed: nodes refuse a release in which Flux fills something in"},
    {"apiVersion: v1\nkind: ConfigMap\ndata: {a: \"${B}\"}\n", "CLUSTER=a", 0, ""},
    {FLUX("") "  interval: 5m\n", "CLUSTER", HF_EXIT_USAGE, ""},
    {FLUX("") "  interval: 5m\n", "1=2", HF_EXIT_USAGE, ""},
};

START_TEST(lint_as_flux_applies)
{
    const char *value = by_flux[_i].value;

    cli_write_text(&run, "a.yaml", by_flux[_i].text);
    int code = value != NULL ? cli(&run, "lint", "--strict", "--substitute", value, "%/a.yaml", NULL)
                             : cli(&run, "lint", "--strict", "%/a.yaml", NULL);
    ck_assert_msg(code == by_flux[_i].want, "%s -> %d\n%s%s", by_flux[_i].text, code, run.out, run.err);
    ck_assert_msg(by_flux[_i].told[0] != '\0' ? strstr(run.out, by_flux[_i].told) != NULL : run.out[0] == '\0',
                  "'%s' is not: %s", by_flux[_i].told, run.out);
    ck_assert_msg((strstr(run.err, "hint: if Flux fills in ${CLUSTER}, --substitute CLUSTER=VALUE checks") != NULL) ==
                      (value == NULL),
                  "%s", run.err);
}
END_TEST

/* The release is signed: it holds no variable that anybody fills in, so it is no reason for a hint. */
START_TEST(lint_hints_at_flux)
{
    cli_write_text(&run, "a.yaml", HEAD "kind: EdgeUpdate\nmetadata: {name: x}\nspec:\n  release:\n    name: ${A}\n");
    ck_assert_int_eq(cli(&run, "lint", "%/a.yaml", NULL), HF_EXIT_REFUSED);
    ck_assert_ptr_null(strstr(run.err, "hint"));
}
END_TEST

START_TEST(lint_for_programs)
{
    _cleanup_(hf_json_freep) json_t *finding = NULL;

    cli_write_text(&run, "a.yaml", "---\napiVersion: v1\nkind: ConfigMap\n");
    ck_assert_int_eq(cli(&run, "lint", "--json", "%/a.yaml", NULL), 0);
    ck_assert_int_eq(hf_json_parse(hf_view_of(run.out), NULL, &finding, NULL), 0);
    ck_assert_int_eq(hf_json_int_or(finding, "line", 0), 2);
    cli_page_knows_json(&run, "lint");
    ck_assert_str_eq(hf_json_str_or(finding, "level", ""), "warning");
    ck_assert_str_eq(hf_json_str_or(finding, "path", ""), "apiVersion");
    ck_assert_int_eq(cli(&run, "lint", "--strict", "%/a.yaml", NULL), HF_EXIT_REFUSED);
    ck_assert_int_eq(cli(&run, "lint", "%/nothing.yaml", NULL), HF_EXIT_FAILED);
    ck_assert_int_eq(cli_with_input(&run, "a.yaml", "lint", "-", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "-:2: warning"));
    cli_write_text(&run, "\xff.yaml", "apiVersion: v1\nkind: ConfigMap\n");
    ck_assert_int_eq(cli(&run, "lint", "--json", "%/\xff.yaml", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "/?.yaml\""));
}
END_TEST

#define SITE(name, more) HEAD "kind: SyncPolicy\nmetadata: {name: " name "}\nspec:\n" more
#define RELEASE_OF(sequence)                                                                                           \
    HEAD "kind: EdgeUpdate\nmetadata: {name: e}\nspec:\n  release: {name: e, version: '1', sequence: " sequence        \
         ", expires: '2090-01-01T00:00:00Z', install: {path: /opt/x}, artifacts: [{arch: amd64, size: 1, "             \
         "url: 'https://x.example/a', sha256: "                                                                        \
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}]}\n"

static const struct {
    const char *a, *b;
    int want;
    const char *told; /* must stand in the output; NULL: no output */
} sets[] = {
    {SITE("a", "  disk: {warnPercent: 60}\n"), SITE("b", "  interval: 1m\n"), 0, NULL},
    {SITE("a", "  disk: {warnPercent: 60}\n"), SITE("b", "  interval: 1m\n  disk: {warnPercent: 50}\n"),
     HF_EXIT_REFUSED, "b.yaml:6: spec.disk: disk: SyncPolicy 'a' in '"},
    {SITE("a", "  disk: {warnPercent: 60}\n"), SITE("b", "  disk: {warnPercent: 60}\n"), 0, NULL},
    {SITE("a", "  disk: {warnPercent: 60}\n"), SITE("b", "  priority: 1\n  disk: {warnPercent: 50}\n"), 0, NULL},
    {SITE("a", "  nodeSelector: {matchLabels: {z: a}}\n  disk: {warnPercent: 60}\n"),
     SITE("b", "  nodeSelector: {matchLabels: {z: b}}\n  disk: {warnPercent: 50}\n"), 0, NULL},
    {SITE("a", "  nodeSelector: {matchLabels: {z: a}}\n  disk: {warnPercent: 60}\n"),
     SITE("b", "  nodeSelector: {matchLabels: {y: b}}\n  disk: {warnPercent: 50}\n"), HF_EXIT_REFUSED, "b.yaml:6: "},
    {SITE("a", "  labels: {static: {edge.codcompass.io/a: x, edge.codcompass.io/b: x}}\n"),
     SITE("b", "  labels:\n    static:\n      edge.codcompass.io/b: z\n"), HF_EXIT_REFUSED,
     "b.yaml:6: spec.labels.static: labels.static[edge.codcompass.io/b]: SyncPolicy 'a'"},
    {SITE("b", "  manifests:\n  - {name: x, to: Files, path: /a, from: {path: /b}}\n"),
     SITE("a", "  manifests:\n  - {name: y, to: Files, path: /a, from: {path: /b}}\n  - {name: x, to: Files, path: /c, "
               "from: {path: /b}}\n"),
     HF_EXIT_REFUSED, "a.yaml:6: spec.manifests[0]: manifests[x]: SyncPolicy 'a' in '"},
    {SITE("a", "  interval: 1m\n"), SITE("a", "  interval: 1m\n"), 0,
     "b.yaml:3: warning: metadata.name: the same object"},
    {SITE("a", "  interval: 1m\n"), SITE("a", "  interval: 2m\n"), HF_EXIT_REFUSED,
     "b.yaml:3: metadata.name: another object of this kind and name is in '"},
    {RELEASE_OF("2"), RELEASE_OF("1"), 0, "b.yaml:3: warning: metadata.name: an object of this kind and name with a "},
    {RELEASE_OF("1"), RELEASE_OF("2"), 0, "a.yaml:3: warning: metadata.name: an object of this kind and name with a "},
};

START_TEST(lint_of_a_set)
{
    cli_write_text(&run, "a.yaml", sets[_i].a);
    cli_write_text(&run, "b.yaml", sets[_i].b);
    ck_assert_msg(cli(&run, "lint", "%/a.yaml", "%/b.yaml", NULL) == sets[_i].want, "row %d: %d\n%s%s", _i, run.code,
                  run.out, run.err);
    if (sets[_i].told != NULL)
        ck_assert_msg(strstr(run.out, sets[_i].told) != NULL, "row %d: %s", _i, run.out);
    else
        ck_assert_msg(run.out[0] == '\0', "row %d: %s", _i, run.out);
}
END_TEST

#define EVIL "\\e[2J\\u009b31m\\u202eevil" /* in a YAML string */

static void expect_plain(void)
{
    ck_assert_msg(strstr(run.out, "evil") != NULL || strstr(run.err, "evil") != NULL, "%s%s", run.out, run.err);
    for (size_t i = 0; i < 2; i++) {
        const char *text = i == 0 ? run.out : run.err;
        ck_assert_ptr_null(strpbrk(text, "\x1b\x07"));
        ck_assert_ptr_null(strstr(text, "\xc2\x9b"));
        ck_assert_ptr_null(strstr(text, "\xe2\x80\xae"));
    }
}

START_TEST(texts_of_files_are_plain)
{
    static const char *const files[] = {"a.yaml", "b.yaml"};

    ck_assert_int_eq(cli(&run, "key", "generate", "%/site", NULL), 0);
    cli_write_text(&run, "a.yaml",
                   HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec: {\"" EVIL "\": 1, interval: 1ms}\n");
    cli_write_text(&run, "b.yaml", HEAD "kind: EdgeUpdate\nmetadata: {name: x}\nspec: {\"" EVIL "\": 1}\n");
    cli_write_text(&run, "c.yaml", HEAD "kind: \"" EVIL "\"\n");
    for (size_t i = 0; i < HF_LEN(files); i++) {
        const char *path = cli_path(&run, files[i]);
        ck_assert_int_eq(cli(&run, "lint", path, NULL), HF_EXIT_REFUSED);
        expect_plain();
        ck_assert_int_eq(cli(&run, "lint", "--json", path, NULL), HF_EXIT_REFUSED);
        expect_plain();
    }
    ck_assert_int_eq(cli(&run, "policy", "sign", "%/a.yaml", "--sequence", "1", "--key", "%/site.key", NULL),
                     HF_EXIT_REFUSED);
    expect_plain();
    ck_assert_int_eq(cli(&run, "manifest", "render", "-f", "%/a.yaml", "--entry", "x", "--node", "n", "%", NULL),
                     HF_EXIT_REFUSED);
    expect_plain();
    ck_assert_int_eq(cli(&run, "release", "verify", "%/b.yaml", NULL), HF_EXIT_REFUSED);
    expect_plain();
    ck_assert_int_eq(cli(&run, "release", "verify", "%/c.yaml", NULL), HF_EXIT_REFUSED);
    expect_plain();
}
END_TEST

/* A list that nodes wait for has to be somewhere; without any policy, it may be elsewhere. */
START_TEST(lint_of_images_to_wait_for)
{
    static const char *const policies[] = {
        SITE("a", "  interval: 1m\n"),
        SITE("a", "  images:\n    mirror: {registries: [r.example], maxBytes: 1Gi}\n    prefetch: ['r.example/a@sha256:"
                  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa']\n"),
        "apiVersion: v1\nkind: ConfigMap\n"};

    for (size_t i = 0; i < HF_LEN(policies); i++) {
        cli_write_text(&run, "a.yaml", RELEASE_OF("1") "  waitForImages: true\n");
        cli_write_text(&run, "b.yaml", policies[i]);
        (void)cli(&run, "lint", "%/a.yaml", "%/b.yaml", NULL);
        ck_assert_msg((strstr(run.out, "spec.waitForImages: no SyncPolicy") != NULL) == (i == 0), "%zu: %s", i,
                      run.out);
    }
}
END_TEST

START_TEST(lint_advises)
{
    cli_write_text(&run, "v", "something");
    ck_assert_msg(cli(&run, "release", "create", "--everywhere", "--name", "e", "--version", "1", "--sequence", "1",
                      "--path", "/opt/e/x", "--artifact", "amd64=%/v", "--url-base", "https://x.example", "--out",
                      "%/out", NULL) == 0,
                  "%s", run.err);
    ck_assert_int_eq(cli(&run, "lint", "%/out/e-1.yaml", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "not signed yet"));
    ck_assert_ptr_nonnull(strstr(run.out, "no health check"));
    ck_assert_ptr_null(strstr(run.out, "controller"));
    _cleanup_(hf_freep) char *text = cli_read(&run, "out/e-1.yaml", NULL);
    ck_assert_ptr_nonnull(strstr(text, "expires: "));
    ck_assert_ptr_null(strstr(text, "signedAt"));
    _cleanup_(hf_freep) char *more = hf_asprintf("%s  strategy: {waves: [{percent: 100}]}\n", text);
    cli_write_text(&run, "a.yaml", more);
    ck_assert_int_eq(cli(&run, "lint", "%/a.yaml", NULL), 0);
    ck_assert_ptr_null(strstr(run.out, "strategy")); /* a right strategy is no finding, also with --strict */
    ck_assert_ptr_null(strstr(run.out, "expired"));
    char *expires = strstr(text, "expires: ");
    memcpy(strchr(expires, '2'), "2001", 4);
    cli_write_text(&run, "a.yaml", text);
    ck_assert_int_eq(cli(&run, "lint", "%/a.yaml", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "warning: spec.release.expires: expired at 2001-"));
}
END_TEST

/* ---- hold -------------------------------------------------------------------------------------------------------- */

START_TEST(hold)
{
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", NULL), 0);
    ck_assert_str_eq(run.out, "no hold\n");
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--reason", "line 3 is \"running\"", "--for", "8h", NULL),
                     0);
    ck_assert_ptr_nonnull(strstr(run.out, "held until "));
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "held until "));
    ck_assert_ptr_nonnull(strstr(run.out, ": line 3 is \"running\"\n"));
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--json", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "\"active\":true"));
    cli_page_knows_json(&run, "hold");
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--release", NULL), 0);
    ck_assert_str_eq(run.out, "no hold\n");
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--release", NULL), 0);
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--json", NULL), 0);
    ck_assert_str_eq(run.out, "{\"active\":false,\"reason\":\"\",\"until\":\"\"}\n");
}
END_TEST

static struct {
    uint64_t mono_ns, unix_ns;
} now;

static uint64_t mono_now(void *ctx)
{
    (void)ctx;
    return now.mono_ns;
}

static uint64_t unix_now(void *ctx)
{
    (void)ctx;
    return now.unix_ns;
}

/* What the agent writes to its clock file about the hold that is there now. */
static void agent_saves_in(const char *boot, uint64_t age_s)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLOCK_FILE_MAX);
    struct hf_clock_file file = {
        .hold_age_ns = age_s * HF_NS_PER_S, .saved_mono_ns = now.mono_ns, .track_unix_ns = now.unix_ns};
    struct stat st;
    size_t n = 0;
    _cleanup_(hf_freep) char *text_of_hold = cli_read(&run, "hold", &n);

    ck_assert_int_eq(stat(cli_path(&run, "hold"), &st), 0);
    file.hold_id = hf_hold_id((struct hf_view){text_of_hold, n},
                              (uint64_t)st.st_mtim.tv_sec * HF_NS_PER_S + (uint64_t)st.st_mtim.tv_nsec);
    if (boot != NULL)
        (void)snprintf(file.boot, sizeof(file.boot), "%s", boot);
    else
        hf_file_boot_id(hf_fs_posix(), file.boot);
    ck_assert_int_eq(hf_clock_file_format(&file, &text), 0);
    cli_write_text(&run, "clock", hf_buf_str(&text));
}

static void agent_saves(uint64_t age_s)
{
    agent_saves_in(NULL, age_s);
}

static void expect_hold(const char *want)
{
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", NULL), 0);
    ck_assert_str_eq(run.out, want);
}

/* The command says what the agent does, on a board that booted in 1970 and whose clock is set later. */
START_TEST(hold_with_a_wrong_clock)
{
    static const struct hf_clock_ops clock = {.mono_ns = mono_now, .unix_ns = unix_now};

    run.clock = &clock;
    now.mono_ns = now.unix_ns = 60 * HF_NS_PER_S;
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--reason", "x", "--for", "8h", NULL), 0);
    expect_hold("held until 1970-01-01T08:01:00Z: x\n");
    now.unix_ns = UINT64_C(1795161600) * HF_NS_PER_S;
    expect_hold("held until 2026-11-20T16:00:00Z: x\n");
    agent_saves(2 * 3600);
    expect_hold("held until 2026-11-20T14:00:00Z: x\n");
    now.mono_ns += 3600 * HF_NS_PER_S;
    now.unix_ns += 3600 * HF_NS_PER_S;
    expect_hold("held until 2026-11-20T14:00:00Z: x\n");
    now.unix_ns = 0;
    expect_hold("held until 1970-01-01T05:00:00Z: x\n");
    agent_saves(8 * 3600);
    expect_hold("no hold\n");
    now.unix_ns = UINT64_C(1795161600) * HF_NS_PER_S;
    expect_hold("no hold\n");
    cli_write_text(&run, "clock", "damaged");
    expect_hold("held until 2026-11-20T16:00:00Z: x\n");
}
END_TEST

/* In a system container the agent sees another boot id than this command. The clocks tell that it is the same boot. */
START_TEST(hold_with_another_boot_id)
{
    static const struct hf_clock_ops clock = {.mono_ns = mono_now, .unix_ns = unix_now};
    static const char other[] = "11111111-2222-4333-8444-555555555555";
    const uint64_t minute = 60 * HF_NS_PER_S, hour = 60 * minute;

    run.clock = &clock;
    now.mono_ns = 30 * 24 * hour;
    now.unix_ns = UINT64_C(1795161600) * HF_NS_PER_S;
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--reason", "x", "--for", "8h", NULL), 0);
    agent_saves_in(other, 0);
    expect_hold("held until 2026-11-20T16:00:00Z: x\n");
    now.mono_ns += 3 * hour;
    now.unix_ns += 3 * hour + 2 * HF_NS_PER_S; /* a time server corrects it */
    expect_hold("held until 2026-11-20T16:00:00Z: x\n");
    now.mono_ns += 5 * hour;
    now.unix_ns += 5 * hour;
    expect_hold("no hold\n");

    /* Another boot, an hour after the save: the monotonic clock shows more, but has not run on with the other. */
    now.mono_ns = 2 * hour;
    now.unix_ns = UINT64_C(1795161600) * HF_NS_PER_S;
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--reason", "y", "--for", "8h", NULL), 0);
    agent_saves_in(other, 0);
    now.unix_ns += 4 * hour;
    now.mono_ns = 3 * hour; /* since a boot an hour after the save */
    expect_hold("held until 2026-11-20T16:00:00Z: y\n");
}
END_TEST

START_TEST(hold_with_a_reason_like_help)
{
    static const char *const ways[][2] = {{"--reason", "-h"}, {"--reason", "--help"}, {"--reason=--help", NULL}};

    for (size_t i = 0; i < HF_LEN(ways); i++) {
        ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", ways[i][0], ways[i][1], NULL), 0);
        ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", NULL), 0);
        ck_assert_msg(strstr(run.out, i == 0 ? ": -h\n" : ": --help\n") != NULL, "%s", run.out);
    }
    ck_assert_int_eq(cli(&run, "hold", "--json", "-h", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "--reason TEXT"));
}
END_TEST

START_TEST(hold_that_is_wrong)
{
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--for", "8h", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--reason", "x", "--for", "8d", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--reason", "x", "--for", "long", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--reason", "x", "--release", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--reason", "\xff", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--reason", "x", "--for", "0s", NULL), HF_EXIT_USAGE);
    char reason[HF_HOLD_REASON_MAX + 1] = "";
    memset(reason, 'r', HF_HOLD_REASON_MAX);
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--reason", reason, NULL), HF_EXIT_USAGE);
    ck_assert_ptr_nonnull(strstr(run.err, "--reason is longer than 127 bytes"));
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--reason", reason + 1, "--json", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "{\"active\":true,\"reason\":\"rrr"));
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--release", "--json", NULL), 0);
    ck_assert_str_eq(run.out, "{\"active\":false,\"reason\":\"\",\"until\":\"\"}\n");
    /* No agent ever worked there: 'no hold' would be a guess, and a hold would be read by nobody. */
    static const char *const ways[][2] = {{NULL, NULL}, {"--json", NULL}, {"--reason", "x"}, {"--release", NULL}};
    for (size_t i = 0; i < HF_LEN(ways); i++) {
        ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%/nothing", ways[i][0], ways[i][1], NULL), HF_EXIT_FAILED);
        ck_assert_str_eq(run.out, "");
        ck_assert_ptr_nonnull(strstr(run.err, "/nothing' does not exist"));
    }
    ck_assert_int_ne(access(cli_path(&run, "hold"), F_OK), 0);
    cli_write_text(&run, "hold", "not JSON");
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", NULL), 0);
    ck_assert_str_eq(run.out, "held: the hold file cannot be read\n");
    cli_write_text(&run, "hold", "{\"reason\": \"a\\u202eb\\u0085c\"}");
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, ": a?b?c\n"));
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", "--json", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "a?b?c"));
    char large[5000];
    memset(large, ' ', sizeof(large));
    cli_write(&run, "hold", large, sizeof(large));
    ck_assert_int_eq(cli(&run, "hold", "--state-dir", "%", NULL), 0);
    ck_assert_str_eq(run.out, "held: the hold file cannot be read\n");
}
END_TEST

START_TEST(hold_without_the_rights)
{
    static const char *const ways[][2] = {{NULL, NULL}, {"--reason", "x"}, {"--release", NULL}};

    for (size_t i = 0; i < HF_LEN(ways); i++)
        for (int inside = 0; inside < 2; inside++) { /* the folder itself, and one within it */
            cli_close_folder(&run, true);
            int code = cli(&run, "hold", "--state-dir", inside != 0 ? "%/state" : "%", ways[i][0], ways[i][1], NULL);
            cli_close_folder(&run, false);
            ck_assert_int_eq(code, HF_EXIT_FAILED);
            ck_assert_msg(strstr(run.err, i == 0 ? ": only root may read the hold in" : ": only root may change the") !=
                              NULL,
                          "%s", run.err);
        }
}
END_TEST

/* ---- a guard ----------------------------------------------------------------------------------------------------- */

static void die_half_way(int signal_number)
{
    struct hf_cli_guard guard;

    if (hf_cli_guard_begin(hf_fs_posix(), cli_path(&run, "half"), &guard, NULL) < 0 ||
        mkdir(cli_path(&run, "half"), 0755) < 0)
        _exit(1);
    cli_write_text(&run, "half/file", "x");
    if (signal_number == 0) {
        hf_cli_guard_end(&guard);
        _exit(0);
    }
    (void)signal(signal_number, SIG_DFL); /* the test program has its own */
    (void)kill(getpid(), signal_number);
    for (;;)
        (void)pause();
}

START_TEST(a_guard)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGKILL, 0};
    int ended = 0, pid = fork();

    if (pid == 0)
        die_half_way(signals[_i]);
    ck_assert_int_eq(waitpid(pid, &ended, 0), pid);
    ck_assert_int_eq(WIFSIGNALED(ended) ? WTERMSIG(ended) : 0, signals[_i]);
    for (int i = 0; i < 1000 && signals[_i] != 0 && access(cli_path(&run, "half"), F_OK) == 0; i++)
        (void)usleep(10000);
    ck_assert_int_eq(access(cli_path(&run, "half"), F_OK) == 0, signals[_i] == 0);
}
END_TEST

/* ---- parts ------------------------------------------------------------------------------------------------------- */

START_TEST(durations_and_sizes)
{
    char text[HF_CLI_BYTES_TEXT];
    uint64_t ns = 0;

    ck_assert_int_eq(hf_cli_duration("x", "90d", &ns, NULL), 0);
    ck_assert_uint_eq(ns, 90ull * 24 * 3600 * HF_NS_PER_S);
    ck_assert_int_eq(hf_cli_duration("x", "1h30m", &ns, NULL), 0);
    ck_assert_uint_eq(ns, 5400 * HF_NS_PER_S);
    ck_assert_int_eq(hf_cli_duration("x", "d", &ns, NULL), -EINVAL);
    ck_assert_int_eq(hf_cli_duration("x", "-1d", &ns, NULL), -EINVAL);
    ck_assert_int_eq(hf_cli_duration("x", "999999d", &ns, NULL), -EINVAL);
    ck_assert_str_eq(hf_cli_bytes(0, text), "0 B");
    ck_assert_str_eq(hf_cli_bytes(999, text), "999 B");
    ck_assert_str_eq(hf_cli_bytes(1000, text), "1.0 kB");
    ck_assert_str_eq(hf_cli_bytes(23811, text), "23.8 kB");
    ck_assert_str_eq(hf_cli_bytes(999999, text), "1.0 MB");
    ck_assert_str_eq(hf_cli_bytes(48210944, text), "48.2 MB");
    ck_assert_str_eq(hf_cli_bytes(123456789012, text), "123 GB");
    ck_assert_str_eq(hf_cli_bytes(UINT64_MAX, text), "18446744 TB");
}
END_TEST

/* A release that no node starts is an error, with the way out. */
START_TEST(lint_refuses_releases_of_earlier_versions)
{
    static const char head[] = "apiVersion: edge.codcompass.io/v1alpha1\nkind: EdgeUpdate\nmetadata: {name: e}\nspec:\n"
                               "  release:\n    name: e\n    version: '1'\n    sequence: 1\n"
                               "    install: {path: /opt/e/x}\n    artifacts: [{arch: amd64, url: 'https://x/e";
    static const char tail[] =
        "', sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, size: 5}]\n";
    static const struct {
        const char *suffix, *more, *place, *text;
    } rows[] = {{"", "", "spec.release: ", "expires is missing"},
                {".zst", "    expires: '2100-01-01T00:00:00Z'\n", "spec.release.artifacts: ", "has no download"},
                {"", "    allowDowngrade: true\n", "spec.release.allowDowngrade: ", "sign downgradeFrom"}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        _cleanup_(hf_freep) char *text = hf_asprintf("%s%s%s%s", head, rows[i].suffix, tail, rows[i].more);
        cli_write_text(&run, "old.yaml", text);
        ck_assert_int_eq(cli(&run, "lint", "%/old.yaml", NULL), HF_EXIT_REFUSED);
        ck_assert_msg(strstr(run.out, rows[i].place) != NULL && strstr(run.out, rows[i].text) != NULL, "%s", run.out);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, lint, 0, (int)HF_LEN(lints));
    tcase_add_loop_test(tc, lint_with_a_configuration, 0, 7);
    tcase_add_test(tc, policy_sign);
    tcase_add_test(tc, lint_counts);
    tcase_add_loop_test(tc, lint_as_flux_applies, 0, (int)HF_LEN(by_flux));
    tcase_add_test(tc, lint_hints_at_flux);
    tcase_add_test(tc, lint_for_programs);
    tcase_add_loop_test(tc, lint_of_a_set, 0, (int)HF_LEN(sets));
    tcase_add_test(tc, texts_of_files_are_plain);
    tcase_add_test(tc, lint_of_images_to_wait_for);
    tcase_add_test(tc, lint_advises);
    tcase_add_test(tc, lint_refuses_releases_of_earlier_versions);
    tcase_add_test(tc, hold);
    tcase_add_test(tc, hold_with_a_wrong_clock);
    tcase_add_test(tc, hold_with_another_boot_id);
    tcase_add_test(tc, hold_with_a_reason_like_help);
    tcase_add_test(tc, hold_that_is_wrong);
    tcase_add_test(tc, hold_without_the_rights);
    tcase_add_loop_test(tc, a_guard, 0, 4);
    tcase_add_test(tc, durations_and_sizes);
}
HF_TEST_MAIN("cli/local", cases)
