/* SPDX-License-Identifier: Apache-2.0 */
/* release push: the files of a release whose URLs are oci://, as blobs of one artifact in their repository. A manifest
 * keeps the registry from collecting them, and has the tag <name>-<version>; nodes ask for the blobs alone. Blobs come
 * first, so that a push which is cut short leaves no tag. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "api/edgeupdate.h"
#include "base/asprintf.h"
#include "cli/image/source.h"
#include "cli/plain.h"
#include "cli/release/release_file.h"
#include "codec/json.h"

#define TYPE_RELEASE "application/vnd.holdfast.release.v1"
#define TYPE_FILE "application/vnd.holdfast.release.file.v1"
#define TYPE_OBJECT "application/vnd.holdfast.edgeupdate.v1+yaml"
#define EMPTY_DIGEST "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" /* of {} */

const struct hf_cli_option hf_cli_release_push_options[] = {
    HF_CLI_OPTION("authfile", "FILE", "logins of registries, as docker's config.json (docker's own)"),
    HF_CLI_OPTION("ca-file", "FILE", "certificate authority of the registry (the system's)"),
    {.name = NULL},
};

struct push {
    struct hf_cli *cli;
    const char *folder;
    struct hf_oci_reference at; /* of the first file; host "": none yet */
    const struct hf_cli_image_access *access;
    struct hf_oci_registry *registry;
    json_t *layers;
    uint64_t bytes;
};

static void draw(void *ctx, uint64_t done, uint64_t total)
{
    struct hf_cli *cli = ctx;

    if (cli->terminal)
        hf_cli_progress(cli, "upload", done, total);
}

static bool is_listed(const struct push *push, const char *digest)
{
    for (size_t i = 0; i < json_array_size(push->layers); i++)
        if (strcmp(hf_json_str_or(json_array_get(push->layers, i), "digest", ""), digest) == 0)
            return true;
    return false;
}

/* Pushes a file and lists it, under the last part of its path. */
static int push_file(struct push *push, const char *path, const char *type, const char *want, struct hf_err *err)
{
    _cleanup_(hf_cli_map_done) struct hf_cli_map map = {.p = NULL};
    struct hf_oci_descriptor blob;
    int r = hf_cli_map_open(push->cli, path, SIZE_MAX, &map, err);

    if (r < 0)
        return r;
    (void)snprintf(blob.media_type, sizeof(blob.media_type), "%s", type);
    (void)hf_oci_digest_of(map.p, map.n, blob.digest);
    blob.size = map.n;
    if (want != NULL && strcmp(want, blob.digest) != 0)
        return hf_err_set(err, EBADMSG, "'%s' has changed: its digest is %s, not %s", path, blob.digest, want);
    if (is_listed(push, blob.digest))
        return 0;
    r = hf_oci_registry_put_blob(push->registry, push->at.repository, blob.digest, (struct hf_view){map.p, map.n}, draw,
                                 push->cli, err);
    hf_cli_progress_end(push->cli);
    if (r < 0)
        return r;
    push->bytes += blob.size;
    json_t *layer = hf_oci_descriptor_json(&blob);
    if (layer == NULL ||
        json_object_set_new(
            layer, "annotations",
            json_pack("{s:o}", "org.opencontainers.image.title", hf_cli_json_text(strrchr(path, '/') + 1))) < 0 ||
        json_array_append_new(push->layers, layer) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    return 0;
}

/* The file that a URL of the release means. `may_lack`: of an earlier release. */
static int push_url(struct push *push, const char *url, uint64_t size, bool may_lack, struct hf_err *err)
{
    struct hf_oci_reference at;

    if (strncmp(url, "oci://", 6) != 0)
        return 0;
    int r = hf_oci_reference_parse(url, &at, err);
    if (r < 0)
        return r;
    if (push->registry == NULL) {
        push->at = at;
        r = hf_cli_image_registry(push->access, &at, &push->registry, err);
    }
    if (r < 0)
        return r;
    _cleanup_(hf_freep) char *path = hf_release_file_path(push->cli, push->folder, url, size, err);
    if (path == NULL)
        return -err->code;
    if (access(path, F_OK) < 0)
        return may_lack ? 0
                        : hf_err_set(err, ENOENT,
                                     "no file of '%s' has the digest of '%.200s': it is missing, or has changed",
                                     push->folder, url);
    if (strcmp(at.host, push->at.host) != 0 || strcmp(at.repository, push->at.repository) != 0)
        return hf_err_set(err, EINVAL, "'%.200s' is not in the repository of the release's first file, %s/%s", url,
                          push->at.host, push->at.repository);
    return push_file(push, path, TYPE_FILE, at.digest, err);
}

static int push_files(struct push *push, const struct hf_release *release, struct hf_err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < release->n_artifacts; i++) {
        const struct hf_artifact *one = &release->artifacts[i];
        r = push_url(push, one->url, one->download.sha256 != NULL ? one->download.size : one->size, false, err);
        for (size_t k = 0; r == 0 && k < one->n_deltas; k++)
            r = push_url(push, one->deltas[k].url, one->deltas[k].size, false, err);
        for (size_t k = 0; r == 0 && k < one->n_steps; k++)
            r = push_url(push, one->steps[k].url, one->steps[k].size, true, err);
    }
    return r;
}

