/* SPDX-License-Identifier: Apache-2.0 */
/* The field `signatures`; texts point into the JSON tree. Pure. */
#pragma once

#include "api/field/field.h"

enum { HF_MAX_SIGNATURES = 16 };

struct hf_signature {
    const char *key_id;
    const char *signature;
};

extern const struct hf_field hf_signature_fields[];

/* Reports an error if a key id occurs twice. */
void hf_signatures_finish(struct hf_decode *decode, const struct hf_signature *signatures, size_t n);
