/* SPDX-License-Identifier: Apache-2.0 */
/* cli/release/release_steps.h - plans chains of deltas that lead to the new file. A chain may also use deltas of
 * earlier releases.
 *
 * Example: nodes have the file A, and the server already has a delta from A to B. That delta and a new delta from B to
 * the new file may be smaller together than one delta from A to the new file. If the publisher has lost A, no direct
 * delta from A is possible, but the two deltas still update the nodes that have A. */
#pragma once

#include "api/edgeupdate.h"
#include "cli/release/release_plan.h"

enum { HF_RELEASE_MAX_PUBLISHED = 64 };

/* Plans the chains for the artifact `made`, whose download has wire_bytes, and adds the chains to `report`. A single
 * delta in `deltas` is needless if a chain of several deltas from the same old file has fewer bytes and needs no more
 * memory, and if no chain uses the single delta. The function removes needless deltas from `deltas` and deletes their
 * files. For this comparison, each delta of the chain after the first counts as 2048 bytes larger, because it costs
 * another request. *ret_steps receives the value of artifacts[].steps, which may be empty. */
HF_MUST_USE int hf_release_steps(struct hf_release_files *files, const struct hf_artifact *made, uint64_t wire_bytes,
                                 json_t *deltas, json_t *report, json_t **ret_steps, struct hf_err *err);
