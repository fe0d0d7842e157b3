/* SPDX-License-Identifier: Apache-2.0 */
/* release sign, release verify. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/encoding/base64.h"
#include "base/encoding/hex.h"
#include "base/format.h"
#include "base/parse.h"
#include "cli/plain.h"
#include "cli/release/keyfile.h"
#include "cli/release/release_file.h"
#include "cli/release/sign.h"
#include "codec/sha256.h"
#include "codec/unpack.h"
#include "delta/delta.h"
#include "trust/key.h"

enum { READ_PIECE = 1 << 16 };

const struct hf_cli_option hf_cli_release_sign_options[] = {
    HF_CLI_OPTION("key", "FILE", "private key (NAME.key)", .required = true, .repeats = true),
    HF_CLI_OPTION("key-id", "ID", "name of the public key in the nodes' trust folders (NAME); one per --key, in order",
                  .repeats = true),
    HF_CLI_OPTION("out", "FILE", "output file; '-': standard output (default: FILE itself)", .letter = 'o'),
    {.name = NULL},
};
const struct hf_cli_option hf_cli_release_verify_options[] = {
    HF_CLI_OPTION("trust-dir", "DIR", "trust folder, as on a node (" HF_CLI_DEFAULT_TRUST_DIR ")"),
    HF_CLI_OPTION("key", "FILE", "public key (NAME.pem) that must have signed as NAME; replaces the trust folder",
                  .repeats = true),
    HF_CLI_OPTION("artifacts", "DIR",
                  "also check the files in this folder, by the last part of their URLs or the digest in them"),
    HF_CLI_JSON("print the result as JSON"),
    {.name = NULL},
};

/* Prints all signers, earlier ones too, so that the user sees whether more are needed. */
static void print_signers(FILE *to, const json_t *update)
{
    const json_t *signatures = hf_json_at(update, "spec.signatures");

    for (size_t i = 0; i < json_array_size(signatures); i++)
        (void)fprintf(to, "signed by %s\n", hf_json_str_or(json_array_get(signatures, i), "keyId", ""));
}

int hf_cli_release_sign(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    const char *path = args->words[0], *target = hf_cli_value(args, "out", path);
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLI_OBJECT_BYTES);
    _cleanup_(hf_cli_out_done) struct hf_cli_out out = HF_CLI_OUT_INIT;
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *update = NULL;
    _cleanup_(hf_json_freep) json_t *json = NULL;
    char outdated[200];
    int r = hf_cli_read_update(cli, path, &json, err);

    if (r == 0)
        r = hf_cli_decode_update(cli, path, json, &update,
                                 err); /* refuse to sign a release that no node would accept */
    if (r == 0)
        r = hf_cli_sign_all(cli, args, json, err);
    if (r == 0 && hf_release_outdated(&update->release, outdated, sizeof(outdated)) != NULL)
        (void)fprintf(cli->err, "no node starts this release; nodes that run it keep it: %s\n", outdated);
    if (r == 0 && hf_yaml_format(json, &text) < 0)
        r = hf_err_set(err, ENOMEM, "out of memory");
    if (r == 0)
        r = hf_cli_out_open(cli, target, 0644, &out, err);
    if (r == 0)
        r = hf_cli_out_write(&out, text.p, text.n, err);
    if (r == 0)
        r = hf_cli_out_commit(&out, err);
    if (r == 0)
        print_signers(strcmp(target, "-") == 0 ? cli->err : cli->out, json);
    if (r == 0 && cli->terminal)
        (void)fprintf(cli->err, "%s %s (sequence %llu), digest %s\n", update->release.name, update->release.version,
                      (unsigned long long)update->release.sequence, update->release.digest);
    return r;
}

/* ---- verify ---- */

struct verify {
    struct hf_cli *cli;
    const char *folder; /* NULL: do not check files */
    json_t *files;      /* result for each file */
    size_t bad;         /* number of files that failed */
};

