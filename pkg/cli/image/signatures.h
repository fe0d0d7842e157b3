/* SPDX-License-Identifier: Apache-2.0 */
/* What signs an image in its registry goes into the artifact. */
#pragma once

#include "cli/image/made.h"

/* Adds manifests and payloads of the signatures that the registry has for `digest`, of the image's index or manifest.
 * Does nothing for an image elsewhere. */
HF_MUST_USE int hf_cli_signatures_add(struct hf_cli_image *image, const char *digest, struct hf_cli_made *made,
                                      struct hf_err *err);
