/* SPDX-License-Identifier: Apache-2.0 */
/* api/meta.h - definitions that EdgeUpdate, SyncPolicy and EdgeNode share: API group, limits of names, object metadata.
 * Pure. */
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
    /* maximum size in bytes of the signed part of an object; also the maximum size of a whole object that comes from a
     * folder */
    HF_API_MAX_OBJECT_BYTES = 1 << 20,
    HF_API_MAX_NAME = 253,
};

/* The metadata of an object. The strings point into the object's JSON tree. */
struct hf_meta {
    const char *name;             /* name of the object; never NULL after a successful decode */
    const char *uid;              /* metadata.uid; "" if the object has none */
    const char *resource_version; /* metadata.resourceVersion; "" if the object has none */
    int64_t generation;           /* metadata.generation; 0 if the object has none */
};

/* Decodes metadata.name, uid, resourceVersion and generation. Checks apiVersion and kind if the object has them; an
 * item of a list has neither. Reports errors below the decoder's current path. */
void hf_meta_decode(struct hf_decode *decode, json_t *object, const char *kind, struct hf_meta *ret_meta);
