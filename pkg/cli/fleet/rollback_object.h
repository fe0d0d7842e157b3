/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the EdgeUpdate that takes a fleet back to an older release. Pure. */
#pragma once

#include "api/edgeupdate.h"

struct hf_rollback {
    json_t *current, *older;
    uint64_t sequence; /* 0: one above that of `current` */
    const char *expires;
    bool at_once; /* drop the strategy */
};

/* The result has no signatures. -EINVAL: the EdgeUpdates or `sequence` do not match. */
HF_MUST_USE int hf_rollback_object_make(const struct hf_rollback *rollback, json_t **ret_update, struct hf_err *err);

/* Takes `delta`. -EINVAL: no artifact for `arch`. */
HF_MUST_USE int hf_rollback_object_add_delta(json_t *update, const char *arch, json_t *delta, struct hf_err *err);
