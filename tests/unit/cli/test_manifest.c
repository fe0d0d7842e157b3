/* SPDX-License-Identifier: Apache-2.0 */
/* manifest digest, render and sign: the digest that a node computes, the files that it would make, signatures that it accepts. */
#include <sys/stat.h>

#include "api/syncpolicy.h"
#include "cli/cli.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/cli_run.h"
#include "support/makers/tarball.h"
#include "trust/trust.h"

static struct cli_run run;
#define HEAD "apiVersion: edge.codcompass.io/v1alpha1\n"

static void set_up(void)
{
    cli_begin(&run);
}

static void tear_down(void)
{
    cli_end(&run);
}

static void site(void)
{
    struct hf_buf tar = HF_BUF_INIT(1 << 16), gz = HF_BUF_INIT(1 << 16);
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/site", run.folder);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    cli_write_text(&run, "site/a.conf", "node ${HOLDFAST_NODE} in ${HOLDFAST_LABEL_ZONE:=nowhere}\n");
    (void)snprintf(path, sizeof(path), "%s/site/a.conf", run.folder);
    ck_assert_int_eq(chmod(path, 0644), 0);
    hf_tarball_file(&tar, "a.conf", "node ${HOLDFAST_NODE} in ${HOLDFAST_LABEL_ZONE:=nowhere}\n");
    hf_tarball_end(&tar);
    hf_tarball_gzip(&tar, &gz);
    cli_write(&run, "site.tar.gz", gz.p, gz.n);
    hf_buf_done(&tar);
    hf_buf_done(&gz);
    cli_write_text(&run, "p.yaml",
                   HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec:\n  manifests:\n"
                        "  - {name: conf, from: {path: /media/site}, to: Files, path: /etc/app/, substitute: {}}\n"
                        "  - {name: plain, from: {path: /media/site}, to: Files, path: /etc/b/}\n");
}

static void put_mode(const char *name, mode_t mode)
{
    ck_assert_int_eq(chmod(cli_path(&run, name), mode), 0);
}

START_TEST(digest)
{
    char first[100];

    site();
    ck_assert_msg(cli(&run, "manifest", "digest", "%/site", NULL) == 0, "%s", run.err);
    ck_assert_msg(strncmp(run.out, "sha256:", 7) == 0 && strlen(run.out) == 72, "%s", run.out);
    (void)snprintf(first, sizeof(first), "%.90s", run.out);
    ck_assert_int_eq(cli(&run, "manifest", "digest", "%/site.tar.gz", NULL), 0);
    ck_assert_str_eq(run.out, first); /* the same files with the same modes, from whatever source */
    ck_assert_int_eq(cli(&run, "manifest", "digest", "--no-modes", "%/site", NULL), 0);
    ck_assert_str_ne(run.out, first);
    ck_assert_int_eq(cli(&run, "manifest", "digest", "--json", "%/site", NULL), 0);
    ck_assert_msg(strstr(run.out, "\"files\":1") != NULL, "%s", run.out);
    ck_assert_int_eq(cli(&run, "manifest", "digest", "%/none", NULL), HF_EXIT_FAILED);
    ck_assert_int_eq(cli(&run, "manifest", "digest", "--sub-path", "none", "%/site", NULL), HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "SourceEmpty") != NULL, "%s", run.err);
    cli_write_text(&run, "bad.tgz", "<html>");
    ck_assert_int_eq(cli(&run, "manifest", "digest", "%/bad.tgz", NULL), HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "SourceInvalid") != NULL, "%s", run.err);
}
END_TEST

/* A file for people to look at: a terminal gets nothing on which it acts, a pipe each byte. */
START_TEST(render_on_a_terminal)
{
    static const char evil[] = "a\tb\n\x1b]0;x\x07\xc2\x9b[31m\xe2\x80\xae"
                               "c\r\n";

    site();
    cli_write_text(&run, "site/a.conf", evil);
    run.terminal = true;
    ck_assert_int_eq(
        cli(&run, "manifest", "render", "-f", "%/p.yaml", "--entry", "plain", "--node", "n", "%/site", NULL), 0);
    ck_assert_msg(strstr(run.out, "<==\na\tb\n?]0;x??[31m?c?\n") != NULL, "%s", run.out);
    run.terminal = false;
    ck_assert_int_eq(
        cli(&run, "manifest", "render", "-f", "%/p.yaml", "--entry", "plain", "--node", "n", "%/site", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, evil));
}
END_TEST

