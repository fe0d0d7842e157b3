/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by EdgeUpdate, SyncPolicy and EdgeNode. Pure. */
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
    /* of the signed part, or of a whole object from a folder */
    HF_API_MAX_OBJECT_BYTES = 1 << 20,
    HF_API_MAX_NAME = 253,
};

/* Texts point into the JSON tree; absent: "" or 0. */
struct hf_meta {
    const char *name; /* never NULL */
    const char *uid;
    const char *resource_version;
    int64_t generation;
};

/* Checks apiVersion and kind if present (not in list items). Errors are below the current path. */
void hf_meta_decode(struct hf_decode *decode, json_t *object, const char *kind, struct hf_meta *ret_meta);

/* A whole object: its metadata, and its spec by `fields` into `ret`, of which *ret_meta is a member. Forgets earlier
 * issues. -EBADMSG: errors among the issues; -ENOMEM. */
HF_MUST_USE int hf_meta_decode_object(json_t *object, const char *kind, const struct hf_field *fields,
                                      struct hf_meta *ret_meta, void *ret, struct hf_issues *issues);
