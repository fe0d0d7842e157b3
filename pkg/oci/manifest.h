/* SPDX-License-Identifier: Apache-2.0 */
/* Parses manifests and indexes of OCI and Docker (schema 2). Pure; untrusted input. */
#pragma once

#include "oci/descriptor.h"

enum {
    HF_OCI_LAYERS = 128, /* of an image; overlayfs mounts no more */
    HF_OCI_MANIFESTS = 512,
    HF_OCI_PLATFORM = 64,
};

struct hf_oci_manifest {
    char artifact_type[HF_OCI_MEDIA_TYPE]; /* "": an image, or too long */
    struct hf_oci_descriptor config;
    struct hf_oci_descriptor *layers; /* the lowest layer first */
    size_t layers_n;
};

struct hf_oci_index_entry {
    struct hf_oci_descriptor manifest;
    char platform[HF_OCI_PLATFORM]; /* "linux/arm64/v8"; "": none, or too long */
    char artifact_type[HF_OCI_MEDIA_TYPE];
    char ref_name[256];
    bool attestation; /* an attestation of buildx, not an image to run */
};
struct hf_oci_index {
    struct hf_oci_index_entry *entries;
    size_t n;
};

void hf_oci_manifest_done(struct hf_oci_manifest *manifest);
void hf_oci_index_done(struct hf_oci_index *index);

/* Returns 1 for an index, 0 for a manifest, judged by `media_type` or, if that is "", by content. -EBADMSG: neither. */
HF_MUST_USE int hf_oci_is_index(const char *media_type, struct hf_view text, struct hf_err *err);
/* Free *ret. -EBADMSG: invalid. -E2BIG: above a limit. */
HF_MUST_USE int hf_oci_manifest_parse(struct hf_view text, struct hf_oci_manifest *ret, struct hf_err *err);
HF_MUST_USE int hf_oci_index_parse(struct hf_view text, struct hf_oci_index *ret, struct hf_err *err);