/* Characters that a tag may have, and at most as many. */
static void make_tag(const struct hf_release *release, char tag[static HF_OCI_TAG])
{
    (void)snprintf(tag, HF_OCI_TAG, "%.60s-%.60s", release->name, release->version);
    for (char *p = tag; *p != '\0'; p++)
        if (*p == '+' || *p == '~')
            *p = '_';
}

static int put_manifest(struct push *push, const char *tag, struct hf_err *err)
{
    const struct hf_oci_descriptor empty = {HF_OCI_TYPE_EMPTY, EMPTY_DIGEST, 2};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_OCI_JSON_MAX);
    _cleanup_(hf_json_freep) json_t *manifest =
        json_pack("{s:i, s:s, s:s, s:o, s:O}", "schemaVersion", 2, "mediaType", HF_OCI_TYPE_MANIFEST, "artifactType",
                  TYPE_RELEASE, "config", hf_oci_descriptor_json(&empty), "layers", push->layers);
    int r = manifest != NULL ? hf_json_canonical(manifest, &text, err) : hf_err_set(err, ENOMEM, "out of memory");

    if (r == 0)
        r = hf_oci_registry_put_blob(push->registry, push->at.repository, EMPTY_DIGEST, HF_VIEW("{}"), NULL, NULL, err);
    return r == 0 ? hf_oci_registry_put_manifest(push->registry, push->at.repository, tag, HF_OCI_TYPE_MANIFEST,
                                                 hf_buf_view(&text), err)
                  : r;
}

static int push_release(struct push *push, const char *path, const struct hf_release *release, struct hf_err *err)
{
    char tag[HF_OCI_TAG], size[HF_CLI_BYTES_TEXT];
    int r = push_files(push, release, err);

    if (r == 0 && push->registry == NULL)
        return hf_err_set(err, EINVAL,
                          "no URL of the release is oci://...: make it with --url-base oci://HOST/REPOSITORY");
    if (r == 0)
        r = push_file(push, path, TYPE_OBJECT, NULL, err);
    make_tag(release, tag);
    if (r == 0)
        r = put_manifest(push, tag, err);
    if (r == 0)
        hf_cli_print_line(push->cli->out, "%zu files (%s) pushed to %s/%s:%s", json_array_size(push->layers),
                          hf_cli_bytes(push->bytes, size), push->at.host, push->at.repository, tag);
    return r;
}

int hf_cli_release_push(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_freep) char *path =
        hf_asprintf("%s%s", strchr(args->words[0], '/') != NULL ? "" : "./", args->words[0]);
    _cleanup_(hf_freep) char *folder =
        path != NULL ? hf_asprintf("%.*s", (int)(strrchr(path, '/') - path), path) : NULL;
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *update = NULL;
    _cleanup_(hf_json_freep) json_t *json = NULL;
    _cleanup_(hf_buf_done) struct hf_buf ca = HF_BUF_INIT(0);
    struct hf_cli_image_access access = {.ca_pem = NULL};
    struct push push = {.cli = cli, .folder = folder, .access = &access, .layers = json_array()};

    int r = folder != NULL && push.layers != NULL ? hf_cli_read_update(cli, path, &json, err)
                                                  : hf_err_set(err, ENOMEM, "out of memory");
    if (r == 0)
        r = hf_cli_decode_update(cli, path, json, &update, err);
    if (r == 0)
        r = hf_cli_image_access_init(cli, args, &ca, &access, err);
    if (r == 0)
        r = push_release(&push, path, &update->release, err);
    hf_oci_registry_free(push.registry);
    hf_buf_wipe(&access.logins);
    json_decref(push.layers);
    return r;
}
