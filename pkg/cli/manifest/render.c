/* SPDX-License-Identifier: Apache-2.0 */
/* manifest render. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "api/manifest_reason.h"
#include "api/syncpolicy.h"
#include "cli/manifest/content.h"
#include "cli/manifest/made.h"
#include "cli/parts.h"
#include "cli/release/policy_file.h"
#include "manifests/source/substitute.h"

const struct hf_cli_option hf_cli_manifest_render_options[] = {
    HF_CLI_OPTION("file", "FILE", "the SyncPolicy", .letter = 'f', .required = true),
    HF_CLI_OPTION("entry", "NAME", "name of the entry in spec.manifests", .required = true),
    HF_CLI_OPTION("node", "NAME", "name of the node (HOLDFAST_NODE)", .required = true),
    HF_CLI_OPTION("arch", "ARCH", "architecture of the node (HOLDFAST_ARCH; default amd64)"),
    HF_CLI_OPTION("label", "KEY=VALUE", "a label of the node", .letter = 'l', .repeats = true),
    {.name = NULL},
};

static int decode(struct hf_cli *cli, const char *path, json_t *json, struct hf_syncpolicy **ret_policy,
                  struct hf_err *err)
{
    _cleanup_(hf_freep) struct hf_issues *issues = calloc(1, sizeof(*issues));
    int r = issues != NULL ? hf_syncpolicy_decode(json, ret_policy, issues) : -ENOMEM;

    if (r == -ENOMEM)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (r == 0)
        return 0;
    hf_cli_print_issues(cli, path, issues);
    return hf_err_set(err, EBADMSG, "%s: no node would take this policy", path);
}

static const struct hf_manifest *find(const struct hf_syncpolicy *policy, const char *name)
{
    assert(policy != NULL);
    for (size_t i = 0; i < policy->n_manifests; i++)
        if (strcmp(policy->manifests[i].name, name) == 0)
            return &policy->manifests[i];
    return NULL;
}

/* Replaces the variables, if the entry has `substitute`. */
static int substitute(const struct hf_cli_args *args, const struct hf_manifest *entry, struct hf_bundle **bundle,
                      struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *labels = json_object();
    struct hf_strmap values = {.free_value = free};
    struct hf_bundle *replaced = NULL;
    int r = hf_cli_read_labels(args, labels, err);

    if (r < 0 || entry->substitute == NULL)
        return r;
    if (hf_substitute_add_values(&values, entry->substitute) < 0 ||
        hf_substitute_add_facts(&values, hf_cli_value(args, "node", ""), hf_cli_value(args, "arch", "amd64"), labels) <
            0)
        r = hf_err_set(err, ENOMEM, "out of memory");
    if (r == 0)
        r = hf_substitute_bundle(*bundle, &values, &replaced, err);
    hf_strmap_done(&values);
    if (r < 0)
        return r;
    hf_bundle_free(*bundle);
    *bundle = replaced;
    return 0;
}

int hf_cli_manifest_render(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    const char *path = hf_cli_value(args, "file", NULL), *name = hf_cli_value(args, "entry", NULL);
    _cleanup_(hf_json_freep) json_t *json = NULL;
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *policy = NULL;
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;

    if (hf_cli_content_is_pipe(path) && hf_cli_content_is_pipe(args->words[0]))
        return hf_err_set(err, EINVAL, "--file and PATH cannot both be standard input");
    int r = hf_cli_policy_read(cli, path, &json, err);
    if (r == 0)
        r = decode(cli, path, json, &policy, err);
    if (r < 0)
        return r;
    const struct hf_manifest *entry = find(policy, name);
    if (entry == NULL)
        return hf_err_set(err, EINVAL, "%s has no entry '%.63s' in spec.manifests", path, name);
    const char *unsupported = hf_manifest_unsupported(entry);
    if (unsupported != NULL)
        return hf_err_set(err, EBADMSG, "%s: %s", hf_manifest_reason_name(HF_MANIFEST_REASON_UNSUPPORTED), unsupported);
    const struct hf_cli_content_params params = {
        .path = args->words[0],
        .sub_path = entry->from.sub_path,
        .keep_top = entry->from.kind == HF_MANIFEST_FROM_FLUX,
        .no_modes = entry->from.kind == HF_MANIFEST_FROM_CONFIG_MAP || entry->from.kind == HF_MANIFEST_FROM_SECRET,
        .flux_modes = entry->from.kind == HF_MANIFEST_FROM_FLUX,
    };
    r = hf_cli_content_read(cli, &params, &bundle, err);
    if (r == 0 && entry->content_digest != NULL && strcmp(entry->content_digest, bundle->digest) != 0)
        r = hf_err_set(err, EBADMSG, "DigestMismatch: %.80s has sha256:%s, and contentDigest is sha256:%s",
                       args->words[0], bundle->digest, entry->content_digest);
    if (r == 0)
        r = substitute(args, entry, &bundle, err);
    return r == 0 ? hf_cli_print_made(cli, entry, hf_steal(bundle), err) : r;
}
