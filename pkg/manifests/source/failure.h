/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/source/failure.h - why a source cannot deliver a content: the reason for the status, and the error text for
 * a person. Threads: any. */
#pragma once

#include "api/manifest_reason.h"
#include "base/err.h"

struct hf_source_failure {
    enum hf_manifest_reason reason;
    struct hf_err err;
};

/* Sets the reason and the error. The error has the formatted text and the positive errno `code`. Returns -code. */
int hf_source_fail(struct hf_source_failure *failure, enum hf_manifest_reason reason, int code, const char *format, ...)
    HF_PRINTF(4, 5);
/* Sets only the reason; failure->err already has the error. Returns r. */
int hf_source_blame(struct hf_source_failure *failure, enum hf_manifest_reason reason, int r);