static int report_file(struct verify *verify, const char *name, int r, const struct hf_err *problem, struct hf_err *err)
{
    char text[600] = "ok";

    if (r < 0) {
        verify->bad++;
        (void)hf_err_text(problem, text, sizeof(text));
    }
    return hf_cli_append(
        verify->files,
        json_pack("{s:o, s:b, s:o}", "file", hf_cli_json_text(name), "ok", r == 0, "text", hf_cli_json_text(text)),
        err);
}

/* Hash and size of a stream of bytes. */
struct file_tally {
    struct hf_sha256 hash;
    uint64_t size, most; /* more than `most` bytes: -EFBIG */
};

static int tally_bytes(void *ctx, const void *bytes, size_t n)
{
    struct file_tally *tally = ctx;

    tally->size += n;
    if (tally->size > tally->most)
        return -EFBIG;
    hf_sha256_update(&tally->hash, bytes, n);
    return 0;
}

static int judge_tally(struct file_tally *tally, const char *sha256, uint64_t size, struct hf_err *err)
{
    char hex[HF_SHA256_HEX];

    if (tally->size != size)
        return hf_err_set(err, EBADMSG, "%llu bytes, but the release states %llu", (unsigned long long)tally->size,
                          (unsigned long long)size);
    if (strcmp(hf_sha256_final_hex(&tally->hash, hex), sha256) != 0)
        return hf_err_set(err, EBADMSG, "sha256 is %.16s..., but the release states %.16s...", hex, sha256);
    return 0;
}

static int feed_file(int fd, struct hf_unpack *unpack, struct hf_err *err)
{
    for (;;) {
        char piece[READ_PIECE];
        ssize_t n = hf_cli_fd_read(&fd, piece, sizeof(piece));
        if (n < 0)
            return hf_err_sys(err, (int)n, "read");
        if (n == 0)
            return hf_unpack_finish(unpack, err);
        int r = hf_unpack_feed(unpack, piece, (size_t)n, err);
        if (r < 0)
            return r;
    }
}

/* Checks size and hash of the file itself. */
static int check_bytes(int fd, const char *sha256, uint64_t size, struct hf_err *err)
{
    struct file_tally tally = {.most = size};
    char piece[READ_PIECE];
    ssize_t n;
    int r = 0;

    hf_sha256_init(&tally.hash);
    while (r == 0 && (n = hf_cli_fd_read(&fd, piece, sizeof(piece))) != 0)
        r = n < 0 ? (int)n : tally_bytes(&tally, piece, (size_t)n);
    if (r == -EFBIG)
        return hf_err_set(err, EBADMSG, "longer than the %llu bytes that the release states", (unsigned long long)size);
    if (r < 0)
        return hf_err_sys(err, r, "read");
    r = judge_tally(&tally, sha256, size, err);
    return r == 0 && lseek(fd, 0, SEEK_SET) < 0 ? hf_err_sys(err, -errno, "rewind") : r;
}

