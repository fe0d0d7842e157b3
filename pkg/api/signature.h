/* SPDX-License-Identifier: Apache-2.0 */
/* The field `signatures`; texts are the JSON tree's. Pure. */
#pragma once

#include "api/field/field.h"

enum { HF_MAX_SIGNATURES = 16 };

struct hf_signature {
    const char *key_id;
    const char *signature;
};

extern const struct hf_field hf_signature_fields[];

/* An error if a key id comes twice. */
void hf_signatures_finish(struct hf_decode *decode, const struct hf_signature *signatures, size_t n);
