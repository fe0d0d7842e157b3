/* SPDX-License-Identifier: Apache-2.0 */
/* manifest sign. */
#include <errno.h>
#include <string.h>

#include "cli/manifest/content.h"
#include "cli/release/policy_file.h"
#include "cli/release/sign.h"

const struct hf_cli_option hf_cli_manifest_sign_options[] = {
    HF_CLI_OPTION("entry", "NAME", "name of the entry in spec.manifests", .required = true),
    HF_CLI_OPTION("key", "FILE", "private key (NAME.key)", .required = true, .repeats = true),
    HF_CLI_OPTION("key-id", "ID", "name of the public key in the nodes' trust folders (NAME); one per --key, in order",
                  .repeats = true),
    HF_CLI_OPTION("sequence", "N", "write this sequence first; removes signatures for another one"),
    HF_CLI_OPTION(
        "content", "PATH",
        "write contentDigest of this folder, file or .tar.gz ('-': from standard input) first; removes signatures "
        "for another one"),
    HF_CLI_OPTION("out", "FILE", "output file; '-': standard output (default: FILE itself)", .letter = 'o'),
    {.name = NULL},
};

static json_t *find(const json_t *policy, const char *name)
{
    json_t *entry;
    size_t i;

    json_array_foreach(hf_json_at(policy, "spec.manifests"), i, entry) {
        if (strcmp(hf_json_str_or(entry, "name", ""), name) == 0)
            return entry;
    }
    return NULL;
}

static int put_sequence(const struct hf_cli_args *args, json_t *entry, struct hf_err *err)
{
    uint64_t sequence;
    int r = hf_cli_policy_sequence(args, &sequence, err);

    if (r < 0 || sequence == 0 || hf_json_int_or(entry, "sequence", 0) == (int64_t)sequence)
        return r;
    (void)json_object_del(entry, "signatures"); /* they cover the old sequence */
    return hf_cli_put(entry, "sequence", json_integer((json_int_t)sequence), err);
}

static int put_digest(struct hf_cli *cli, const struct hf_cli_args *args, json_t *entry, struct hf_err *err)
{
    const json_t *from = json_object_get(entry, "from");
    const struct hf_cli_content_params params = {
        .path = hf_cli_value(args, "content", NULL),
        .sub_path = hf_json_str(from, "subPath"),
        .keep_top = json_object_get(from, "fluxSource") != NULL,
        .no_modes = json_object_get(from, "configMap") != NULL || json_object_get(from, "secret") != NULL,
        .flux_modes = json_object_get(from, "fluxSource") != NULL,
    };
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;
    char digest[HF_SHA256_HEX + 8];

    if (params.path == NULL)
        return 0;
    int r = hf_cli_content_read(cli, &params, &bundle, err);
    if (r < 0)
        return r;
    (void)snprintf(digest, sizeof(digest), "sha256:%s", bundle->digest);
    if (strcmp(hf_json_str_or(entry, "contentDigest", ""), digest) == 0)
        return 0;
    (void)json_object_del(entry, "signatures"); /* they cover the old content */
    return hf_cli_put(entry, "contentDigest", json_string(digest), err);
}

/* Refuses what no node would take as signed. */
static int check_entry(const json_t *entry, const char *name, struct hf_err *err)
{
    if (hf_json_int_or(entry, "sequence", 0) <= 0)
        return hf_err_set(err, EBADMSG, "entry '%.63s' has no sequence: give --sequence N", name);
    if (hf_json_str(entry, "contentDigest") == NULL && hf_json_str(entry, "from.url") == NULL)
        return hf_err_set(err, EBADMSG, "entry '%.63s' has no contentDigest: give --content PATH", name);
    return 0;
}

/* The signatures of the policy cover all entries, so another entry makes them worthless. */
static void drop_policy_signatures(struct hf_cli *cli, json_t *policy)
{
    json_t *spec = json_object_get(policy, "spec");

    if (json_object_get(spec, "signatures") == NULL)
        return;
    (void)json_object_del(spec, "signatures");
    (void)fprintf(cli->err,
                  "removed the signatures of the policy, which covered the old entry: holdfast policy sign\n");
}

int hf_cli_manifest_sign(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    const char *path = args->words[0], *target = hf_cli_value(args, "out", path);
    const char *name = hf_cli_value(args, "entry", NULL);
    _cleanup_(hf_json_freep) json_t *policy = NULL;

    if (hf_cli_content_is_pipe(path) && hf_cli_content_is_pipe(hf_cli_value(args, "content", "")))
        return hf_err_set(err, EINVAL, "FILE and --content cannot both be standard input");
    int r = hf_cli_policy_read(cli, path, &policy, err);
    if (r < 0)
        return r;
    json_t *entry = find(policy, name);
    if (entry == NULL)
        return hf_err_set(err, EINVAL, "%s has no entry '%.63s' in spec.manifests", path, name);
    r = put_sequence(args, entry, err);
    if (r == 0)
        r = put_digest(cli, args, entry, err);
    if (r == 0)
        r = check_entry(entry, name, err);
    if (r == 0)
        r = hf_cli_policy_check(cli, path, policy, err);
    if (r == 0)
        r = hf_cli_sign_manifest_all(cli, args, entry, err);
    if (r == 0)
        drop_policy_signatures(cli, policy);
    if (r == 0)
        r = hf_cli_policy_write(cli, target, policy, err);
    if (r < 0)
        return r;
    hf_cli_policy_print_signers(cli, target, json_object_get(entry, "signatures"));
    return 0;
}