/* Checks a whole artifact. Like a node, compares a packed file with the release before unpacking it. */
static int check_whole(int fd, const struct hf_artifact *artifact, struct hf_err *err)
{
    struct file_tally tally = {.most = artifact->size};

    if (artifact->download.sha256 == NULL)
        return check_bytes(fd, artifact->sha256, artifact->size, err);
    int checked = check_bytes(fd, artifact->download.sha256, artifact->download.size, err);
    if (checked < 0 || strcmp(artifact->download.sha256, artifact->sha256) == 0)
        return checked;
    hf_sha256_init(&tally.hash);
    struct hf_unpack *unpack = hf_unpack_new(tally_bytes, &tally, 0);
    if (unpack == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = feed_file(fd, unpack, err);
    hf_unpack_free(unpack);
    if (r == -EFBIG)
        return hf_err_set(err, EBADMSG, "longer than the %llu bytes that the release states",
                          (unsigned long long)artifact->size);
    return r < 0 ? r : judge_tally(&tally, artifact->sha256, artifact->size, err);
}

/* Checks the hash of a delta, and the hashes of old and new in its header. */
static int check_delta(int fd, const struct hf_artifact *artifact, const struct hf_delta_ref *delta, struct hf_err *err)
{
    const struct hf_delta_in in = {&fd, hf_cli_fd_read};
    char from[HF_SHA256_HEX], to[HF_SHA256_HEX];
    struct hf_delta_info info;
    int r = check_bytes(fd, delta->sha256, delta->size, err);

    if (r == 0)
        r = hf_delta_read_info(&in, &info, err);
    if (r < 0)
        return r;
    (void)hf_hex_encode(info.old_fingerprint, sizeof(info.old_fingerprint), from);
    (void)hf_hex_encode(info.new_sha256, sizeof(info.new_sha256), to);
    if (!info.from_any && strncmp(from, delta->from, strlen(from)) != 0)
        return hf_err_set(err, EBADMSG, "starts from a file with SHA-256 %s..., but the release states %.16s...", from,
                          delta->from);
    if (strcmp(to, delta->to != NULL ? delta->to : artifact->sha256) != 0)
        return hf_err_set(err, EBADMSG, "makes a file with SHA-256 %.16s..., but the release states %.16s...", to,
                          artifact->sha256);
    return 0;
}

static int check_file(struct verify *verify, const struct hf_artifact *artifact, const struct hf_delta_ref *delta,
                      struct hf_err *err)
{
    struct hf_err problem = HF_ERR_INIT;
    int fd = -1;

    _cleanup_(hf_freep) char *path =
        delta != NULL
            ? hf_release_file_path(verify->cli, verify->folder, delta->url, delta->size, err)
            : hf_release_file_path(verify->cli, verify->folder, artifact->url,
                                   artifact->download.sha256 != NULL ? artifact->download.size : artifact->size, err);
    if (path == NULL)
        return -err->code;
    int r = hf_cli_in_open(verify->cli, path, &fd, &problem);
    if (r == -ENOENT && strncmp(delta != NULL ? delta->url : artifact->url, "oci://", 6) == 0)
        r = hf_err_set(&problem, ENOENT, "no file has this digest: it is missing, or has changed");
    if (r == 0) {
        r = delta != NULL ? check_delta(fd, artifact, delta, &problem) : check_whole(fd, artifact, &problem);
        (void)close(fd);
    }
    return report_file(verify, strrchr(path, '/') + 1, r, &problem, err);
}

/* Checks the file of a step if this folder has it: steps belong to earlier releases. */
static int check_step(struct verify *verify, const struct hf_artifact *artifact, const struct hf_delta_ref *step,
                      struct hf_err *err)
{
    _cleanup_(hf_freep) char *path = hf_release_file_path(verify->cli, verify->folder, step->url, step->size, err);

    if (path == NULL)
        return -err->code;
    return access(path, F_OK) == 0 ? check_file(verify, artifact, step, err) : 0;
}

static int check_files(struct verify *verify, const struct hf_release *release, struct hf_err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && verify->folder != NULL && i < release->n_artifacts; i++) {
        const struct hf_artifact *artifact = &release->artifacts[i];
        r = check_file(verify, artifact, NULL, err);
        for (size_t k = 0; r == 0 && k < artifact->n_deltas; k++)
            r = check_file(verify, artifact, &artifact->deltas[k], err);
        for (size_t k = 0; r == 0 && k < artifact->n_steps; k++)
            r = check_step(verify, artifact, &artifact->steps[k], err);
    }
    return r;
}

/* ---- --key: each of these keys must have signed ---- */

static const struct hf_signature *signature_by(const struct hf_edgeupdate *update, const char *key_id)
{
    for (size_t i = 0; i < update->n_signatures; i++)
        if (strcmp(update->signatures[i].key_id, key_id) == 0)
            return &update->signatures[i];
    return NULL;
}