START_TEST(render)
{
    site();
    ck_assert_msg(cli(&run, "manifest", "render", "-f", "%/p.yaml", "--entry", "conf", "--node", "edge-7", "--label",
                      "topology.kubernetes.io/zone=oslo", "%/site", NULL) == 0,
                  "%s", run.err);
    ck_assert_str_eq(run.out, "==> a.conf (0644, 20 bytes) <==\nnode edge-7 in oslo\n");
    ck_assert_int_eq(
        cli(&run, "manifest", "render", "-f", "%/p.yaml", "--entry", "conf", "--node", "n", "%/site.tar.gz", NULL), 0);
    ck_assert_msg(strstr(run.out, "node n in nowhere\n") != NULL, "%s", run.out);
    ck_assert_int_eq(
        cli(&run, "manifest", "render", "-f", "%/p.yaml", "--entry", "plain", "--node", "n", "%/site", NULL), 0);
    ck_assert_msg(strstr(run.out, "${HOLDFAST_NODE}") != NULL, "%s", run.out);
    ck_assert_int_eq(
        cli(&run, "manifest", "render", "-f", "%/p.yaml", "--entry", "none", "--node", "n", "%/site", NULL),
        HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "manifest", "render", "-f", "%/p.yaml", "--entry", "conf", "--node", "n", "--label", "x",
                         "%/site", NULL),
                     HF_EXIT_USAGE);
    cli_write_text(&run, "site/a.conf", "${NONE}");
    ck_assert_int_eq(
        cli(&run, "manifest", "render", "-f", "%/p.yaml", "--entry", "conf", "--node", "n", "%/site", NULL),
        HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "a.conf:1: variable 'NONE' is not defined") != NULL, "%s", run.err);
}
END_TEST

