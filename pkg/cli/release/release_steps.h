/* SPDX-License-Identifier: Apache-2.0 */
/* Plans chains of deltas to the new file, also through deltas of earlier releases: they may be smaller, and do not need
 * the old file itself. */
#pragma once

#include "api/edgeupdate.h"
#include "cli/release/release_plan.h"

/* wire_bytes: the download of `made`. Removes a delta (and its file) if a chain from its old file has fewer bytes,
 * where each further delta costs 2048 more for its request, and needs no more memory. *ret_steps: artifacts[].steps. */
HF_MUST_USE int hf_release_steps(struct hf_release_files *files, const struct hf_artifact *made, uint64_t wire_bytes,
                                 json_t *deltas, json_t *report, json_t **ret_steps, struct hf_err *err);
