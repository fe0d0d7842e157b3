/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct hf_json_limits limits = {.max_bytes = HF_OCI_JSON_MAX, .max_depth = 16, .max_nodes = 100000};

void hf_oci_manifest_done(struct hf_oci_manifest *manifest)
{
    free(manifest->layers);
    *manifest = (struct hf_oci_manifest){.layers_n = 0};
}

void hf_oci_index_done(struct hf_oci_index *index)
{
    free(index->entries);
    *index = (struct hf_oci_index){.n = 0};
}

/* "" if it does not fit. */
static void keep(char *to, size_t size, const char *text)
{
    (void)snprintf(to, size, "%s", strlen(text) < size ? text : "");
}

static int parse(struct hf_view text, json_t **ret_json, struct hf_err *err)
{
    int r = hf_json_parse(text, &limits, ret_json, err);

    if (r == 0 && hf_json_int_or(*ret_json, "schemaVersion", 0) != 2)
        r = hf_err_set(err, EBADMSG, "schemaVersion is not 2");
    return r;
}

int hf_oci_is_index(const char *media_type, struct hf_view text, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;

    if (media_type[0] == '\0') {
        int r = parse(text, &json, err);
        if (r < 0)
            return r;
        media_type = hf_json_str_or(json, "mediaType", "");
        if (media_type[0] == '\0' && json_is_array(json_object_get(json, "manifests")))
            return 1;
        if (media_type[0] == '\0' && json_is_array(json_object_get(json, "layers")))
            return 0;
    }
    if (strcmp(media_type, HF_OCI_TYPE_INDEX) == 0 || strcmp(media_type, HF_OCI_TYPE_DOCKER_LIST) == 0)
        return 1;
    if (strcmp(media_type, HF_OCI_TYPE_MANIFEST) == 0 || strcmp(media_type, HF_OCI_TYPE_DOCKER_MANIFEST) == 0)
        return 0;
    return hf_err_set(err, EBADMSG, "neither an image's manifest nor an index: '%.100s'", media_type);
}

int hf_oci_manifest_parse(struct hf_view text, struct hf_oci_manifest *ret, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;
    struct hf_oci_manifest manifest = {.layers_n = 0};
    int r = parse(text, &json, err);

    if (r == 0)
        r = hf_oci_descriptor_parse(json_object_get(json, "config"), "config", &manifest.config, err);
    if (r < 0)
        return hf_err_wrap(err, r, "manifest");
    const json_t *layers = json_object_get(json, "layers");
    size_t n = json_array_size(layers);
    if (!json_is_array(layers))
        return hf_err_set(err, EBADMSG, "manifest: layers is no list");
    if (n > HF_OCI_LAYERS)
        return hf_err_set(err, E2BIG, "manifest: more than %d layers", HF_OCI_LAYERS);
    keep(manifest.artifact_type, sizeof(manifest.artifact_type), hf_json_str_or(json, "artifactType", ""));
    manifest.layers = calloc(n + 1, sizeof(*manifest.layers));
    if (manifest.layers == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (; r == 0 && manifest.layers_n < n; manifest.layers_n++) {
        char what[32];
        (void)snprintf(what, sizeof(what), "layer %zu", manifest.layers_n);
        r = hf_oci_descriptor_parse(json_array_get(layers, manifest.layers_n), what,
                                    &manifest.layers[manifest.layers_n], err);
    }
    if (r < 0) {
        hf_oci_manifest_done(&manifest);
        return hf_err_wrap(err, r, "manifest");
    }
    *ret = manifest;
    return 0;
}

static void read_platform(const json_t *platform, char ret[static HF_OCI_PLATFORM])
{
    const char *os = hf_json_str_or(platform, "os", ""), *variant = hf_json_str_or(platform, "variant", "");
    int n = snprintf(ret, HF_OCI_PLATFORM, "%s/%s%s%s", os, hf_json_str_or(platform, "architecture", ""),
                     variant[0] != '\0' ? "/" : "", variant);

    if (os[0] == '\0' || n < 0 || n >= HF_OCI_PLATFORM)
        ret[0] = '\0';
}

static int read_entry(const json_t *json, size_t i, struct hf_oci_index_entry *ret, struct hf_err *err)
{
    const json_t *notes = json_object_get(json, "annotations");
    const char *name = json_string_value(json_object_get(notes, "org.opencontainers.image.ref.name"));
    char what[32];

    (void)snprintf(what, sizeof(what), "manifest %zu", i);
    read_platform(json_object_get(json, "platform"), ret->platform);
    keep(ret->artifact_type, sizeof(ret->artifact_type), hf_json_str_or(json, "artifactType", ""));
    keep(ret->ref_name, sizeof(ret->ref_name), name != NULL ? name : "");
    ret->attestation = json_object_get(notes, "vnd.docker.reference.type") != NULL;
    return hf_oci_descriptor_parse(json, what, &ret->manifest, err);
}

int hf_oci_index_parse(struct hf_view text, struct hf_oci_index *ret, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;
    struct hf_oci_index index = {.n = 0};
    int r = parse(text, &json, err);

    if (r < 0)
        return hf_err_wrap(err, r, "index");
    const json_t *manifests = json_object_get(json, "manifests");
    size_t n = json_array_size(manifests);
    if (!json_is_array(manifests))
        return hf_err_set(err, EBADMSG, "index: manifests is no list");
    if (n > HF_OCI_MANIFESTS)
        return hf_err_set(err, E2BIG, "index: more than %d manifests", HF_OCI_MANIFESTS);
    index.entries = calloc(n + 1, sizeof(*index.entries));
    if (index.entries == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (; r == 0 && index.n < n; index.n++)
        r = read_entry(json_array_get(manifests, index.n), index.n, &index.entries[index.n], err);
    if (r < 0) {
        hf_oci_index_done(&index);
        return hf_err_wrap(err, r, "index");
    }
    *ret = index;
    return 0;
}
