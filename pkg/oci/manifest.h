/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and indexes, of OCI and Docker (schema 2). Pure; untrusted input. */
#pragma once

#include "oci/descriptor.h"

enum {
    HF_OCI_LAYERS = 128, /* an image's; overlayfs mounts no more */
    HF_OCI_MANIFESTS = 512,
    HF_OCI_PLATFORM = 64, /* with terminator */
};

struct hf_oci_manifest {
    char artifact_type[HF_OCI_MEDIA_TYPE]; /* "": image */
    struct hf_oci_descriptor config;
    struct hf_oci_descriptor *layers; /* lowest first */
    size_t layers_n;
};

struct hf_oci_index_entry {
    struct hf_oci_descriptor manifest;
    char platform[HF_OCI_PLATFORM];        /* "linux/arm64/v8"; "": none, too long */
    char artifact_type[HF_OCI_MEDIA_TYPE]; /* or "" */
    char ref_name[256];                    /* org.opencontainers.image.ref.name; or "" */
    bool attestation;                      /* buildx's, not to run */
};
struct hf_oci_index {
    struct hf_oci_index_entry *entries;
    size_t n;
};

void hf_oci_manifest_done(struct hf_oci_manifest *manifest);
void hf_oci_index_done(struct hf_oci_index *index);

/* 1: index, 0: manifest, by `media_type`, or if "" by content. -EBADMSG: neither. */
HF_MUST_USE int hf_oci_is_index(const char *media_type, struct hf_view text, struct hf_err *err);
/* Free *ret. -EBADMSG, -E2BIG. */
HF_MUST_USE int hf_oci_manifest_parse(struct hf_view text, struct hf_oci_manifest *ret, struct hf_err *err);
HF_MUST_USE int hf_oci_index_parse(struct hf_view text, struct hf_oci_index *ret, struct hf_err *err);
