/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and releases from the operator's side: made, signed, verified, and refused when something is not as it was. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/parts.h"
#include "codec/sha256.h"
#include "support/check_main.h"
#include "support/cli_run.h"
#include "support/makers/packs.h"

enum { PROGRAM_BYTES = 200000 };

static struct cli_run run;

/* Something like a program: does not compress well, and `change` moves a little of it. */
static void write_program(const char *name, unsigned change)
{
    _cleanup_(hf_freep) unsigned char *bytes = malloc(PROGRAM_BYTES);
    uint32_t seed = 12345;

    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < PROGRAM_BYTES; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (unsigned char)(seed >> 24);
    }
    for (size_t i = 0; i < 500; i++)
        bytes[100000 + i] = (unsigned char)(bytes[100000 + i] + change);
    cli_write(&run, name, bytes, PROGRAM_BYTES);
}

static void setup(void)
{
    cli_begin(&run);
    ck_assert_int_eq(mkdir(cli_path(&run, "trust"), 0755), 0);
    write_program("v1", 0);
    write_program("v2", 1);
    ck_assert_int_eq(cli(&run, "key", "generate", "%/a", "--public", "%/trust/a.pem", NULL), 0);
    ck_assert_int_eq(cli(&run, "key", "generate", "%/b", NULL), 0);
}

static void teardown(void)
{
    cli_end(&run);
}

/* A release of v2 from v1 into %/out, signed by a; with more options. */
static int create(const char *option, const char *value)
{
    return cli(&run, "release", "create", "--everywhere", "--name", "edge", "--version", "1.2", "--sequence", "7",
               "--path", "/opt/edge/bin", "--artifact", "amd64=%/v2,old=%/v1", "--url-base", "https://x.example/r/",
               "--key", "%/a.key", "--key-id", "a", "--health-http", "http://127.0.0.1:8080/healthz", "--out", "%/out",
               option, value, NULL);
}

static int verify(void)
{
    return cli(&run, "release", "verify", "%/out/edge-1.2.yaml", "--trust-dir", "%/trust", "--artifacts", "%/out",
               NULL);
}

