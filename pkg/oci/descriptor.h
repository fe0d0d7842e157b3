/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors of blobs in the OCI image specification: media type, digest, size. Pure; untrusted input.
 *
 * Accepts only SHA-256 in lower case: what cannot be checked is refused. */
#pragma once

#include "codec/json.h"

enum {
    HF_OCI_DIGEST = 72,
    HF_OCI_MEDIA_TYPE = 128,
    HF_OCI_JSON_MAX = 4 << 20, /* bytes of a manifest that registries must accept */
};
#define HF_OCI_SIZE_MAX (1ull << 40)

#define HF_OCI_TYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define HF_OCI_TYPE_INDEX "application/vnd.oci.image.index.v1+json"
#define HF_OCI_TYPE_CONFIG "application/vnd.oci.image.config.v1+json"
#define HF_OCI_TYPE_EMPTY "application/vnd.oci.empty.v1+json"
#define HF_OCI_TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define HF_OCI_TYPE_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"

struct hf_oci_descriptor {
    char media_type[HF_OCI_MEDIA_TYPE];
    char digest[HF_OCI_DIGEST];
    uint64_t size;
};

bool hf_oci_is_digest(const char *text);
const char *hf_oci_digest_of(const void *bytes, size_t n, char digest[static HF_OCI_DIGEST]);

/* -EBADMSG: invalid; *err names `what`, such as "layer 3". */
HF_MUST_USE int hf_oci_descriptor_parse(const json_t *json, const char *what, struct hf_oci_descriptor *ret,
                                        struct hf_err *err);
json_t *hf_oci_descriptor_json(const struct hf_oci_descriptor *descriptor);
