/* SPDX-License-Identifier: Apache-2.0 */
/* Why a source delivers no content. Threads: any. */
#pragma once

#include "api/manifest_reason.h"
#include "base/err.h"

struct hf_source_failure {
    enum hf_manifest_reason reason;
    struct hf_err err;
};

/* `code` > 0. Returns -code. */
int hf_source_fail(struct hf_source_failure *failure, enum hf_manifest_reason reason, int code, const char *format, ...)
    HF_PRINTF(4, 5);
/* For a failure->err that is set. Returns r. */
int hf_source_blame(struct hf_source_failure *failure, enum hf_manifest_reason reason, int r);