/* Replace `from` once in a file; both of one length. */
static void edit(const char *name, const char *from, const char *to)
{
    size_t n = 0;
    _cleanup_(hf_freep) char *text = cli_read(&run, name, &n);

    ck_assert_ptr_nonnull(text);
    char *place = strstr(text, from);
    ck_assert_msg(place != NULL, "'%s' is not in %s", from, name);
    ck_assert_uint_eq(strlen(from), strlen(to));
    memcpy(place, to, strlen(to));
    cli_write(&run, name, text, n);
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

START_TEST(keys)
{
    struct stat st;

    ck_assert_int_eq(stat(cli_path(&run, "b.key"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(stat(cli_path(&run, "b.pem"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0644);
    _cleanup_(hf_freep) char *public_pem = cli_read(&run, "b.pem", NULL);
    ck_assert_ptr_nonnull(strstr(public_pem, "BEGIN PUBLIC KEY"));
    ck_assert_int_eq(cli(&run, "key", "public", "%/b.key", NULL), 0);
    ck_assert_str_eq(run.out, public_pem);
    ck_assert_int_eq(cli(&run, "key", "public", "%/b", NULL), 0); /* the private half of the pair of that name */
    ck_assert_str_eq(run.out, public_pem);
    ck_assert_int_eq(cli_with_input(&run, "b.key", "key", "public", "-", NULL), 0);
    ck_assert_str_eq(run.out, public_pem);
    ck_assert_int_eq(cli(&run, "key", "public", "%/nothing.key", NULL), HF_EXIT_FAILED);
}
END_TEST

/* What was made, and what to do with it, as commands that work when they are typed. */
START_TEST(keys_are_told)
{
    ck_assert_int_eq(cli(&run, "key", "generate", "%/release-2026.key", NULL), 0);
    ck_assert_int_eq(access(cli_path(&run, "release-2026.key"), F_OK), 0);
    ck_assert_int_eq(access(cli_path(&run, "release-2026.pem"), F_OK), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "release-2026.key: private key"));
    ck_assert_ptr_nonnull(strstr(run.out, "release-2026.pem: public key, key id release-2026\n"));
    ck_assert_ptr_nonnull(strstr(run.out, "release-2026.pem /etc/holdfast/trust.d/release-2026.pem\n"));
    ck_assert_int_eq(cli(&run, "key", "generate", "%/c", "--public", "%/trust/k.1.pem", "-o", "json", NULL), 0);
    _cleanup_(hf_json_freep) json_t *told = NULL;
    ck_assert_int_eq(hf_json_parse(hf_view_of(run.out), NULL, &told, NULL), 0);
    cli_page_knows_json(&run, "key generate");
    ck_assert_str_eq(hf_json_str_or(told, "keyId", ""), "k.1");
    ck_assert_str_eq(hf_json_str_or(told, "privateKey", ""), cli_path(&run, "c.key"));
    ck_assert_str_eq(hf_json_str_or(told, "publicKey", ""), cli_path(&run, "trust/k.1.pem"));
}
END_TEST

/* The public half must be called X.pem on a node: the private one must not. */
START_TEST(a_private_key_is_never_called_pem)
{
    ck_assert_int_eq(cli(&run, "key", "generate", "%/release-2026.pem", NULL), HF_EXIT_USAGE);
    ck_assert_ptr_nonnull(strstr(run.err, "is the name of a public key"));
    ck_assert_int_ne(access(cli_path(&run, "release-2026.pem"), F_OK), 0);
    ck_assert_int_eq(cli(&run, "key", "generate", "%/Release_2026", NULL), HF_EXIT_USAGE);
    ck_assert_ptr_nonnull(strstr(run.err, "is not a key id"));
    ck_assert_int_eq(cli(&run, "key", "generate", "-", NULL), HF_EXIT_USAGE);
    ck_assert_ptr_nonnull(strstr(run.err, "--public"));
}
END_TEST

START_TEST(keys_are_never_overwritten)
{
    _cleanup_(hf_freep) char *before = cli_read(&run, "a.key", NULL);

    ck_assert_int_eq(cli(&run, "key", "generate", "%/a", NULL), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(run.err, "exists already"));
    ck_assert_int_eq(cli(&run, "key", "generate", "%/c", "--public", "%/trust/a.pem", NULL), HF_EXIT_FAILED);
    ck_assert_int_ne(access(cli_path(&run, "c.key"), F_OK), 0);
    _cleanup_(hf_freep) char *after = cli_read(&run, "a.key", NULL);
    ck_assert_str_eq(before, after);
    ck_assert_int_eq(cli(&run, "key", "generate", "%/no/such/folder", NULL), HF_EXIT_FAILED);
    ck_assert_int_eq(cli(&run, "key", "generate", "%/c", "--public", "%/no/c.pem", NULL), HF_EXIT_FAILED);
    ck_assert_int_ne(access(cli_path(&run, "c.key"), F_OK), 0); /* no half of a pair */
}
END_TEST

/* Which file, and which half it holds. */
START_TEST(the_other_half_is_named)
{
    ck_assert_int_eq(cli(&run, "key", "public", "%/b.pem", NULL), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.err, "b.pem' holds a public key; expected the private half, '"));
    ck_assert_ptr_nonnull(strstr(run.err, "/b.key'"));
    ck_assert_int_eq(create(NULL, NULL), 0);
    ck_assert_int_eq(cli(&run, "release", "sign", "%/out/edge-1.2.yaml", "--key", "%/b.pem", NULL), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.err, "b.pem' holds a public key"));
    _cleanup_(hf_freep) char *private_pem = cli_read(&run, "a.key", NULL);
    cli_write_text(&run, "trust/a.pem", private_pem);
    ck_assert_int_eq(verify(), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.err, "trust/a.pem' holds a private key; a trust folder takes the public half"));
}
END_TEST

/* Pairs made before the private half was called NAME.key: X.pem and X.pub.pem. */
START_TEST(older_pairs_still_sign)
{
    _cleanup_(hf_freep) char *private_pem = cli_read(&run, "b.key", NULL), *public_pem = cli_read(&run, "b.pem", NULL);

    cli_write_text(&run, "old.pem", private_pem);
    cli_write_text(&run, "old.pub.pem", public_pem);
    ck_assert_int_eq(create(NULL, NULL), 0);
    ck_assert_int_eq(cli(&run, "release", "sign", "%/out/edge-1.2.yaml", "--key", "%/old.pem", NULL), 0);
    ck_assert_int_eq(cli(&run, "release", "verify", "%/out/edge-1.2.yaml", "--key", "%/old.pub.pem", NULL), 0);
    ck_assert_int_eq(cli(&run, "release", "verify", "%/out/edge-1.2.yaml", "--key", "%/old.pem", NULL), 0);
    ck_assert_int_eq(cli(&run, "key", "public", "%/old.pem", NULL), 0);
    ck_assert_str_eq(run.out, public_pem);
}
END_TEST

/* ---- create ------------------------------------------------------------------------------------------------------ */

START_TEST(made_and_taken)
{
    ck_assert_msg(create(NULL, NULL) == 0, "%s", run.err);
    ck_assert_ptr_nonnull(strstr(run.out, "signed by a"));
    ck_assert_msg(verify() == 0, "%s%s", run.out, run.err);
    ck_assert_int_eq(cli(&run, "lint", "%/out/edge-1.2.yaml", NULL), 0);
    _cleanup_(hf_freep) char *whole = cli_read(&run, "out/edge-1.2-amd64", NULL);
    ck_assert_ptr_nonnull(whole);
    ck_assert_int_eq(verify(), 0);
    ck_assert_int_eq(cli(&run, "release", "verify", "%/out/edge-1.2.yaml", "--trust-dir", "%/trust", "--json", NULL),
                     0);
    ck_assert_ptr_nonnull(strstr(run.out, "\"ok\":true"));
    cli_page_knows_json(&run, "release verify");
}
END_TEST

START_TEST(compressed)
{
    struct stat st;

    ck_assert_msg(create("--zst", NULL) == 0, "%s", run.err);
    ck_assert_int_eq(stat(cli_path(&run, "out/edge-1.2-amd64.zst"), &st), 0);
    ck_assert_msg(verify() == 0, "%s%s", run.out, run.err);
}
END_TEST

START_TEST(the_report_for_programs)
{
    _cleanup_(hf_json_freep) json_t *report = NULL;

    ck_assert_int_eq(create("--json", NULL), 0);
    cli_page_knows_json(&run, "release create");
    ck_assert_int_eq(hf_json_parse(hf_view_of(run.out), NULL, &report, NULL), 0);
    const json_t *artifact = json_array_get(hf_json_at(report, "artifacts"), 0);
    ck_assert_int_eq(hf_json_int_or(artifact, "bytes", 0), PROGRAM_BYTES);
    const json_t *delta = json_array_get(hf_json_at(artifact, "deltas"), 0);
    int64_t bytes = hf_json_int_or(delta, "bytes", 0);
    ck_assert_msg(bytes > 0 && bytes < PROGRAM_BYTES / 20, "%lld", (long long)bytes);
}
END_TEST

START_TEST(deltas_that_save_nothing_are_left_out)
{
    unsigned char noise[3000];
    uint64_t seed = 88172645463325252;

    for (size_t i = 0; i < sizeof(noise); i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        noise[i] = (unsigned char)seed;
    }
    cli_write(&run, "noise", noise, sizeof(noise));
    ck_assert_msg(cli(&run, "release", "create", "--everywhere", "--name", "edge", "--version", "1.2", "--sequence",
                      "7", "--path", "/opt/edge/bin", "--artifact", "amd64=%/noise,old=%/v1,old=%/noise", "--artifact",
                      "arm64=%/v2,old=%/v1,old=%/v1", "--url-base", "https://x.example/r/", "--out", "%/out",
                      NULL) == 0,
                  "%s", run.err);
    ck_assert_ptr_nonnull(strstr(run.err, "not signed"));
    ck_assert_ptr_nonnull(strstr(run.out, "the same as the new file"));
    ck_assert_ptr_nonnull(strstr(run.out, "the same as another old file"));
    ck_assert_ptr_nonnull(strstr(run.out, "larger than the whole file"));
    _cleanup_(hf_freep) char *text = cli_read(&run, "out/edge-1.2.yaml", NULL);
    ck_assert_ptr_nonnull(strstr(text, "deltas:"));
    ck_assert_ptr_null(strstr(strstr(text, "deltas:") + 1, "deltas:"));
}
END_TEST

/* v2 with much text behind it, of which `change` moves a little. */
static void write_longer(const char *name, unsigned change)
{
    _cleanup_(hf_buf_done) struct hf_buf bytes = HF_BUF_INIT(1 << 24);
    size_t n = 0;
    _cleanup_(hf_freep) char *program = cli_read(&run, "v2", &n);

    ck_assert_int_eq(hf_buf_add(&bytes, program, n), 0);
    packs_text(&bytes, 150000, 3, 0);
    for (size_t i = 0; i < 20; i++)
        bytes.p[1000 * i] = (char)(bytes.p[1000 * i] ^ (char)change);
    cli_write(&run, name, bytes.p, bytes.n);
}

/* The second release: v4, to nodes at v3 and, when it is given, v1. */
static const json_t *second_release(const char *artifact, const char *published, json_t **ret_object)
{
    _cleanup_(hf_freep) char *text = NULL;

    ck_assert_msg(cli(&run, "release", "create", "--everywhere", "--name", "edge", "--version", "2", "--sequence", "9",
                      "--path", "/opt/edge/bin", "--artifact", artifact, "--url-base", "https://x.example/r2", "--fast",
                      "--out", "%/out2", "--key", "%/a.key", "--key-id", "a", "--published", published, NULL) == 0,
                  "%s", run.err);
    ck_assert_int_eq(
        cli(&run, "release", "verify", "%/out2/edge-2.yaml", "--trust-dir", "%/trust", "--artifacts", "%/out2", NULL),
        0);
    ck_assert_int_eq(cli(&run, "lint", "%/out2/edge-2.yaml", NULL), 0);
    text = cli_read(&run, "out2/edge-2.yaml", NULL);
    ck_assert_int_eq(hf_yaml_parse(hf_view_of(text), NULL, ret_object, NULL), 0);
    return json_array_get(hf_json_at(*ret_object, "spec.release.artifacts"), 0);
}

static int create_upon(const char *published, const char *option, const char *value, const char *sequence)
{
    return cli(&run, "release", "create", "--everywhere", "--name", "edge", "--version", "2", "--sequence", sequence,
               "--path", "/opt/edge/bin", "--artifact", "amd64=%/v4,old=%/v3", "--url-base", "https://x.example/r2",
               "--fast", "--out", "%/out2", "--published", published, option, value, NULL);
}

/* What is listed with --published is signed again: its deltas, their URLs and hashes. */
START_TEST(published_must_be_signed)
{
    write_longer("v3", 0);
    write_longer("v4", 1);
    ck_assert_int_eq(cli(&run, "release", "create", "--everywhere", "--name", "edge", "--version", "1", "--sequence",
                         "8", "--path", "/opt/edge/bin", "--artifact", "amd64=%/v3,old=%/v1", "--url-base",
                         "https://x.example/r1", "--key", "%/a.key", "--out", "%/out1", NULL),
                     0);
    _cleanup_(hf_freep) char *text = cli_read(&run, "out1/edge-1.yaml", NULL);
    char *url = strstr(text, "https://x.example/r1");
    ck_assert_ptr_nonnull(url);
    memcpy(url, "https://evil.test/r1", strlen("https://evil.test/r1"));
    cli_write_text(&run, "forged.yaml", text);
    ck_assert_int_eq(create_upon("%/forged.yaml", "--key", "%/a.key", "9"), HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "forged.yaml' has no valid signature of --key") != NULL, "%s", run.err);
    ck_assert_int_eq(create_upon("%/out1/edge-1.yaml", "--zst", NULL, "9"), HF_EXIT_REFUSED);
    ck_assert_int_eq(create_upon("%/out1/edge-1.yaml", "--key", "%/a.key", "9007199254740991"), HF_EXIT_USAGE);
    ck_assert_msg(strstr(run.err, "--leap") != NULL, "%s", run.err);
    ck_assert_msg(create_upon("%/out1/edge-1.yaml", "--trusted", "%/trust/a.pem", "9") == 0, "%s", run.err);
}
END_TEST

/* Small deltas were published; now fast ones are made: two are shorter than one. */
START_TEST(several_deltas_are_shorter)
{
    _cleanup_(hf_json_freep) json_t *object = NULL;

    write_longer("v3", 0);
    write_longer("v4", 1);
    ck_assert_int_eq(cli(&run, "release", "create", "--everywhere", "--name", "edge", "--version", "1", "--sequence",
                         "8", "--path", "/opt/edge/bin", "--artifact", "amd64=%/v3,old=%/v1", "--url-base",
                         "https://x.example/r1", "--key", "%/a.key", "--out", "%/out1", NULL),
                     0);
    /* v1 is given in the first case; in the second nobody has it any more. */
    const json_t *artifact =
        second_release(_i == 0 ? "amd64=%/v4,old=%/v1,old=%/v3" : "amd64=%/v4,old=%/v3", "%/out1/edge-1.yaml", &object);
    ck_assert_uint_eq(json_array_size(hf_json_at(artifact, "deltas")), 1);
    ck_assert_uint_eq(json_array_size(hf_json_at(artifact, "steps")), 1);
    const json_t *step = json_array_get(hf_json_at(artifact, "steps"), 0);
    const json_t *delta = json_array_get(hf_json_at(artifact, "deltas"), 0);
    ck_assert_str_eq(hf_json_str_or(step, "to", ""), hf_json_str_or(delta, "from", "?"));
    ck_assert_ptr_nonnull(strstr(hf_json_str_or(step, "url", ""), "https://x.example/r1/"));
    ck_assert_int_eq(hf_json_int_or(step, "toSize", 0), PROGRAM_BYTES + 150000);
}
END_TEST

/* The same of folders: the step leads from archive to archive. */
START_TEST(several_deltas_are_shorter_for_folders_too)
{
    _cleanup_(hf_json_freep) json_t *object = NULL;
    size_t n = 0;
    _cleanup_(hf_freep) char *program = cli_read(&run, "v1", &n);

    ck_assert_int_eq(mkdir(cli_path(&run, "t1"), 0755), 0);
    ck_assert_int_eq(mkdir(cli_path(&run, "t3"), 0755), 0);
    ck_assert_int_eq(mkdir(cli_path(&run, "t4"), 0755), 0);
    cli_write(&run, "t1/app", program, n);
    write_longer("t3/app", 0);
    write_longer("t4/app", 1);
    ck_assert_int_eq(cli(&run, "release", "create", "--everywhere", "--name", "edge", "--version", "1", "--sequence",
                         "8", "--path", "/opt/edge/bin", "--artifact", "amd64=%/t3,old=%/t1", "--url-base",
                         "https://x.example/r1", "--key", "%/a.key", "--out", "%/out1", NULL),
                     0);
    const json_t *artifact = second_release("amd64=%/t4,old=%/t1,old=%/t3", "%/out1/edge-1.yaml", &object);
    ck_assert_str_eq(hf_json_str_or(object, "spec.release.install.kind", ""), "Tree");
    ck_assert_uint_eq(json_array_size(hf_json_at(artifact, "steps")), 1);
    const json_t *step = json_array_get(hf_json_at(artifact, "steps"), 0);
    ck_assert_str_eq(hf_json_str_or(step, "to", ""),
                     hf_json_str_or(json_array_get(hf_json_at(artifact, "deltas"), 0), "from", "?"));
    ck_assert_int_gt(hf_json_int_or(step, "toSize", 0), PROGRAM_BYTES + 150000);
}
END_TEST

/* A step that helps nobody is not listed; a release of something else does no harm. */
START_TEST(one_delta_is_shorter)
{
    _cleanup_(hf_json_freep) json_t *object = NULL;

    write_longer("v3", 0);
    write_longer("v4", 1);
    ck_assert_int_eq(create("--fast", NULL), 0); /* v1 to v2, which v4 has no delta from */
    const json_t *artifact = second_release("amd64=%/v4,old=%/v1,old=%/v3", "%/out/edge-1.2.yaml", &object);
    ck_assert_uint_eq(json_array_size(hf_json_at(artifact, "deltas")), 2);
    ck_assert_ptr_null(hf_json_at(artifact, "steps"));
}
END_TEST

START_TEST(every_option_reaches_the_object)
{
    static const char *const wanted[] = {
        "mode: \"0750\"",
        "- /bin/kick",
        "port: 99",
        "systemdUnitActive: a.service",
        "- /bin/look",
        "successThreshold: 2",
        "deadline: 1m30s",
        "downgradeFrom:\n    - 43\n    - 44\n",
        "hooks:\n      beforeSwap:\n        argv:\n        - /bin/dump\n        - all\n",
        "      beforeRollback:\n        argv:\n        - /bin/stop\n",
        "expires: \"2027-02-01T00:00:00Z\""};

    ck_assert_msg(cli(&run, "release", "create", "--everywhere", "--name", "edge", "--version", "1.2", "--sequence",
                      "7", "--path", "/opt/edge/bin", "--artifact", "amd64=%/v2", "--url-base", "https://x.example",
                      "--mode", "0750", "--restart-exec", "/bin/kick", "--restart-exec", "it", "--health-tcp", "99",
                      "--health-unit", "a.service", "--health-exec", "/bin/look", "--health-threshold", "2",
                      "--hook-before-swap", "/bin/dump", "--hook-before-swap", "all", "--hook-before-rollback",
                      "/bin/stop", "--health-deadline", "1m30s", "--downgrade-from", "43,44", "--expires",
                      "2027-02-01T00:00:00Z", "--fast", "-j1", "--out", "%/out", NULL) == 0,
                  "%s", run.err);
    _cleanup_(hf_freep) char *text = cli_read(&run, "out/edge-1.2.yaml", NULL);
    for (size_t i = 0; i < HF_LEN(wanted); i++)
        ck_assert_msg(strstr(text, wanted[i]) != NULL, "'%s' is not in\n%s", wanted[i], text);
}
END_TEST

START_TEST(templates)
{
    cli_write_text(&run, "template.yaml",
                   "apiVersion: edge.codcompass.io/v1alpha1\nkind: EdgeUpdate\nmetadata: {name: other}\nspec:\n"
                   "  bandwidthLimit: 256Ki\n  signatures: [{keyId: old, signature: AAAA}]\n  release:\n"
                   "    name: edge\n    install: {path: /opt/edge/bin}\n"
                   "    artifacts: [{arch: amd64, requires: {memory: 512Mi}}]\n"
                   "    health: {checks: [{tcp: {port: 5}}]}\nstatus: {wave: 3}\n");
    ck_assert_msg(cli(&run, "release", "create", "--everywhere", "--template", "%/template.yaml", "--version", "2",
                      "--sequence", "8", "--artifact", "amd64=%/v2", "--url-base", "https://x.example", "--key",
                      "%/a.key", "--key-id", "a", "--out", "%/out", NULL) == 0,
                  "%s", run.err);
    _cleanup_(hf_freep) char *text = cli_read(&run, "out/edge-2.yaml", NULL);
    ck_assert_ptr_nonnull(strstr(text, "memory: 512Mi"));
    ck_assert_ptr_nonnull(strstr(text, "bandwidthLimit: 256Ki"));
    ck_assert_ptr_nonnull(strstr(text, "port: 5"));
    ck_assert_ptr_null(strstr(text, "keyId: old"));
    ck_assert_ptr_null(strstr(text, "wave"));
}
END_TEST

START_TEST(folders_become_trees)
{
    ck_assert_int_eq(mkdir(cli_path(&run, "tree"), 0755), 0);
    cli_write_text(&run, "tree/file", "content");
    ck_assert_msg(cli(&run, "release", "create", "--everywhere", "--name", "edge", "--version", "1.2", "--sequence",
                      "7", "--path", "/opt/edge/current", "--artifact", "amd64=%/tree", "--url-base",
                      "https://x.example", "--key", "%/a.key", "--key-id", "a", "--out", "%/out", NULL) == 0,
                  "%s", run.err);
    ck_assert_msg(verify() == 0, "%s%s", run.out, run.err);
    _cleanup_(hf_freep) char *text = cli_read(&run, "out/edge-1.2.yaml", NULL);
    ck_assert_ptr_nonnull(strstr(text, "kind: Tree"));
    ck_assert_int_ne(access(cli_path(&run, "out/archive.tar"), F_OK), 0);
    ck_assert_int_eq(access(cli_path(&run, "out/edge-1.2-amd64.tar"), F_OK), 0);
}
END_TEST

static const struct {
    const char *option, *value;
    int want;
    const char *text;
} wrong[] = {
    {"--artifact", "%/v2", HF_EXIT_USAGE, "ARCH=NEW"},
    {"--artifact", "amd64=", HF_EXIT_USAGE, "no new file"},
    {"--artifact", "arm64=%/v2,%/v1", HF_EXIT_USAGE, "expected old=OLD"},
    {"--artifact", "arm64=%/nothing", HF_EXIT_FAILED, "No such file"},
    {"--artifact", "arm64=%/empty", HF_EXIT_REFUSED, "is empty"},
    {"--artifact", "arm64=%/trust", HF_EXIT_USAGE, "files and folders"},
    {"--artifact", "amd64=%/v2", HF_EXIT_REFUSED, "amd64"}, /* twice the same architecture */
    {"--artifact", "x86_64=%/v2", HF_EXIT_USAGE,
     "'x86_64' is not a value of the label kubernetes.io/arch (amd64?): amd64"},
    {"--artifact", "aarch64=%/v2", HF_EXIT_USAGE, "kubernetes.io/arch (arm64?): amd64"},
    {"--artifact", "armhf=%/v2", HF_EXIT_USAGE, "kubernetes.io/arch (arm?): amd64"},
    {"--artifact", "armv7l=%/v2", HF_EXIT_USAGE, "kubernetes.io/arch (arm?): amd64"},
    {"--artifact", "made-up=%/v2", HF_EXIT_USAGE, "'made-up' is not a value of the label kubernetes.io/arch"},
    {"--artifact", "x86_64=%/v2", HF_EXIT_USAGE, ": amd64 arm64 arm 386"},
    {"--expires", "2020-01-01T00:00:00Z", HF_EXIT_USAGE, "2020-01-01T00:00:00Z is in the past"},
    {"--expires", "0s", HF_EXIT_USAGE, "is in the past"},
    {"--update-root", "/srv", HF_EXIT_USAGE, "not below an update root of the nodes (/srv)"},
    {"--update-root", "srv", HF_EXIT_USAGE, "not an absolute path"},
    {"--no-health-check", NULL, HF_EXIT_USAGE, "the release has health checks"},
    {"--node-selector", "a=b", HF_EXIT_USAGE, "exclude each other"},
    {"--expires", "soon", HF_EXIT_USAGE, "neither a duration"},
    {"--downgrade-from", "3,x", HF_EXIT_USAGE, "is not a list of sequences"},
    {"--downgrade-from", "", HF_EXIT_USAGE, "is not a list of sequences"},
    {"--threads", "many", HF_EXIT_USAGE, "--threads"},
    {"--health-tcp", "0", HF_EXIT_USAGE, "is not a port"},
    {"--health-threshold", "0", HF_EXIT_USAGE, "--health-threshold"},
    {"--health-deadline", "never", HF_EXIT_REFUSED, "deadline"},
    {"--mode", "rwx", HF_EXIT_REFUSED, "mode"},
    {"--key", "%/b.key", HF_EXIT_USAGE, "one --key-id for each --key"},
    {"--template", "%/nothing.yaml", HF_EXIT_FAILED, "No such file"},
    {"--template", "%/empty", HF_EXIT_REFUSED, "0 objects"},
    {"--sequence", "9", HF_EXIT_USAGE, "occurs twice"},
};

START_TEST(wrong_options_leave_nothing_behind)
{
    cli_write_text(&run, "empty", "");
    int code = create(wrong[_i].option, wrong[_i].value);
    ck_assert_msg(code == wrong[_i].want, "%s %s: %d, %s", wrong[_i].option, wrong[_i].value, code, run.err);
    ck_assert_msg(strstr(run.err, wrong[_i].text) != NULL, "%s %s: %s", wrong[_i].option, wrong[_i].value, run.err);
    if (code != 0)
        ck_assert_int_ne(access(cli_path(&run, "out"), F_OK), 0);
    char *left = strstr(run.err, "unfinished folder");
    ck_assert_ptr_null(left);
}
END_TEST

/* A path that no node allows, unless the person says that the nodes do. */
START_TEST(paths_that_no_node_allows)
{
    static const char *const paths[] = {"/etc/shadow", "/opt", "/usr/bin/edge", "/srv/edge/bin"};

    for (size_t i = 0; i < HF_LEN(paths); i++) {
        ck_assert_int_eq(cli(&run, "release", "create", "--everywhere", "--name", "edge", "--version", "1.2",
                             "--sequence", "7", "--path", paths[i], "--artifact", "amd64=%/v2", "--url-base",
                             "https://x.example", "--no-health-check", "--out", "%/out", NULL),
                         HF_EXIT_USAGE);
        ck_assert_msg(strstr(run.err, "(/opt, /usr/local, /var/lib/holdfast/payload)") != NULL, "%s: %s", paths[i],
                      run.err);
    }
    ck_assert_int_eq(cli(&run, "release", "create", "--everywhere", "--name", "edge", "--version", "1.2", "--sequence",
                         "7", "--path", "/srv/edge/bin", "--update-root", "/srv/edge", "--artifact", "amd64=%/v2",
                         "--url-base", "https://x.example", "--no-health-check", "--out", "%/out", NULL),
                     0);
    ck_assert_ptr_null(strstr(run.err, "warning"));
}
END_TEST

static const struct {
    const char *option, *value;
    int want;
    const char *told, *written; /* on standard error or output; in the object */
} selections[] = {
    {NULL, NULL, HF_EXIT_USAGE, "no nodes selected: give --node-selector", NULL},
    {"--everywhere", NULL, 0, "for every node;", "nodeSelector: {}"},
    {"--node-selector", "a/role=b,tier=", 0, "for nodes with a/role=b,tier=;", "a/role: b"},
    {"--node-selector", "role==b,zone!=c,gpu,!old", 0, "for nodes with role=b, 3 expressions;",
     "operator: DoesNotExist"},
    {"--node-selector", "zone!=c", 0, "for nodes with 1 expression;", "operator: NotIn"},
    {"--node-selector", "role in (a,b)", HF_EXIT_USAGE, "is not key=value", NULL},
    {"--node-selector", "", HF_EXIT_USAGE, "is not key=value", NULL},
    {"--node-selector", "!a=b", HF_EXIT_USAGE, "is not key=value", NULL},
    {"--node-selector", "a!b", HF_EXIT_USAGE, "is not key=value", NULL},
    {"--node-selector", "a=b c", HF_EXIT_USAGE, "'b c' is not a label value", NULL},
};

/* The first apply must not hit a fleet because an option was left out. */
START_TEST(for_which_nodes)
{
    ck_assert_msg(cli(&run, "release", "create", "--name", "edge", "--version", "1.2", "--sequence", "7", "--path",
                      "/opt/edge/bin", "--artifact", "amd64=%/v2", "--url-base", "https://x.example", "--out", "%/out",
                      selections[_i].option, selections[_i].value, NULL) == selections[_i].want,
                  "%s", run.err);
    ck_assert_msg(strstr(selections[_i].want == 0 ? run.out : run.err, selections[_i].told) != NULL, "%s%s", run.out,
                  run.err);
    _cleanup_(hf_freep) char *text = cli_read(&run, "out/edge-1.2.yaml", NULL);
    ck_assert_int_eq(text != NULL, selections[_i].written != NULL);
    ck_assert_msg(text == NULL || strstr(text, selections[_i].written) != NULL, "%s", text);
}
END_TEST

/* A template's selector stands where no option says otherwise; its strategy is warned of. */
START_TEST(the_nodes_of_a_template)
{
    static const char text[] =
        "apiVersion: edge.codcompass.io/v1alpha1\nkind: EdgeUpdate\nmetadata: {name: edge}\nspec:\n"
        "  nodeSelector: {matchExpressions: [{key: a, operator: Exists}]}\n"
        "  strategy: {waves: [{percent: 100}]}\n";
    static const struct {
        const char *option, *value, *told;
    } ways[] = {{NULL, NULL, "1 expression;"},
                {"--node-selector", "b=c", "for nodes with b=c;"},
                {"--everywhere", NULL, "for every node;"}};

    cli_write_text(&run, "template.yaml", text);
    ck_assert_msg(cli(&run, "release", "create", "--template", "%/template.yaml", "--name", "edge", "--version", "1.2",
                      "--sequence", "7", "--path", "/opt/edge/bin", "--artifact", "amd64=%/v2", "--url-base",
                      "https://x.example", "--out", "%/out", ways[_i].option, ways[_i].value, NULL) == 0,
                  "%s", run.err);
    ck_assert_msg(strstr(run.out, ways[_i].told) != NULL, "%s", run.out);
    ck_assert_ptr_nonnull(strstr(run.err, "note: spec.strategy needs holdfast-controller"));
}
END_TEST

/* What is not there is not claimed; what is seldom meant is warned of. */
START_TEST(an_honest_report)
{
    ck_assert_int_eq(cli(&run, "release", "create", "--artifact", "amd64=%/v2", "--url-base", "https://x.example",
                         "--out", "%/not/there/yet", NULL),
                     HF_EXIT_USAGE);
    ck_assert_int_ne(access(cli_path(&run, "not"), F_OK), 0);
    ck_assert_int_eq(cli(&run, "release", "create", "--everywhere", "--name", "edge", "--version", "1.2", "--sequence",
                         "7", "--path", "/opt/edge/bin", "--artifact", "amd64=%/v2", "--url-base", "https://x.example",
                         "--out", "%/not/there/yet", NULL),
                     0);
    ck_assert_ptr_null(strstr(run.out, "applied"));
    ck_assert_ptr_nonnull(strstr(run.out, "no old files (old=OLD), so no deltas"));
    ck_assert_ptr_nonnull(strstr(run.err, "warning: no health check"));
    ck_assert_int_eq(access(cli_path(&run, "not/there/yet/edge-1.2.yaml"), F_OK), 0);
    ck_assert_int_eq(create(NULL, NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "1 delta: applied, and the result is the new file\n"));
    ck_assert_ptr_null(strstr(run.err, "warning"));
}
END_TEST

START_TEST(an_existing_folder_is_left_alone)
{
    ck_assert_int_eq(create(NULL, NULL), 0);
    ck_assert_int_eq(create(NULL, NULL), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(run.err, "exists already"));
    ck_assert_int_eq(verify(), 0);
}
END_TEST

START_TEST(a_number_that_is_no_sequence)
{
    ck_assert_int_eq(cli(&run, "release", "create", "--everywhere", "--sequence", "-1", "--artifact", "a=b",
                         "--url-base", "x", "--out", "%/out", NULL),
                     HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "release", "create", "--everywhere", "--sequence", "1", "--artifact", "amd64=%/v1",
                         "--url-base", "https://x.example", "--out", "%/out", NULL),
                     HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.err, "spec.release.name"));
}
END_TEST

