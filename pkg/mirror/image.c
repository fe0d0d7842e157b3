/* SPDX-License-Identifier: Apache-2.0 */
/* A digest has one content, so each manifest is read once: a registry's large ones would hold the loop up at each look.
 */
#include "mirror/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mirror/store.h"
#include "oci/registry/reference.h"
#include "os/fd.h"

bool hf_mirror_image_parse(const char *text, struct hf_mirror_image *ret_image)
{
    struct hf_oci_reference at;
    char url[1024];

    if (snprintf(url, sizeof(url), "oci://%s", text) >= (int)sizeof(url) ||
        hf_oci_reference_parse(url, &at, NULL) < 0 || !hf_mirror_digest(hf_view_of(at.digest), ret_image->sha256))
        return false;
    _Static_assert(sizeof(at.host) <= sizeof(ret_image->registry) && sizeof(at.repository) <= sizeof(ret_image->name),
                   "an image has room for each reference");
    ret_image->blobs = NULL;
    hf_mirror_image_forget(ret_image);
    memcpy(ret_image->registry, at.host, sizeof(at.host));
    memcpy(ret_image->name, at.repository, sizeof(at.repository));
    return true;
}

/* The platform itself, or the first of its variants: "linux/arm/v7" for "linux/arm". */
static const struct hf_oci_index_entry *choose(const struct hf_oci_index *index, const char *platform)
{
    const struct hf_oci_index_entry *found = NULL;
    size_t n = strlen(platform);

    for (size_t i = 0; i < index->n; i++) {
        const struct hf_oci_index_entry *entry = &index->entries[i];
        if (entry->attestation || entry->artifact_type[0] != '\0' || strncmp(entry->platform, platform, n) != 0)
            continue;
        if (entry->platform[n] == '\0')
            return entry;
        if (entry->platform[n] == '/' && found == NULL)
            found = entry;
    }
    return found;
}

/* ---- what the manifests say -------------------------------------------------------------------------------------- */

void hf_mirror_image_forget(struct hf_mirror_image *image)
{
    free(hf_steal(image->blobs));
    image->blobs_n = image->unread = 0;
    image->wrong = 0;
}

static int add_blobs(struct hf_mirror_image *image, size_t n)
{
    struct hf_mirror_blob *blobs = reallocarray(image->blobs, image->blobs_n + n, sizeof(*blobs));

    if (blobs == NULL)
        return -ENOMEM;
    image->blobs = blobs;
    return 0;
}

static void add(struct hf_mirror_image *image, const char *sha256, uint64_t size, bool manifest)
{
    struct hf_mirror_blob *blob = &image->blobs[image->blobs_n++];

    *blob = (struct hf_mirror_blob){.manifest = manifest, .size = size};
    memcpy(blob->sha256, sha256, sizeof(blob->sha256));
}

static int take_index(struct hf_mirror_image *image, struct hf_view text, const char *platform)
{
    struct hf_oci_index index;
    int r = hf_oci_index_parse(text, &index, NULL);

    if (r < 0)
        return r;
    const struct hf_oci_index_entry *entry = choose(&index, platform);
    r = entry == NULL ? -ENOENT : add_blobs(image, 1);
    if (r == 0) {
        image->unread = image->blobs_n;
        add(image, entry->manifest.digest + 7, entry->manifest.size, true);
    }
    hf_oci_index_done(&index);
    return r;
}

static int take_manifest(struct hf_mirror_image *image, struct hf_view text)
{
    struct hf_oci_manifest manifest;
    int r = hf_oci_manifest_parse(text, &manifest, NULL);

    if (r < 0)
        return r;
    r = add_blobs(image, manifest.layers_n + 1);
    for (size_t i = 0; r == 0 && i <= manifest.layers_n; i++) {
        const struct hf_oci_descriptor *blob = i == 0 ? &manifest.config : &manifest.layers[i - 1];
        add(image, blob->digest + 7, blob->size, false);
    }
    hf_oci_manifest_done(&manifest);
    image->unread = r == 0 ? image->blobs_n : image->unread;
    return r;
}

/* 1: it is not here. */
static int read_next(char *const *stores, struct hf_mirror_image *image, const char *platform, size_t *bytes)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_OCI_JSON_MAX);
    struct hf_mirror_blob *blob = &image->blobs[image->unread];
    uint64_t size = 0;
    _cleanup_(hf_closep) int fd = hf_mirror_store_open(stores, blob->sha256, &size);

    if (fd < 0 || size > HF_OCI_JSON_MAX)
        return 1;
    if (size > *bytes)
        return -EAGAIN;
    *bytes -= (size_t)size;
    if (!hf_mirror_store_read(stores, blob->sha256, &text))
        return 1;
    blob->size = text.n;
    int r = image->unread == 0 ? hf_oci_is_index("", hf_buf_view(&text), NULL) : 0;
    if (r >= 0)
        r = r == 1 ? take_index(image, hf_buf_view(&text), platform) : take_manifest(image, hf_buf_view(&text));
    return r;
}

/* 1: a manifest is not here. What is wrong with one stays so. */
static int learn(char *const *stores, struct hf_mirror_image *image, const char *platform, size_t *bytes)
{
    int r = 0;

    if (image->blobs_n == 0) {
        r = add_blobs(image, 1);
        if (r < 0)
            return r;
        add(image, image->sha256, 0, true);
    }
    while (r == 0 && image->wrong == 0 && image->unread < image->blobs_n) {
        r = read_next(stores, image, platform, bytes);
        if (r < 0 && r != -EAGAIN && r != -ENOMEM) {
            image->wrong = r;
            r = 0;
        }
    }
    return r;
}

/* ---- what is here ------------------------------------------------------------------------------------------------ */

static bool is_here(char *const *stores, const struct hf_mirror_blob *blob)
{
    return hf_mirror_store_has(stores, blob->sha256, blob->manifest && blob->size == 0 ? UINT64_MAX : blob->size);
}

int hf_mirror_image_next(char *const *stores, struct hf_mirror_image *image, const char *platform, size_t *bytes,
                         void (*visit)(void *arg, const char *sha256), void *arg, struct hf_mirror_blob *ret_missing)
{
    int r = learn(stores, image, platform, bytes);

    for (size_t i = 0; i < image->blobs_n; i++)
        visit(arg, image->blobs[i].sha256);
    if (r == 0)
        r = image->wrong;
    if (r == 1)
        *ret_missing = image->blobs[image->unread];
    for (size_t i = 0; i < image->blobs_n && r == 0; i++) {
        if (is_here(stores, &image->blobs[i]))
            continue;
        *ret_missing = image->blobs[i];
        r = 1;
    }
    return r;
}
