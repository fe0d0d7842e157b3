/* api/meta.h - definitions that all three kinds share: API group, name limits, object metadata. Pure. */
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
    HF_API_MAX_OBJECT_BYTES = 1 << 20, /* limit of a whole object; the decoder refuses a larger object */
    HF_API_MAX_NAME = 253,
};

/* Strings borrow from the object's tree. */
struct hf_meta {
    const char *name;             /* never NULL after a successful decode */
    const char *uid;              /* "" when absent */
    const char *resource_version; /* "" when absent */
    int64_t generation;           /* 0 when absent */
};

/* Decodes metadata.name, uid, resourceVersion and generation; checks apiVersion and kind if they are present (items of
 * a list have neither). Reports errors at the decoder's path. */
void hf_meta_decode(struct hf_decode *decode, json_t *object, const char *kind, struct hf_meta *ret_meta);
