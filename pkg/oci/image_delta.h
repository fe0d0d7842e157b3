/* SPDX-License-Identifier: Apache-2.0 */
/* The OCI artifact with the deltas between two images for one platform (docs/reference/image-deltas.md). Pure;
 * untrusted input: compare digests with bytes, and `to` of a layer with the new image's manifest. */
#pragma once

#include "oci/descriptor.h"

#define HF_OCI_TYPE_IMAGE_DELTA "application/vnd.holdfast.image.delta.v1"
#define HF_OCI_TYPE_LAYER_DELTA "application/vnd.holdfast.layer.delta.v1"

enum {
    HF_OCI_DELTA_BLOBS = 512,
    HF_OCI_DELTA_FROM = 128,
    HF_OCI_DELTA_OFFERS = 256,
};

/* A delta that makes the blob `to`. If from_n is 0, `blob` is that blob itself. */
struct hf_oci_delta_blob {
    struct hf_oci_descriptor blob;
    char to[HF_OCI_DIGEST];
    uint64_t to_size;
    char (*from)[HF_OCI_DIGEST];
    size_t from_n;
};

struct hf_oci_image_delta {
    struct hf_oci_descriptor subject; /* manifest of the new image, which is also blobs[0] */
    char from[HF_OCI_DIGEST];         /* manifest of the old image */
    struct hf_oci_delta_blob *blobs;  /* each `to` once */
    size_t blobs_n;
};

void hf_oci_image_delta_done(struct hf_oci_image_delta *delta);
uint64_t hf_oci_image_delta_bytes(const struct hf_oci_image_delta *delta); /* size of all blobs */

/* Free *ret. -EBADMSG: invalid. -E2BIG: above a limit. */
HF_MUST_USE int hf_oci_image_delta_parse(struct hf_view text, struct hf_oci_image_delta *ret, struct hf_err *err);
/* Deterministic. -E2BIG: above out->max. */
HF_MUST_USE int hf_oci_image_delta_format(const struct hf_oci_image_delta *delta, struct hf_buf *out,
                                          struct hf_err *err);

/* What an index (of a manifest's referrers, or of an OCI layout) says about an artifact. */
struct hf_oci_delta_offer {
    struct hf_oci_descriptor artifact;
    char to[HF_OCI_DIGEST], from[HF_OCI_DIGEST];
    uint64_t bytes;
};
json_t *hf_oci_delta_offer_json(const struct hf_oci_delta_offer *offer);

/* Appends the index (empty: a new one) with the offer at its end, instead of any offer between the same manifests.
 * -EBADMSG: no index. -E2BIG: above out->max. */
HF_MUST_USE int hf_oci_delta_offer_add(struct hf_view index, const struct hf_oci_delta_offer *offer, struct hf_buf *out,
                                       struct hf_err *err);

/* Lists the offers of an index in order, without other entries and invalid offers. Free *ret_offers.
 * -EBADMSG: no index. -E2BIG: more than HF_OCI_DELTA_OFFERS. */
HF_MUST_USE int hf_oci_delta_offers_parse(struct hf_view index, struct hf_oci_delta_offer **ret_offers, size_t *ret_n,
                                          struct hf_err *err);
