/* SPDX-License-Identifier: Apache-2.0 */
/* Why a source delivers no content. */
#pragma once

#include "api/manifest_reason.h"
#include "base/err.h"
#include "steps/failure.h"

struct hf_source_failure {
    enum hf_manifest_reason reason;
    struct hf_err err;
};

/* Sets the reason; failure->err is set already. Returns r. */
static inline int hf_source_blame(struct hf_source_failure *failure, enum hf_manifest_reason reason, int r)
{
    failure->reason = reason;
    return r;
}
