/* SPDX-License-Identifier: Apache-2.0 */
/* What is named last is complete: blobs first, then the manifest, then the index that lists it. So a run that is cut
 * short leaves nothing that a node would take. */
#include "cli/image/made.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/dir.h"
#include "os/file.h"

#define EMPTY_DIGEST "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" /* of {} */

void hf_cli_made_done(struct hf_cli_made *made)
{
    for (size_t i = 0; i < made->delta.blobs_n; i++)
        hf_cli_map_done(&made->maps[i]);
    hf_oci_image_delta_done(&made->delta);
    hf_buf_done(&made->text);
}

struct hf_oci_delta_blob *hf_cli_made_add(struct hf_cli_made *made, const struct hf_cli_scratch *scratch,
                                          const char *media_type, struct hf_err *err)
{
    struct hf_oci_image_delta *delta = &made->delta;

    if (delta->blobs == NULL)
        delta->blobs = calloc(HF_OCI_DELTA_BLOBS, sizeof(*delta->blobs));
    if (delta->blobs == NULL || delta->blobs_n == HF_OCI_DELTA_BLOBS) {
        (void)hf_err_set(err, delta->blobs == NULL ? ENOMEM : E2BIG, "no room for another layer");
        return NULL;
    }
    struct hf_cli_map *map = &made->maps[delta->blobs_n];
    struct hf_oci_delta_blob *blob = &delta->blobs[delta->blobs_n];
    if (hf_cli_scratch_map(scratch, map, err) < 0)
        return NULL;
    delta->blobs_n++;
    (void)snprintf(blob->blob.media_type, sizeof(blob->blob.media_type), "%s", media_type);
    (void)hf_oci_digest_of(map->p, map->n, blob->blob.digest);
    blob->blob.size = map->n;
    memcpy(blob->to, blob->blob.digest, sizeof(blob->to));
    blob->to_size = map->n;
    return blob;
}

int hf_cli_made_add_text(struct hf_cli_made *made, struct hf_view text, const char *media_type, struct hf_err *err)
{
    _cleanup_(hf_cli_scratch_done) struct hf_cli_scratch scratch = HF_CLI_SCRATCH_INIT;
    int r = hf_cli_scratch_open(&scratch, err);

    if (r == 0)
        r = hf_cli_scratch_write(&scratch, text.p, text.n);
    if (r == 0 && hf_cli_made_add(made, &scratch, media_type, err) == NULL)
        r = -err->code;
    return r;
}

bool hf_cli_made_has(const struct hf_cli_made *made, const char *digest)
{
    for (size_t i = 0; i < made->delta.blobs_n; i++)
        if (strcmp(made->delta.blobs[i].to, digest) == 0)
            return true;
    return false;
}

int hf_cli_made_finish(struct hf_cli_made *made, struct hf_err *err)
{
    struct hf_oci_delta_offer *offer = &made->offer;

    made->text = (struct hf_buf)HF_BUF_INIT(HF_OCI_JSON_MAX);
    int r = hf_oci_image_delta_format(&made->delta, &made->text, err);
    if (r < 0)
        return r;
    *offer = (struct hf_oci_delta_offer){.bytes = hf_oci_image_delta_bytes(&made->delta)};
    (void)snprintf(offer->artifact.media_type, sizeof(offer->artifact.media_type), "%s", HF_OCI_TYPE_MANIFEST);
    (void)hf_oci_digest_of(made->text.p, made->text.n, offer->artifact.digest);
    offer->artifact.size = made->text.n;
    memcpy(offer->to, made->delta.subject.digest, sizeof(offer->to));
    memcpy(offer->from, made->delta.from, sizeof(offer->from));
    return 0;
}

/* ---- a layout ---------------------------------------------------------------------------------------------------- */

static int write_blob(struct hf_cli *cli, const char *folder, const char *digest, const void *bytes, size_t n,
                      struct hf_err *err)
{
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/blobs/sha256/%s", folder, digest + 7);

    return path != NULL ? hf_file_replace(cli->fs, path, bytes, n, 0644, err)
                        : hf_err_set(err, ENOMEM, "out of memory");
}