/* -EKEYREJECTED: this key has not signed. */
static int check_key(struct verify *verify, const struct hf_edgeupdate *update, const char *key, struct hf_view message,
                     struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(HF_CLI_KEY_BYTES), bytes = HF_BUF_INIT(128);
    unsigned char signature[HF_ED25519_SIGNATURE];
    char key_id[HF_KEY_ID_MAX + 1];
    int r = hf_cli_key_id(key, key_id, err);

    if (r == 0)
        r = hf_cli_key_read_public(verify->cli, key, &pem, err);
    if (r < 0)
        return r;
    const struct hf_signature *by = signature_by(update, key_id);
    if (by == NULL)
        return hf_err_set(err, EKEYREJECTED, "no signature by key id '%s'", key_id);
    if (hf_base64_decode(hf_view_of(by->signature), &bytes) < 0 || bytes.n != sizeof(signature))
        return hf_err_set(err, EKEYREJECTED, "the signature by key id '%s' is not valid base64 of 64 bytes", key_id);
    memcpy(signature, bytes.p, sizeof(signature));
    r = hf_trust_verify(hf_buf_str(&pem), message, signature, err);
    return r < 0 ? hf_err_wrap(err, r, "key '%s'", key) : 0;
}

static int judge_by_keys(struct verify *verify, const struct hf_cli_args *args, const struct hf_edgeupdate *update,
                         enum hf_trust_verdict *ret_verdict, struct hf_err *problem)
{
    _cleanup_(hf_buf_done) struct hf_buf message = HF_BUF_INIT(HF_CLI_OBJECT_BYTES);
    int r = hf_json_canonical(update->release.json, &message, problem);
    const char *key;

    for (size_t i = 0; r == 0 && (key = hf_cli_nth_value(args, "key", i)) != NULL; i++)
        r = check_key(verify, update, key, hf_buf_view(&message), problem);
    *ret_verdict = r == 0 ? HF_TRUST_OK : update->n_signatures == 0 ? HF_TRUST_UNSIGNED : HF_TRUST_BAD_SIGNATURE;
    return r == -EKEYREJECTED ? 0 : r;
}

/* Sets *ret_reason to "SignatureInvalid", "Expired", ..., or "" if a node would accept the release; *problem has the
 * details. */
static int judge(struct verify *verify, const struct hf_cli_args *args, const struct hf_edgeupdate *update,
                 const char **ret_reason, struct hf_err *problem, struct hf_err *err)
{
    const char *trust_dir = hf_cli_value(args, "trust-dir", HF_CLI_DEFAULT_TRUST_DIR);
    enum hf_trust_verdict verdict = HF_TRUST_OK;
    char when[HF_TIME_TEXT], outdated[200];
    const char *field;
    int r = hf_cli_count(args, "key") > 0 ? judge_by_keys(verify, args, update, &verdict, problem)
                                          : hf_trust_check(verify->cli->fs, trust_dir, update, &verdict, problem);

    if (r < 0) {
        if (err != NULL)
            *err = *problem;
        return r;
    }
    if (verdict == HF_TRUST_NO_KEYS && hf_cli_value(args, "trust-dir", NULL) == NULL)
        (void)hf_err_set(problem, EKEYREJECTED,
                         "trust folder '%s' does not exist or has no keys: away from a node, name them with "
                         "--key NAME.pem or --trust-dir DIR",
                         trust_dir);
    *ret_reason = verdict == HF_TRUST_OK ? "" : hf_trust_reason(verdict);
    if (verdict == HF_TRUST_OK && (field = hf_release_outdated(&update->release, outdated, sizeof(outdated))) != NULL) {
        *ret_reason = "OldFormat";
        (void)hf_err_set(problem, EKEYREJECTED, "spec.release.%s: %s", field, outdated);
    } else if (verdict == HF_TRUST_OK && update->release.expires_unix_ns <= hf_unix_ns(verify->cli->clock)) {
        *ret_reason = "Expired";
        (void)hf_err_set(problem, EKEYREJECTED, "the release expired at %s",
                         hf_format_time(update->release.expires_unix_ns, when));
    }
    return 0;
}

