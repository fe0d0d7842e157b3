/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror/image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mirror/store.h"
#include "oci/registry/reference.h"

bool hf_mirror_image_parse(const char *text, struct hf_mirror_image *ret_image)
{
    struct hf_oci_reference at;
    char url[1024];

    if (snprintf(url, sizeof(url), "oci://%s", text) >= (int)sizeof(url) ||
        hf_oci_reference_parse(url, &at, NULL) < 0 || !hf_mirror_digest(hf_view_of(at.digest), ret_image->sha256))
        return false;
    _Static_assert(sizeof(at.host) <= sizeof(ret_image->registry) && sizeof(at.repository) <= sizeof(ret_image->name),
                   "an image has room for each reference");
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

static int lacks(const char *sha256, uint64_t size, bool manifest, struct hf_mirror_missing *ret)
{
    *ret = (struct hf_mirror_missing){.manifest = manifest, .size = size};
    memcpy(ret->sha256, sha256, sizeof(ret->sha256));
    return 1;
}

static int look_at_blobs(char *const *stores, struct hf_view text, void (*visit)(void *arg, const char *sha256),
                         void *arg, struct hf_mirror_missing *ret_missing)
{
    struct hf_oci_manifest manifest;
    int r = hf_oci_manifest_parse(text, &manifest, NULL);

    if (r < 0)
        return r;
    for (size_t i = 0; i <= manifest.layers_n; i++) {
        const struct hf_oci_descriptor *blob = i == 0 ? &manifest.config : &manifest.layers[i - 1];
        visit(arg, blob->digest + 7);
        if (r == 0 && !hf_mirror_store_has(stores, blob->digest + 7, blob->size))
            r = lacks(blob->digest + 7, blob->size, false, ret_missing);
    }
    hf_oci_manifest_done(&manifest);
    return r;
}

int hf_mirror_image_next(char *const *stores, const struct hf_mirror_image *image, const char *platform,
                         void (*visit)(void *arg, const char *sha256), void *arg, struct hf_mirror_missing *ret_missing)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_OCI_JSON_MAX);
    struct hf_oci_index index;

    visit(arg, image->sha256);
    if (!hf_mirror_store_read(stores, image->sha256, &text))
        return lacks(image->sha256, 0, true, ret_missing);
    int r = hf_oci_is_index("", hf_buf_view(&text), NULL);
    if (r == 1) {
        char sha256[HF_SHA256_HEX] = "";
        uint64_t size = 0;
        r = hf_oci_index_parse(hf_buf_view(&text), &index, NULL);
        if (r < 0)
            return r;
        const struct hf_oci_index_entry *entry = choose(&index, platform);
        if (entry != NULL) {
            memcpy(sha256, entry->manifest.digest + 7, sizeof(sha256));
            size = entry->manifest.size;
        }
        hf_oci_index_done(&index);
        if (sha256[0] == '\0')
            return -ENOENT;
        visit(arg, sha256);
        hf_buf_clear(&text);
        if (!hf_mirror_store_read(stores, sha256, &text))
            return lacks(sha256, size, true, ret_missing);
    }
    return r < 0 ? r : look_at_blobs(stores, hf_buf_view(&text), visit, arg, ret_missing);
}
