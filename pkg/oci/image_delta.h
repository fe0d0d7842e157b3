/* SPDX-License-Identifier: Apache-2.0 */
/* The OCI artifact with deltas between two images of a platform (docs/reference/image-deltas.md). Pure; untrusted
 * input: compare digests with bytes, and a layer's `to` with the new image's manifest. */
#pragma once

#include "oci/descriptor.h"

#define HF_OCI_TYPE_IMAGE_DELTA "application/vnd.holdfast.image.delta.v1" /* artifactType */
#define HF_OCI_TYPE_LAYER_DELTA "application/vnd.holdfast.layer.delta.v1"

enum {
    HF_OCI_DELTA_BLOBS = 512, /* an artifact's */
    HF_OCI_DELTA_FROM = 128,  /* a delta's base layers */
    HF_OCI_DELTA_OFFERS = 256,
};

/* A delta, or a new blob as it is: own digest in `to`, from_n 0. */
struct hf_oci_delta_blob {
    struct hf_oci_descriptor blob;
    char to[HF_OCI_DIGEST];
    uint64_t to_size;
    char (*from)[HF_OCI_DIGEST]; /* base layers */
    size_t from_n;
};

struct hf_oci_image_delta {
    struct hf_oci_descriptor subject; /* new image's manifest; also blobs[0] */
    char from[HF_OCI_DIGEST];         /* old image's */
    struct hf_oci_delta_blob *blobs;  /* each `to` once */
    size_t blobs_n;
};

void hf_oci_image_delta_done(struct hf_oci_image_delta *delta);
uint64_t hf_oci_image_delta_bytes(const struct hf_oci_image_delta *delta); /* no overflow */

/* Free *ret. -EBADMSG, -E2BIG. */
HF_MUST_USE int hf_oci_image_delta_parse(struct hf_view text, struct hf_oci_image_delta *ret, struct hf_err *err);
/* Deterministic. -E2BIG (out->max). */
HF_MUST_USE int hf_oci_image_delta_format(const struct hf_oci_image_delta *delta, struct hf_buf *out,
                                          struct hf_err *err);

/* What the index of a manifest's referrers, or of an OCI layout, says of an artifact. */
struct hf_oci_delta_offer {
    struct hf_oci_descriptor artifact;
    char to[HF_OCI_DIGEST], from[HF_OCI_DIGEST]; /* manifests */
    uint64_t bytes;
};
json_t *hf_oci_delta_offer_json(const struct hf_oci_delta_offer *offer); /* a descriptor */

/* Appends the index (empty: new), with the offer last, in place of another between its manifests. -EBADMSG,
 * -E2BIG. */
HF_MUST_USE int hf_oci_delta_offer_add(struct hf_view index, const struct hf_oci_delta_offer *offer, struct hf_buf *out,
                                       struct hf_err *err);

/* An index's offers, in order; leaves out other entries, and offers without an annotation. Free *ret_offers. -EBADMSG:
 * no index. -E2BIG: HF_OCI_DELTA_OFFERS. */
HF_MUST_USE int hf_oci_delta_offers_parse(struct hf_view index, struct hf_oci_delta_offer **ret_offers, size_t *ret_n,
                                          struct hf_err *err);