/* ---- verify ------------------------------------------------------------------------------------------------------ */

START_TEST(what_was_changed_is_refused)
{
    ck_assert_int_eq(create(NULL, NULL), 0);
    edit("out/edge-1.2.yaml", "sequence: 7", "sequence: 8");
    ck_assert_int_eq(verify(), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.out, "REFUSED"));
    ck_assert_int_eq(cli(&run, "release", "verify", "%/out/edge-1.2.yaml", "--trust-dir", "%/trust", "--json", NULL),
                     HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.out, "\"ok\":false"));
}
END_TEST

START_TEST(damaged_files_are_refused)
{
    static const char *const names[] = {"out/edge-1.2-amd64", "delta"};
    size_t n = 0;

    ck_assert_int_eq(create(NULL, NULL), 0);
    ck_assert_int_eq(create(NULL, NULL), HF_EXIT_FAILED);
    for (size_t i = 0; i < HF_LEN(names); i++) {
        char path[200], from[HF_SHA256_HEX];
        size_t old_n = 0;
        _cleanup_(hf_freep) char *old = cli_read(&run, "v1", &old_n);
        (void)hf_sha256_hex(old, old_n, from);
        if (i == 0)
            (void)snprintf(path, sizeof(path), "%s", names[0]);
        else
            (void)snprintf(path, sizeof(path), "out/edge-1.2-amd64-from-%.12s.delta", from);
        _cleanup_(hf_freep) char *bytes = cli_read(&run, path, &n);
        ck_assert_ptr_nonnull(bytes);
        bytes[n / 2] = (char)(bytes[n / 2] ^ 1);
        cli_write(&run, path, bytes, n);
        ck_assert_int_eq(verify(), HF_EXIT_REFUSED);
        ck_assert_ptr_nonnull(strstr(run.out, "sha256 is"));
        bytes[n / 2] = (char)(bytes[n / 2] ^ 1);
        cli_write(&run, path, bytes, n - 1);
        ck_assert_int_eq(verify(), HF_EXIT_REFUSED);
        ck_assert_ptr_nonnull(strstr(run.out, "the release states"));
        ck_assert_int_eq(unlink(cli_path(&run, path)), 0);
        ck_assert_int_eq(verify(), HF_EXIT_REFUSED);
        ck_assert_ptr_nonnull(strstr(run.out, "No such file"));
        cli_write(&run, path, bytes, n);
        ck_assert_int_eq(verify(), 0);
    }
}
END_TEST