/* Writes a file of the content, with its mode, and adds it to the archive with another one. */
static void add_file(struct hf_buf *tar, const char *name, const char *text, mode_t mode, const char *tar_mode)
{
    size_t at = tar->n;
    unsigned sum = 0;

    cli_write_text(&run, name, text);
    put_mode(name, mode);
    hf_tarball_file(tar, name + strlen("site/"), text);
    memcpy(tar->p + at + 100, tar_mode, 8);
    memset(tar->p + at + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += (unsigned char)tar->p[at + i];
    char digits[8];
    (void)snprintf(digits, sizeof(digits), "%06o", sum & 0777777u);
    memcpy(tar->p + at + 148, digits, 7);
}

/* A checkout, and the artifact that Flux's source-controller makes of it. */
static void flux_site(void)
{
    struct hf_buf tar = HF_BUF_INIT(1 << 16), gz = HF_BUF_INIT(1 << 16);

    ck_assert_int_eq(mkdir(cli_path(&run, "site"), 0755), 0);
    add_file(&tar, "site/a.conf", "a\n", 0664, "0000600");
    add_file(&tar, "site/run", "#!/bin/sh\n", 0775, "0000700");
    add_file(&tar, "site/odd", "#!/bin/sh\n", 0655, "0000700"); /* not executable for its owner */
    hf_tarball_end(&tar);
    hf_tarball_gzip(&tar, &gz);
    cli_write(&run, "artifact.tar.gz", gz.p, gz.n);
    hf_buf_done(&tar);
    hf_buf_done(&gz);
    cli_write_text(&run, "f.yaml",
                   HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec:\n  manifests:\n"
                        "  - name: conf\n    from: {fluxSource: {kind: GitRepository, namespace: f, name: g}}\n"
                        "    to: Files\n    path: /etc/app/\n");
}

/* A node knows the modes of the artifact only, so the digest of a checkout counts with those. */
START_TEST(digest_of_flux)
{
    char artifact[100], folder[100];

    flux_site();
    ck_assert_msg(cli(&run, "manifest", "digest", "%/artifact.tar.gz", NULL) == 0, "%s", run.err);
    (void)snprintf(artifact, sizeof(artifact), "%.90s", run.out);
    ck_assert_int_eq(cli(&run, "manifest", "digest", "%/site", NULL), 0);
    (void)snprintf(folder, sizeof(folder), "%.90s", run.out);
    ck_assert_str_ne(folder, artifact);
    ck_assert_msg(cli(&run, "manifest", "digest", "--flux", "%/site", NULL) == 0, "%s", run.err);
    ck_assert_str_eq(run.out, artifact);
    ck_assert_int_eq(cli(&run, "manifest", "digest", "--flux", "%/artifact.tar.gz", NULL), 0);
    ck_assert_str_eq(run.out, artifact); /* an archive is the artifact itself */
    ck_assert_int_eq(cli(&run, "manifest", "digest", "--flux", "--no-modes", "%/site", NULL), HF_EXIT_USAGE);
    ck_assert_msg(strstr(run.err, "--flux") != NULL, "%s", run.err);
}
END_TEST

START_TEST(sign_for_flux)
{
    char pinned[100];
    size_t n = 0;

    flux_site();
    ck_assert_int_eq(cli(&run, "key", "generate", "%/site-key", NULL), 0);
    ck_assert_int_eq(cli(&run, "manifest", "digest", "%/artifact.tar.gz", NULL), 0);
    (void)snprintf(pinned, sizeof(pinned), "%.71s", run.out);
    ck_assert_msg(cli(&run, "manifest", "sign", "%/f.yaml", "--entry", "conf", "--sequence", "1", "--content", "%/site",
                      "--key", "%/site-key.key", NULL) == 0,
                  "%s", run.err);
    _cleanup_(hf_freep) char *signed_text = cli_read(&run, "f.yaml", &n);
    ck_assert_msg(strstr(signed_text, pinned) != NULL, "%s is not in %s", pinned, signed_text);
    ck_assert_msg(cli(&run, "manifest", "render", "-f", "%/f.yaml", "--entry", "conf", "--node", "n", "%/site", NULL) ==
                      0,
                  "%s", run.err);
    ck_assert_msg(strstr(run.out, "==> run (0755, 10 bytes) <==") != NULL, "%s", run.out);
    ck_assert_int_eq(
        cli(&run, "manifest", "render", "-f", "%/f.yaml", "--entry", "conf", "--node", "n", "%/artifact.tar.gz", NULL),
        0);
}
END_TEST

START_TEST(sub_path)
{
    static const char *const wrong[] = {"../x", "/sub", "a/../b", "a//b", "./a", "a/", ""};
    char first[100];

    site();
    for (size_t i = 0; i < HF_LEN(wrong); i++) {
        ck_assert_msg(cli(&run, "manifest", "digest", "--sub-path", wrong[i], "%/site", NULL) == HF_EXIT_USAGE, "%s",
                      wrong[i]);
        ck_assert_msg(strstr(run.err, "--sub-path") != NULL && strstr(run.err, "relative path") != NULL, "%s", run.err);
    }
    ck_assert_int_eq(cli(&run, "manifest", "digest", "%/site", NULL), 0);
    (void)snprintf(first, sizeof(first), "%.90s", run.out);
    ck_assert_int_eq(cli(&run, "manifest", "digest", "--sub-path", "a.conf", "%/site", NULL), 0);
    ck_assert_str_eq(run.out, first); /* one file under its own name */
}
END_TEST

/* "-" is an archive on standard input. */
START_TEST(from_standard_input)
{
    char first[100];

    site();
    ck_assert_int_eq(cli(&run, "manifest", "digest", "%/site", NULL), 0);
    (void)snprintf(first, sizeof(first), "%.90s", run.out);
    ck_assert_msg(cli_with_input(&run, "site.tar.gz", "manifest", "digest", "-", NULL) == 0, "%s", run.err);
    ck_assert_str_eq(run.out, first);
    ck_assert_msg(cli_with_input(&run, "site.tar.gz", "manifest", "render", "-f", "%/p.yaml", "--entry", "conf",
                                 "--node", "edge-7", "-", NULL) == 0,
                  "%s", run.err);
    ck_assert_str_eq(run.out, "==> a.conf (0644, 23 bytes) <==\nnode edge-7 in nowhere\n");
    ck_assert_int_eq(cli_with_input(&run, "p.yaml", "manifest", "digest", "-", NULL), HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "SourceInvalid") != NULL, "%s", run.err);
    ck_assert_int_eq(
        cli_with_input(&run, "p.yaml", "manifest", "render", "-f", "-", "--entry", "conf", "--node", "n", "-", NULL),
        HF_EXIT_USAGE);
    ck_assert_msg(strstr(run.err, "standard input") != NULL, "%s", run.err);
    ck_assert_int_eq(cli_with_input(&run, "p.yaml", "manifest", "sign", "-", "--entry", "conf", "--content", "-",
                                    "--key", "k", NULL),
                     HF_EXIT_USAGE);
    ck_assert_msg(strstr(run.err, "standard input") != NULL, "%s", run.err);
}
END_TEST