/* Prints the signed terms under which nodes start the release. */
static void print_terms(FILE *out, const struct hf_release *release)
{
    char when[HF_TIME_TEXT];

    if (release->signed_at_unix_ns != 0)
        (void)fprintf(out, "  signed at %s\n", hf_format_time(release->signed_at_unix_ns, when));
    if (release->expires_unix_ns != HF_NEVER)
        (void)fprintf(out, "  expires at %s\n", hf_format_time(release->expires_unix_ns, when));
    for (size_t i = 0; i < release->n_downgrade_from; i++)
        (void)fprintf(out, "%s%llu%s", i == 0 ? "  nodes may go down to it once, from sequence " : ", ",
                      (unsigned long long)release->downgrade_from[i], i + 1 == release->n_downgrade_from ? "\n" : "");
}

static void print_verdict(const struct verify *verify, const struct hf_edgeupdate *update, const char *reason,
                          const struct hf_err *problem)
{
    struct hf_cli *cli = verify->cli;
    char text[600];

    hf_cli_print_line(cli->out, "%s %s, sequence %llu, digest %s", update->release.name, update->release.version,
                      (unsigned long long)update->release.sequence, update->release.digest);
    print_terms(cli->out, &update->release);
    if (reason[0] != '\0')
        hf_cli_print_line(cli->out, "  REFUSED %s: %s", reason, hf_err_text(problem, text, sizeof(text)));
    else
        (void)fprintf(cli->out, "  signature ok\n");
    for (size_t i = 0; i < json_array_size(verify->files); i++) {
        const json_t *file = json_array_get(verify->files, i);
        hf_cli_print_line(cli->out, "  %s %s%s%s", hf_json_bool_or(file, "ok", false) ? "ok     " : "REFUSED",
                          hf_json_str_or(file, "file", ""), hf_json_bool_or(file, "ok", false) ? "" : ": ",
                          hf_json_bool_or(file, "ok", false) ? "" : hf_json_str_or(file, "text", ""));
    }
}

static int print_result(struct verify *verify, const struct hf_cli_args *args, const struct hf_edgeupdate *update,
                        const char *reason, const struct hf_err *problem, struct hf_err *err)
{
    char text[600];

    if (!hf_cli_flag(args, "json")) {
        print_verdict(verify, update, reason, problem);
        return 0;
    }
    _cleanup_(hf_json_freep) json_t *answer = json_pack(
        "{s:s, s:s, s:I, s:s, s:b, s:s, s:o, s:O}", "name", update->release.name, "version", update->release.version,
        "sequence", (json_int_t)update->release.sequence, "digest", update->release.digest, "ok",
        reason[0] == '\0' && verify->bad == 0, "reason", reason, "text",
        hf_cli_json_text(reason[0] != '\0' ? hf_err_text(problem, text, sizeof(text)) : ""), "files", verify->files);
    return answer != NULL ? hf_cli_print_json(verify->cli, answer, err) : hf_err_set(err, ENOMEM, "out of memory");
}

int hf_cli_release_verify(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *json = NULL, *files = json_array();
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *update = NULL;
    struct verify verify = {.cli = cli, .folder = hf_cli_value(args, "artifacts", NULL), .files = files};
    struct hf_err problem = HF_ERR_INIT;
    const char *reason = "";

    if (files == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (hf_cli_count(args, "key") > 0 && hf_cli_value(args, "trust-dir", NULL) != NULL)
        return hf_err_set(err, EINVAL, "--trust-dir and --key exclude each other");
    int r = hf_cli_read_update(cli, args->words[0], &json, err);
    if (r == 0)
        r = hf_cli_decode_update(cli, args->words[0], json, &update, err);
    if (r == 0)
        r = judge(&verify, args, update, &reason, &problem, err);
    if (r == 0)
        r = check_files(&verify, &update->release, err);
    if (r == 0)
        r = print_result(&verify, args, update, reason, &problem, err);
    if (r < 0)
        return r;
    return reason[0] != '\0' || verify.bad > 0 ? HF_EXIT_REFUSED : 0;
}