START_TEST(longer_than_the_release_says)
{
    size_t n = 0;

    ck_assert_int_eq(create(NULL, NULL), 0);
    _cleanup_(hf_freep) char *bytes = cli_read(&run, "out/edge-1.2-amd64", &n);
    bytes[n] = 'x'; /* there is a zero byte to overwrite */
    cli_write(&run, "out/edge-1.2-amd64", bytes, n + 1);
    ck_assert_int_eq(verify(), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.out, "longer than the 200000 bytes"));
}
END_TEST

START_TEST(expired)
{
    ck_assert_int_eq(create("--expires", "2100-01-01T00:00:00Z"), 0);
    edit("out/edge-1.2.yaml", "2100-", "2020-");
    ck_assert_int_eq(cli(&run, "release", "sign", "%/out/edge-1.2.yaml", "--key", "%/a", NULL), 0);
    ck_assert_int_eq(verify(), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.out, "Expired"));
}
END_TEST

/* The first signature covers the time of signing; a second one changes nothing of the release. */
START_TEST(the_terms_are_signed)
{
    ck_assert_int_eq(create("--downgrade-from", "9"), 0);
    _cleanup_(hf_freep) char *text = cli_read(&run, "out/edge-1.2.yaml", NULL);
    ck_assert_ptr_nonnull(strstr(text, "signedAt: "));
    ck_assert_ptr_nonnull(strstr(text, "expires: "));
    ck_assert_int_eq(verify(), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "signed at 2"));
    ck_assert_ptr_nonnull(strstr(run.out, "expires at 2"));
    ck_assert_ptr_nonnull(strstr(run.out, "once, from sequence 9"));
    ck_assert_int_eq(cli(&run, "release", "sign", "%/out/edge-1.2.yaml", "--key", "%/a", NULL), 0);
    _cleanup_(hf_freep) char *again = cli_read(&run, "out/edge-1.2.yaml", NULL);
    ck_assert_str_eq(text, again);
    edit("out/edge-1.2.yaml", "signedAt: \"20", "signedAt: \"21");
    ck_assert_int_eq(verify(), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.out, "SignatureInvalid"));
}
END_TEST