static int render_to(const char *to, const char *text)
{
    char policy[400];

    (void)snprintf(policy, sizeof(policy),
                   HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec:\n  manifests:\n"
                        "  - {name: pods, from: {path: /media/site}, %s, substitute: {}}\n",
                   to);
    cli_write_text(&run, "to.yaml", policy);
    cli_write_text(&run, "site/a.yaml", text);
    put_mode("site/a.yaml", 0644);
    return cli(&run, "manifest", "render", "-f", "%/to.yaml", "--entry", "pods", "--node", "edge-7", "%/site", NULL);
}

#define POD(name) "apiVersion: v1\nkind: Pod\nmetadata: {name: " name ", namespace: site}\n"

/* The kubelet's files: one for each document, under the names that the agent gives them. */
START_TEST(render_static_pods)
{
    ck_assert_int_eq(mkdir(cli_path(&run, "site"), 0755), 0);
    ck_assert_msg(render_to("to: StaticPods", "# for ${HOLDFAST_NODE}\n---\n" POD("web") "---\n" POD("db")) == 0, "%s",
                  run.err);
    ck_assert_str_eq(run.out, "==> pods_site_db.yaml (0600, 67 bytes) <==\n---\n" POD(
                                  "db") "\n==> pods_site_web.yaml (0600, 68 bytes) <==\n---\n" POD("web"));
    ck_assert_int_eq(render_to("to: StaticPods", "apiVersion: v1\nkind: Foo\nmetadata: {name: a}\n"), HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "NotManifests: file 'a.yaml', document 1: it is a Foo") != NULL, "%s", run.err);
    ck_assert_int_eq(render_to("to: StaticPods", POD("web") "---\n" POD("web")), HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "an earlier document has the Pod site/web") != NULL, "%s", run.err);
    ck_assert_str_eq(run.out, "");
}
END_TEST

START_TEST(render_files)
{
    ck_assert_int_eq(mkdir(cli_path(&run, "site"), 0755), 0);
    ck_assert_msg(render_to("to: Files, path: /etc/app.conf, fileMode: '0640'", "x\n") == 0, "%s", run.err);
    ck_assert_str_eq(run.out, "==> app.conf (0640, 2 bytes) <==\nx\n"); /* the target is one file */
    cli_write_text(&run, "site/.holdfast-x", "y\n");
    ck_assert_int_eq(render_to("to: Files, path: /etc/app/", "x\n"), HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "SourceInvalid: file '.holdfast-x'") != NULL, "%s", run.err);
}
END_TEST

/* The objects as the agent sends them, in its order. */
START_TEST(render_cluster)
{
    static const char objects[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: site, uid: u}\n"
                                  "data: {node: '${HOLDFAST_NODE}'}\n---\n"
                                  "apiVersion: v1\nkind: Namespace\nmetadata: {name: site}\nstatus: {phase: x}\n";

    ck_assert_int_eq(mkdir(cli_path(&run, "site"), 0755), 0);
    cli_write_text(&run, "site/README", "no object");
    ck_assert_msg(render_to("to: Cluster", objects) == 0, "%s", run.err);
    ck_assert_str_eq(run.out, "--- # Namespace site, from a.yaml\napiVersion: v1\nkind: Namespace\nmetadata:\n"
                              "  name: site\n  labels:\n    edge.codcompass.io/manifest: pods\n"
                              "--- # ConfigMap site/c, from a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n"
                              "  name: c\n  namespace: site\n  labels:\n    edge.codcompass.io/manifest: pods\n"
                              "data:\n  node: edge-7\n");
    ck_assert_int_eq(render_to("to: Cluster", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"),
                     HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "NotManifests: ") != NULL && strstr(run.err, "kustomize build") != NULL, "%s",
                  run.err);
    ck_assert_int_eq(render_to("to: Cluster", "# nothing\n"), HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "SourceEmpty: ") != NULL || strstr(run.err, "NotManifests: ") != NULL, "%s", run.err);
}
END_TEST

START_TEST(render_refuses_a_secret_with_variables)
{
    site();
    cli_write_text(&run, "s.yaml",
                   HEAD "kind: SyncPolicy\nmetadata: {name: x}\nspec:\n  manifests:\n"
                        "  - {name: login, from: {secret: {namespace: a, name: b}}, to: Files, path: /run/a/, "
                        "substitute: {}}\n");
    ck_assert_int_eq(
        cli(&run, "manifest", "render", "-f", "%/s.yaml", "--entry", "login", "--node", "n", "%/site", NULL),
        HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "Unsupported: ") != NULL && strstr(run.err, "leave out substitute") != NULL, "%s",
                  run.err);
    ck_assert_str_eq(run.out, "");
}
END_TEST

