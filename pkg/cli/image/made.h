/* SPDX-License-Identifier: Apache-2.0 */
/* A new image delta with its blobs, for an OCI layout or a registry. */
#pragma once

#include "cli/image/source.h"
#include "oci/image_delta.h"

struct hf_cli_made {
    struct hf_oci_image_delta delta;
    struct hf_cli_map maps[HF_OCI_DELTA_BLOBS];
    struct hf_buf text;
    struct hf_oci_delta_offer offer;
};

void hf_cli_made_done(struct hf_cli_made *made);
/* Adds `scratch` as a whole blob. Returns the blob or NULL; for a delta, the caller then sets `from` and `to`. */
struct hf_oci_delta_blob *hf_cli_made_add(struct hf_cli_made *made, const struct hf_cli_scratch *scratch,
                                          const char *media_type, struct hf_err *err);
HF_MUST_USE int hf_cli_made_add_text(struct hf_cli_made *made, struct hf_view text, const char *media_type,
                                     struct hf_err *err);
bool hf_cli_made_has(const struct hf_cli_made *made, const char *digest);
/* Makes the manifest, after the last blob. */
HF_MUST_USE int hf_cli_made_finish(struct hf_cli_made *made, struct hf_err *err);

/* Makes or extends the OCI layout `folder`; durable. */
HF_MUST_USE int hf_cli_made_write(struct hf_cli *cli, const struct hf_cli_made *made, const char *folder,
                                  struct hf_err *err);
HF_MUST_USE int hf_cli_made_push(struct hf_cli *cli, const struct hf_cli_made *made, struct hf_oci_registry *registry,
                                 const char *repository, struct hf_err *err);