static int write_index(struct hf_cli *cli, const struct hf_cli_made *made, const char *folder, struct hf_err *err)
{
    static const char mark[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
    _cleanup_(hf_freep) char *layout = hf_asprintf("%s/oci-layout", folder),
                             *path = hf_asprintf("%s/index.json", folder);
    _cleanup_(hf_buf_done) struct hf_buf before = HF_BUF_INIT(HF_OCI_JSON_MAX), after = HF_BUF_INIT(HF_OCI_JSON_MAX);

    if (layout == NULL || path == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = hf_file_read(cli->fs, path, &before, err);
    if (r == 0 || r == -ENOENT)
        r = hf_oci_delta_offer_add(hf_buf_view(&before), &made->offer, &after, err);
    if (r < 0)
        return hf_err_wrap(err, r, "'%s'", path);
    r = hf_file_replace(cli->fs, layout, mark, sizeof(mark) - 1, 0644, err);
    return r == 0 ? hf_file_replace(cli->fs, path, after.p, after.n, 0644, err) : r;
}

int hf_cli_made_write(struct hf_cli *cli, const struct hf_cli_made *made, const char *folder, struct hf_err *err)
{
    _cleanup_(hf_freep) char *blobs = hf_asprintf("%s/blobs/sha256", folder);
    int r = blobs != NULL ? hf_dir_make(cli->fs, blobs, 0755, err) : hf_err_set(err, ENOMEM, "out of memory");

    if (r == 0)
        r = write_blob(cli, folder, EMPTY_DIGEST, "{}", 2, err);
    for (size_t i = 0; r == 0 && i < made->delta.blobs_n; i++)
        r = write_blob(cli, folder, made->delta.blobs[i].blob.digest, made->maps[i].p, made->maps[i].n, err);
    if (r == 0)
        r = write_blob(cli, folder, made->offer.artifact.digest, made->text.p, made->text.n, err);
    return r == 0 ? write_index(cli, made, folder, err) : r;
}

/* ---- a registry -------------------------------------------------------------------------------------------------- */

static void draw(void *ctx, uint64_t done, uint64_t total)
{
    struct hf_cli *cli = ctx;

    if (cli->terminal)
        hf_cli_progress(cli, "upload", done, total);
}

/* Registries without the API of referrers list them in an index with a tag of its own, which clients keep. */
static int list_by_tag(const struct hf_cli_made *made, struct hf_oci_registry *registry, const char *repository,
                       struct hf_view before, struct hf_err *err)
{
    _cleanup_(hf_freep) char *tag = hf_asprintf("sha256-%s", made->offer.to + 7);
    _cleanup_(hf_buf_done) struct hf_buf after = HF_BUF_INIT(HF_OCI_JSON_MAX);
    int r = tag != NULL ? hf_oci_delta_offer_add(before, &made->offer, &after, err)
                        : hf_err_set(err, ENOMEM, "out of memory");

    return r == 0 ? hf_oci_registry_put_manifest(registry, repository, tag, HF_OCI_TYPE_INDEX, hf_buf_view(&after), err)
                  : r;
}

int hf_cli_made_push(struct hf_cli *cli, const struct hf_cli_made *made, struct hf_oci_registry *registry,
                     const char *repository, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf listed = HF_BUF_INIT(HF_OCI_JSON_MAX);
    bool api = false;
    int r = hf_oci_registry_put_blob(registry, repository, EMPTY_DIGEST, HF_VIEW("{}"), NULL, NULL, err);

    for (size_t i = 0; r == 0 && i < made->delta.blobs_n; i++)
        r = hf_oci_registry_put_blob(registry, repository, made->delta.blobs[i].blob.digest,
                                     (struct hf_view){made->maps[i].p, made->maps[i].n}, draw, cli, err);
    if (r == 0)
        r = hf_oci_registry_put_manifest(registry, repository, made->offer.artifact.digest, HF_OCI_TYPE_MANIFEST,
                                         hf_buf_view(&made->text), err);
    hf_cli_progress_end(cli);
    if (r < 0)
        return r;
    r = hf_oci_registry_referrers(registry, repository, made->offer.to, &listed, &api, err);
    if (api || (r < 0 && r != -ENOENT))
        return r;
    return list_by_tag(made, registry, repository, hf_buf_view(&listed), err);
}
