/* SPDX-License-Identifier: Apache-2.0 */
/* manifest digest. */
#include <errno.h>
#include <limits.h>

#include "api/field/text.h"
#include "cli/manifest/content.h"
#include "cli/parts.h"

const struct hf_cli_option hf_cli_manifest_digest_options[] = {
    HF_CLI_OPTION("sub-path", "PATH", "folder or file within the content, as from.subPath"),
    HF_CLI_OPTION("keep-top", NULL, "keep the top folder of an archive that git made, as a fluxSource does"),
    HF_CLI_OPTION("no-modes", NULL, "the digest of a ConfigMap or Secret with these files"),
    HF_CLI_OPTION("flux", NULL, "the digest of a fluxSource with these files; an archive is the artifact itself"),
    HF_CLI_JSON("print digest, number of files and bytes as JSON"),
    {.name = NULL},
};

/* The rule of from.subPath. Without it, the reader of the content would blame the content. */
static int check_sub_path(const char *text, struct hf_err *err)
{
    char absolute[PATH_MAX];
    int n = text != NULL ? snprintf(absolute, sizeof(absolute), "/%s", text) : 0;

    if (text == NULL || (text[0] != '/' && n < (int)sizeof(absolute) && hf_text_is_path(absolute)))
        return 0;
    return hf_err_set(err, EINVAL,
                      "--sub-path '%.80s': expected a relative path without . and .. and //, and without / at its end",
                      text);
}

int hf_cli_manifest_digest(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    const struct hf_cli_content_params params = {
        .path = args->words[0],
        .sub_path = hf_cli_value(args, "sub-path", NULL),
        .keep_top = hf_cli_flag(args, "keep-top") || hf_cli_flag(args, "flux"),
        .no_modes = hf_cli_flag(args, "no-modes"),
        .flux_modes = hf_cli_flag(args, "flux"),
    };
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;
    char digest[HF_SHA256_HEX + 8];

    if (params.no_modes && params.flux_modes)
        return hf_err_set(err, EINVAL, "--no-modes is for a ConfigMap or a Secret, --flux for a fluxSource: give one");
    int r = check_sub_path(params.sub_path, err);
    if (r == 0)
        r = hf_cli_content_read(cli, &params, &bundle, err);
    if (r < 0)
        return r;
    (void)snprintf(digest, sizeof(digest), "sha256:%s", bundle->digest);
    if (!hf_cli_flag(args, "json")) {
        (void)fprintf(cli->out, "%s\n", digest);
        return 0;
    }
    _cleanup_(hf_json_freep) json_t *json = json_pack("{s:s, s:I, s:I}", "digest", digest, "files",
                                                      (json_int_t)bundle->n, "bytes", (json_int_t)bundle->bytes);
    return hf_cli_print_json(cli, json, err);
}
