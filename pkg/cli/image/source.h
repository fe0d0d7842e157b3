/* SPDX-License-Identifier: Apache-2.0 */
/* An image to read from an OCI layout, an archive (of `docker save` or an OCI layout) or a registry. Blobs must match
 * their digests. */
#pragma once

#include "cli/image/scratch.h"
#include "oci/manifest.h"

struct hf_cli_image_access {
    const char *ca_pem; /* NULL: the system's */
    struct hf_buf logins;
};
/* Reads --ca-file, and --authfile or docker's own logins. `ca` owns ret->ca_pem. */
HF_MUST_USE int hf_cli_image_access_init(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_buf *ca,
                                         struct hf_cli_image_access *ret, struct hf_err *err);
HF_MUST_USE int hf_cli_image_registry(const struct hf_cli_image_access *access,
                                      const struct hf_oci_reference *reference, struct hf_oci_registry **ret,
                                      struct hf_err *err);

struct hf_cli_image;
/* `text`: "docker://HOST/REPOSITORY:TAG", "FOLDER", "FOLDER:TAG", "FOLDER@DIGEST" or "FILE.tar". */
HF_MUST_USE int hf_cli_image_open(struct hf_cli *cli, const char *text, const struct hf_cli_image_access *access,
                                  struct hf_cli_image **ret_image, struct hf_err *err);
void hf_cli_image_free(struct hf_cli_image *image);
HF_DEFINE_CLEANUP(struct hf_cli_image, hf_cli_image_free)

/* Returns NULL if the image is not in a registry. */
struct hf_oci_registry *hf_cli_image_in_registry(struct hf_cli_image *image);
const struct hf_oci_reference *hf_cli_image_reference(const struct hf_cli_image *image);

/* The index of a multi-platform image, or the manifest of another image. */
struct hf_cli_image_text {
    struct hf_oci_descriptor at;
    struct hf_buf text;
};
const struct hf_cli_image_text *hf_cli_image_root(const struct hf_cli_image *image);
bool hf_cli_image_is_index(const struct hf_cli_image *image);

struct hf_cli_image_platform {
    char name[HF_OCI_PLATFORM];
    struct hf_cli_image_text manifest;
    struct hf_oci_manifest parsed;
};
/* Returns the platforms in order, without attestations or artifacts. */
const struct hf_cli_image_platform *hf_cli_image_platforms(const struct hf_cli_image *image, size_t *ret_n);

/* Appends the blob to `scratch`. -ENOENT: the image lacks it. */
HF_MUST_USE int hf_cli_image_blob(struct hf_cli_image *image, const struct hf_oci_descriptor *blob,
                                  struct hf_cli_scratch *scratch, struct hf_err *err);
