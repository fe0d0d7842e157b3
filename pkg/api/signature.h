/* SPDX-License-Identifier: Apache-2.0 */
/* api/signature.h - the field `signatures` of an EdgeUpdate, of a SyncPolicy and of an entry of spec.manifests. Pure.
 * Memory: the strings belong to the JSON tree of the object. */
#pragma once

#include "api/field/field.h"

enum { HF_MAX_SIGNATURES = 16 };

struct hf_signature {
    const char *key_id;
    const char *signature; /* base64 */
};

/* Table of one signature, which fills a struct hf_signature. */
extern const struct hf_field hf_signature_fields[];

/* Adds an error at "signatures" for each key id that occurs twice. */
void hf_signatures_finish(struct hf_decode *decode, const struct hf_signature *signatures, size_t n);