/* A message that ends within a character, and a path that is not UTF-8. */
START_TEST(names_that_are_not_utf8)
{
    char folder[402] = "x";

    for (size_t i = 0; i < 200; i++)
        memcpy(folder + 1 + 2 * i, "\xd0\xb6", 2);
    write_program("\xff", 2);
    ck_assert_int_eq(create("--artifact", "arm64=%/v2,old=%/\xff"), 0);
    ck_assert_int_eq(
        cli(&run, "release", "verify", "%/out/edge-1.2.yaml", "--trust-dir", "%/trust", "--artifacts", folder, NULL),
        HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.out, "REFUSED edge-1.2-amd64: ") != NULL, "%s%s", run.out, run.err);
    ck_assert_int_eq(cli(&run, "release", "verify", "%/out/edge-1.2.yaml", "--trust-dir", "%/trust", "--artifacts",
                         "%/\xff", "--json", NULL),
                     HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.out, "/?/edge-1.2-amd64"));
}
END_TEST

START_TEST(no_keys_at_all)
{
    ck_assert_int_eq(create(NULL, NULL), 0);
    ck_assert_int_eq(unlink(cli_path(&run, "trust/a.pem")), 0);
    ck_assert_int_eq(verify(), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.out, "trust' holds no key"));
    ck_assert_int_eq(cli(&run, "release", "verify", "%/out/edge-1.2.yaml", "--trust-dir", "%/turst", NULL),
                     HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.out, "turst' does not exist"));
}
END_TEST