/* What the command signs, a node accepts; and only that. */
static enum hf_trust_verdict verdict(void)
{
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *policy = NULL;
    _cleanup_(hf_json_freep) json_t *json = NULL;
    _cleanup_(hf_freep) struct hf_issues *issues = calloc(1, sizeof(*issues));
    enum hf_trust_verdict got = HF_TRUST_COUNT;
    char path[300];
    struct hf_buf text = HF_BUF_INIT(1 << 16);

    (void)snprintf(path, sizeof(path), "%s/p.yaml", run.folder);
    ck_assert_int_eq(hf_file_read(hf_fs_posix(), path, &text, NULL), 0);
    ck_assert_int_eq(hf_yaml_parse(hf_buf_view(&text), NULL, &json, NULL), 0);
    hf_buf_done(&text);
    ck_assert_int_eq(hf_syncpolicy_decode(json, &policy, issues), 0);
    (void)snprintf(path, sizeof(path), "%s/trust", run.folder);
    ck_assert_int_eq(hf_trust_check_manifest(hf_fs_posix(), path, &policy->manifests[0], &got, NULL), 0);
    return got;
}

START_TEST(sign)
{
    char path[300];

    site();
    (void)snprintf(path, sizeof(path), "%s/trust", run.folder);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    ck_assert_int_eq(cli(&run, "key", "generate", "%/site-key", "--public", "%/trust/site-key.pem", NULL), 0);
    ck_assert_int_eq(verdict(), HF_TRUST_UNSIGNED);
    ck_assert_int_eq(cli(&run, "manifest", "sign", "%/p.yaml", "--entry", "conf", "--key", "%/site-key.key", NULL),
                     HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "--sequence N") != NULL, "%s", run.err);
    ck_assert_int_eq(cli(&run, "manifest", "sign", "%/p.yaml", "--entry", "conf", "--sequence", "4", "--key",
                         "%/site-key.key", NULL),
                     HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "--content PATH") != NULL, "%s", run.err);
    ck_assert_int_eq(cli(&run, "manifest", "sign", "%/p.yaml", "--entry", "none", "--key", "%/site-key.key", NULL),
                     HF_EXIT_USAGE);
    ck_assert_msg(cli(&run, "manifest", "sign", "%/p.yaml", "--entry", "conf", "--sequence", "4", "--content", "%/site",
                      "--key", "%/site-key.key", NULL) == 0,
                  "%s", run.err);
    ck_assert_str_eq(run.out, "signed by site-key\n");
    ck_assert_int_eq(verdict(), HF_TRUST_OK);
    /* The content fits what the signature pins; another content does not. */
    ck_assert_int_eq(
        cli(&run, "manifest", "render", "-f", "%/p.yaml", "--entry", "conf", "--node", "n", "%/site", NULL), 0);
    cli_write_text(&run, "site/a.conf", "other");
    ck_assert_int_eq(
        cli(&run, "manifest", "render", "-f", "%/p.yaml", "--entry", "conf", "--node", "n", "%/site", NULL),
        HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "DigestMismatch") != NULL, "%s", run.err);
    /* The policy's own signature covers the entries. */
    ck_assert_int_eq(cli(&run, "policy", "sign", "%/p.yaml", "--sequence", "1", "--key", "%/site-key.key", NULL), 0);
    ck_assert_int_eq(verdict(), HF_TRUST_OK);
    ck_assert_int_eq(cli(&run, "manifest", "sign", "%/p.yaml", "--entry", "conf", "--sequence", "5", "--key",
                         "%/site-key.key", NULL),
                     0);
    ck_assert_msg(strstr(run.err, "removed the signatures of the policy") != NULL, "%s", run.err);
    ck_assert_int_eq(verdict(), HF_TRUST_OK);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, digest);
    tcase_add_test(tc, render);
    tcase_add_test(tc, render_on_a_terminal);
    tcase_add_test(tc, sign);
    tcase_add_test(tc, digest_of_flux);
    tcase_add_test(tc, sign_for_flux);
    tcase_add_test(tc, sub_path);
    tcase_add_test(tc, from_standard_input);
    tcase_add_test(tc, render_static_pods);
    tcase_add_test(tc, render_files);
    tcase_add_test(tc, render_cluster);
    tcase_add_test(tc, render_refuses_a_secret_with_variables);
}
HF_TEST_MAIN("cli/manifest", cases)
