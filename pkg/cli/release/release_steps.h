/* cli/release/release_steps.h - plan ways to the new file through several deltas, including deltas of earlier releases.
 *
 * A delta from A to B that is already on the server, and one from B to the new file, may have fewer bytes together
 * than a delta from A. They also serve nodes at A when nobody has the file A any more. */
#pragma once

#include "api/edgeupdate.h"
#include "cli/release/release_plan.h"

enum { HF_RELEASE_MAX_PUBLISHED = 64 };

/* Plans one artifact. Removes deltas from `deltas` (and their files) that a way by several deltas makes needless,
 * and adds ways to `report`. *ret_steps: artifacts[].steps, maybe empty. */
HF_MUST_USE int hf_release_steps(struct hf_release_files *files, const struct hf_artifact *made, uint64_t wire_bytes,
                                 json_t *deltas, json_t *report, json_t **ret_steps, struct hf_err *err);