START_TEST(more_than_one_object)
{
    cli_write_text(&run, "two.yaml", "kind: EdgeUpdate\n---\nkind: EdgeUpdate\n");
    ck_assert_int_eq(cli(&run, "release", "verify", "%/two.yaml", NULL), HF_EXIT_REFUSED);
    cli_write_text(&run, "other.yaml", "kind: Pod\n");
    ck_assert_int_eq(cli(&run, "release", "verify", "%/other.yaml", NULL), HF_EXIT_REFUSED);
    cli_write_text(&run, "text.yaml", "kind: [\n");
    ck_assert_int_eq(cli(&run, "release", "verify", "%/text.yaml", NULL), HF_EXIT_REFUSED);
}
END_TEST

/* ---- sign -------------------------------------------------------------------------------------------------------- */

START_TEST(several_people_sign)
{
    ck_assert_int_eq(create(NULL, NULL), 0);
    cli_write_text(&run, "trust/threshold", "2\n");
    _cleanup_(hf_freep) char *b = cli_read(&run, "b.pem", NULL);
    cli_write_text(&run, "trust/b.pem", b);
    ck_assert_int_eq(verify(), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.out, "REFUSED BelowThreshold: "));
    ck_assert_int_eq(cli(&run, "release", "sign", "%/out/edge-1.2.yaml", "--key", "%/b.key", "--key-id", "b", NULL), 0);
    ck_assert_str_eq(run.out, "signed by a\nsigned by b\n");
    ck_assert_msg(verify() == 0, "%s%s", run.out, run.err);
    /* Once more: replaced, not doubled. */
    ck_assert_int_eq(cli(&run, "release", "sign", "%/out/edge-1.2.yaml", "--key", "%/b.key", "--key-id", "b", NULL), 0);
    _cleanup_(hf_freep) char *text = cli_read(&run, "out/edge-1.2.yaml", NULL);
    ck_assert_ptr_null(strstr(strstr(text, "keyId: b") + 1, "keyId: b"));
}
END_TEST

