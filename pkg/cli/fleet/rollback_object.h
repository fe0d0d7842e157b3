/* cli/fleet/rollback_object.h - makes the EdgeUpdate that takes a fleet back to an older release. Pure.
 *
 * Nodes refuse a sequence below the highest one that they have committed, so the way back is a new release: the files,
 * the installation and the health checks of the older release under a higher sequence. Everything around the release
 * (selector, strategy, windows) comes from the current EdgeUpdate. */
#pragma once

#include "api/edgeupdate.h"

struct hf_rollback {
    json_t *current, *older; /* the EdgeUpdates; borrowed and unchanged */
    uint64_t sequence;       /* 0: one above the higher of the two */
    const char *expires;     /* RFC 3339 */
    bool at_once;            /* true leaves out the strategy, so that all nodes are admitted at once */
};

/* Makes the new EdgeUpdate without signatures. -EINVAL: the two do not fit together, for example because they are
 * different releases; *err names the field and what to do. */
HF_MUST_USE int hf_rollback_object_make(const struct hf_rollback *rollback, json_t **ret_update, struct hf_err *err);

/* Adds a delta to the artifact for `arch`. `delta` is an entry of artifacts[].deltas; the function takes ownership.
 * -EINVAL: the release has no artifact for this architecture. */
HF_MUST_USE int hf_rollback_object_add_delta(json_t *update, const char *arch, json_t *delta, struct hf_err *err);
