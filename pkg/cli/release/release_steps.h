/* cli/release/release_steps.h - ways by several deltas: what earlier releases published, put to use for the new one.
 *
 * A delta from A to B that is served already, and one from B to the new file, may be fewer bytes together than one from A; and they
 * serve nodes at A when nobody has that file any more. */
#pragma once

#include "api/edgeupdate.h"
#include "cli/release/release_plan.h"

enum { HF_RELEASE_MAX_PUBLISHED = 64 };

/* One artifact. `deltas`, `report`: its lists, of which deltas that a way by several makes needless are taken out (their files are
 * removed). *ret_steps: what goes to artifacts[].steps, maybe empty. */
HF_MUST_USE int hf_release_steps(struct hf_release_files *files, const struct hf_artifact *made, uint64_t wire_bytes,
                                 json_t *deltas, json_t *report, json_t **ret_steps, struct hf_err *err);
