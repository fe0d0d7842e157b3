/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/edgeupdate.h"
#include "cli/release/release_plan.h"

/* Finds chains of deltas to the new file, also through earlier releases' deltas. wire_bytes: the size of the download
 * of `made`. Removes a delta of no chain, and its file, if a chain from the same old file needs fewer bytes (counting
 * the requests) and no more memory. *ret_steps: artifacts[].steps. */
HF_MUST_USE int hf_release_steps(struct hf_release_files *files, const struct hf_artifact *made, uint64_t wire_bytes,
                                 json_t *deltas, json_t *report, json_t **ret_steps, struct hf_err *err);
