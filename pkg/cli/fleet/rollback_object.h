/* SPDX-License-Identifier: Apache-2.0 */
/* cli/fleet/rollback_object.h - makes the EdgeUpdate that takes a fleet back to an older release. Pure.
 *
 * Nodes refuse the older release itself, because its sequence is below the highest sequence that they have committed.
 * So the way back is a new release with a higher sequence, and with the files, the installation and the health checks
 * of the older release. The fields outside of the release (selector, strategy, windows) come from the current
 * EdgeUpdate. */
#pragma once

#include "api/edgeupdate.h"

struct hf_rollback {
    json_t *current, *older; /* the EdgeUpdates; borrowed and unchanged */
    uint64_t sequence;       /* 0 means one above the sequence of `current` */
    const char *expires;     /* RFC 3339 */
    bool at_once;            /* true leaves out the strategy and says that this is meant (HF_EVERYWHERE_ANNOTATION) */
};

/* Makes the new EdgeUpdate without signatures. -EINVAL: the EdgeUpdates do not match, for example because they have
 * different release names; *err names the field and the reason. */
HF_MUST_USE int hf_rollback_object_make(const struct hf_rollback *rollback, json_t **ret_update, struct hf_err *err);

/* Adds a delta to the artifact for `arch`. `delta` is an entry of artifacts[].deltas; the function takes ownership.
 * -EINVAL: the release has no artifact for this architecture. */
HF_MUST_USE int hf_rollback_object_add_delta(json_t *update, const char *arch, json_t *delta, struct hf_err *err);