/* A second key, as holdfast(1) tells it: made, trusted beside the first, both sign, both are needed. */
START_TEST(a_second_key)
{
    ck_assert_int_eq(cli(&run, "key", "generate", "%/c", "--public", "%/trust/c.pem", NULL), 0);
    ck_assert_int_eq(create("--key", "%/c"), HF_EXIT_USAGE); /* two keys, one --key-id */
    ck_assert_msg(cli(&run, "release", "create", "--everywhere", "--name", "edge", "--version", "1.2", "--sequence",
                      "7", "--path", "/opt/edge/bin", "--artifact", "amd64=%/v2", "--url-base", "https://x.example",
                      "--key", "%/a", "--key", "%/c.key", "--out", "%/out", NULL) == 0,
                  "%s", run.err);
    ck_assert_ptr_nonnull(strstr(run.out, "signed by a\n"));
    ck_assert_ptr_nonnull(strstr(run.out, "signed by c\n"));
    cli_write_text(&run, "trust/threshold", "2\n");
    ck_assert_msg(verify() == 0, "%s%s", run.out, run.err);
    ck_assert_int_eq(cli(&run, "release", "verify", "%/out/edge-1.2.yaml", "--key", "%/a", "--key", "%/c", NULL), 0);
    ck_assert_int_eq(cli(&run, "release", "verify", "%/out/edge-1.2.yaml", "--key", "%/a", "--key", "%/b", NULL),
                     HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.out, "no signature by key id 'b'"));
    ck_assert_int_eq(cli(&run, "release", "verify", "%/out/edge-1.2.yaml", "--key", "%/a", "--trust-dir", "%", NULL),
                     HF_EXIT_USAGE);
    /* Later, the same of an object that only one of them has signed. */
    ck_assert_int_eq(cli(&run, "release", "sign", "%/out/edge-1.2.yaml", "--key", "%/a", "--key", "%/b", NULL), 0);
    ck_assert_int_eq(cli(&run, "release", "verify", "%/out/edge-1.2.yaml", "--key", "%/b", NULL), 0);
    edit("out/edge-1.2.yaml", "sequence: 7", "sequence: 8");
    ck_assert_int_eq(cli(&run, "release", "verify", "%/out/edge-1.2.yaml", "--key", "%/b", NULL), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.out, "does not verify"));
}
END_TEST

