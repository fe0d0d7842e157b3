/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/manifest/content.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "manifests/source/archive_download.h"
#include "manifests/source/folder_read.h"
#include "manifests/source/unarchive.h"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), end_n = strlen(end);

    return n >= end_n && strcmp(text + n - end_n, end) == 0;
}

bool hf_cli_content_is_pipe(const char *path)
{
    return strcmp(path, "-") == 0;
}

static bool is_archive(const char *path)
{
    return ends_with(path, ".tar.gz") || ends_with(path, ".tgz") || hf_cli_content_is_pipe(path);
}

/* Passes on why a node would refuse the content. */
static int refuse(const struct hf_source_failure *failure, int r, const char *path, struct hf_err *err)
{
    char text[300];
    bool content =
        failure->reason != HF_MANIFEST_REASON_SOURCE_UNREACHABLE && failure->reason != HF_MANIFEST_REASON_SOURCE_GONE;

    (void)hf_err_text(&failure->err, text, sizeof(text));
    if (!content)
        return hf_err_set(err, -r, "%.200s", text);
    return hf_err_set(err, EBADMSG, "%.80s: %s: %.140s", path, hf_manifest_reason_name(failure->reason), text);
}

static int read_archive(struct hf_cli *cli, const struct hf_cli_content_params *params, struct hf_bundle **ret_bundle,
                        struct hf_err *err)
{
    const struct hf_unarchive_params unarchive_params = {.sub_path = params->sub_path, .drop_top = !params->keep_top};
    _cleanup_(hf_unarchive_freep) struct hf_unarchive *unarchive = hf_unarchive_new(&unarchive_params);
    _cleanup_(hf_cli_map_done) struct hf_cli_map map = {.p = NULL};
    struct hf_source_failure failure;
    int r = hf_cli_map_open(cli, params->path, HF_ARCHIVE_DOWNLOAD_MAX_BYTES, &map, err);

    if (r < 0)
        return r;
    if (unarchive == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    r = hf_unarchive_feed(unarchive, map.p, map.n, &failure);
    if (r == 0)
        r = hf_unarchive_finish(unarchive, ret_bundle, &failure);
    return r < 0 ? refuse(&failure, r, params->path, err) : 0;
}

static int read_folder(struct hf_cli *cli, const struct hf_cli_content_params *params, struct hf_bundle **ret_bundle,
                       struct hf_err *err)
{
    char path[PATH_MAX], fingerprint[HF_SHA256_HEX], resolved[HF_WALK_MAX_PATH];
    struct hf_source_failure failure;

    if (realpath(params->path, path) == NULL)
        return hf_err_sys(err, -errno, "open '%.200s'", params->path);
    const struct hf_folder_read_params folder = {.fs = cli->fs, .path = path, .sub_path = params->sub_path};
    int r = hf_folder_read_look(&folder, fingerprint, resolved, &failure);
    if (r == 0)
        r = hf_folder_read_all(&folder, fingerprint, ret_bundle, &failure);
    return r < 0 ? refuse(&failure, r, params->path, err) : 0;
}

/* Makes the same bundle without modes. */
static int drop_modes(struct hf_bundle *bundle, struct hf_err *err)
{
    assert(bundle != NULL);
    for (size_t i = 0; i < bundle->n; i++)
        bundle->files[i].mode = HF_BUNDLE_NO_MODE;
    return hf_bundle_seal(bundle, err);
}

/* Makes the same bundle with the modes that source-controller writes into its archives. */
static int put_flux_modes(struct hf_bundle *bundle, struct hf_err *err)
{
    assert(bundle != NULL);
    for (size_t i = 0; i < bundle->n; i++)
        bundle->files[i].mode = (bundle->files[i].mode & 0111) != 0 ? 0700 : 0600;
    return hf_bundle_seal(bundle, err);
}

int hf_cli_content_read(struct hf_cli *cli, const struct hf_cli_content_params *params, struct hf_bundle **ret_bundle,
                        struct hf_err *err)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;
    bool archive = is_archive(params->path);
    int r = archive ? read_archive(cli, params, &bundle, err) : read_folder(cli, params, &bundle, err);

    if (r == 0 && params->no_modes)
        r = drop_modes(bundle, err);
    if (r == 0 && params->flux_modes && !archive)
        r = put_flux_modes(bundle, err);
    if (r == 0)
        *ret_bundle = hf_steal(bundle);
    return r;
}
