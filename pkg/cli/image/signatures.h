/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/image/made.h"

/* Adds the registry's signatures (manifests and payloads) of `digest`, an index or manifest, to `made`. Adds nothing
 * for an image elsewhere. */
HF_MUST_USE int hf_cli_signatures_add(struct hf_cli_image *image, const char *digest, struct hf_cli_made *made,
                                      struct hf_err *err);