START_TEST(signed_elsewhere)
{
    ck_assert_int_eq(create(NULL, NULL), 0);
    _cleanup_(hf_freep) char *before = cli_read(&run, "out/edge-1.2.yaml", NULL);
    ck_assert_int_eq(cli(&run, "release", "sign", "%/out/edge-1.2.yaml", "--key", "%/b.key", "--key-id", "b", "-o",
                         "%/signed.yaml", NULL),
                     0);
    _cleanup_(hf_freep) char *after = cli_read(&run, "out/edge-1.2.yaml", NULL);
    ck_assert_str_eq(before, after);
    _cleanup_(hf_freep) char *text = cli_read(&run, "signed.yaml", NULL);
    ck_assert_ptr_nonnull(strstr(text, "keyId: b"));
}
END_TEST

START_TEST(what_cannot_be_signed)
{
    ck_assert_int_eq(create(NULL, NULL), 0);
    ck_assert_int_eq(cli(&run, "release", "sign", "%/out/edge-1.2.yaml", "--key", "%/b.pem", "--key-id", "B!", NULL),
                     HF_EXIT_USAGE);
    ck_assert_int_ne(cli(&run, "release", "sign", "%/out/edge-1.2.yaml", "--key", "%/b.pem", "--key-id", "b", NULL), 0);
    cli_write_text(&run, "bad.yaml",
                   "apiVersion: edge.codcompass.io/v1alpha1\nkind: EdgeUpdate\nmetadata: {name: x}\n"
                   "spec: {release: {name: x}}\n");
    ck_assert_int_eq(cli(&run, "release", "sign", "%/bad.yaml", "--key", "%/b.key", "--key-id", "b", NULL),
                     HF_EXIT_REFUSED);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, keys);
    tcase_add_test(tc, keys_are_told);
    tcase_add_test(tc, a_private_key_is_never_called_pem);
    tcase_add_test(tc, keys_are_never_overwritten);
    tcase_add_test(tc, the_other_half_is_named);
    tcase_add_test(tc, older_pairs_still_sign);
    tcase_add_test(tc, made_and_taken);
    tcase_add_test(tc, compressed);
    tcase_add_test(tc, the_report_for_programs);
    tcase_add_test(tc, deltas_that_save_nothing_are_left_out);
    tcase_add_test(tc, published_must_be_signed);
    tcase_add_loop_test(tc, several_deltas_are_shorter, 0, 2);
    tcase_add_test(tc, several_deltas_are_shorter_for_folders_too);
    tcase_add_test(tc, one_delta_is_shorter);
    tcase_add_test(tc, every_option_reaches_the_object);
    tcase_add_test(tc, templates);
    tcase_add_test(tc, folders_become_trees);
    tcase_add_loop_test(tc, wrong_options_leave_nothing_behind, 0, (int)HF_LEN(wrong));
    tcase_add_test(tc, paths_that_no_node_allows);
    tcase_add_loop_test(tc, for_which_nodes, 0, (int)HF_LEN(selections));
    tcase_add_loop_test(tc, the_nodes_of_a_template, 0, 3);
    tcase_add_test(tc, an_honest_report);
    tcase_add_test(tc, an_existing_folder_is_left_alone);
    tcase_add_test(tc, a_number_that_is_no_sequence);
    tcase_add_test(tc, what_was_changed_is_refused);
    tcase_add_test(tc, damaged_files_are_refused);
    tcase_add_test(tc, longer_than_the_release_says);
    tcase_add_test(tc, expired);
    tcase_add_test(tc, the_terms_are_signed);
    tcase_add_test(tc, names_that_are_not_utf8);
    tcase_add_test(tc, no_keys_at_all);
    tcase_add_test(tc, more_than_one_object);
    tcase_add_test(tc, several_people_sign);
    tcase_add_test(tc, a_second_key);
    tcase_add_test(tc, signed_elsewhere);
    tcase_add_test(tc, what_cannot_be_signed);
}
HF_TEST_MAIN("cli/release", cases)
