/* SPDX-License-Identifier: Apache-2.0 */
/* What EdgeUpdate, SyncPolicy and EdgeNode share. Pure. */
#pragma once

#include <stdint.h>

#include "api/field/decode.h"
#include "codec/json.h"

#define HF_API_GROUP "edge.codcompass.io"
#define HF_API_VERSION "v1alpha1"
#define HF_API_GROUP_VERSION HF_API_GROUP "/" HF_API_VERSION
#define HF_LABEL_PREFIX "edge.codcompass.io/"
#define HF_FIELD_MANAGER "holdfast-agent"

enum {
    /* of the signed part, or of an object from a folder */
    HF_API_MAX_OBJECT_BYTES = 1 << 20,
    HF_API_MAX_NAME = 253,
};

/* Texts point into the JSON tree; absent values are "" or 0. */
struct hf_meta {
    const char *name;
    const char *uid;
    const char *resource_version;
    int64_t generation;
};

/* Decodes metadata. Checks apiVersion and kind if present (not in list items). */
void hf_meta_decode(struct hf_decode *decode, json_t *object, const char *kind, struct hf_meta *ret_meta);

/* Decodes a whole object: its metadata, and its spec by `fields` into `ret`, of which *ret_meta is a member. Clears
 * *issues. -EBADMSG: *issues has errors. -ENOMEM. */
HF_MUST_USE int hf_meta_decode_object(json_t *object, const char *kind, const struct hf_field *fields,
                                      struct hf_meta *ret_meta, void *ret, struct hf_issues *issues);
