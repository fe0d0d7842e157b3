/* SPDX-License-Identifier: Apache-2.0 */
#include "api/meta.h"

#include <errno.h>
#include <string.h>

#include "api/field/field.h"
#include "api/field/text.h"

static const struct hf_field meta_fields[] = {
    HF_FIELD_TEXT(struct hf_meta, name, "name", 1, HF_API_MAX_NAME, hf_text_is_object_name,
                  "a name of lower case letters, digits, '-' and '.'", HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_meta, uid, "uid", 0, 128, NULL, NULL, .fallback = ""),
    HF_FIELD_TEXT(struct hf_meta, resource_version, "resourceVersion", 0, 128, NULL, NULL, .fallback = ""),
    HF_FIELD_INTEGER(struct hf_meta, generation, "generation", "0", 0, INT64_MAX),
    {0}};

static void expect_word(struct hf_decode *decode, const json_t *object, const char *key, const char *want)
{
    const json_t *value = json_object_get(object, key);
    char shown[HF_VALUE_TEXT];

    if (value != NULL && (!json_is_string(value) || strcmp(json_string_value(value), want) != 0))
        hf_decode_error_at(decode, key, "expected %s, got %s", want, hf_decode_describe(value, shown));
}

void hf_meta_decode(struct hf_decode *decode, json_t *object, const char *kind, struct hf_meta *ret_meta)
{
    json_t *metadata = json_object_get(object, "metadata");
    struct hf_issues *issues = decode->issues;
    size_t n_warnings = issues->n_warnings;
    size_t before;

    expect_word(decode, object, "apiVersion", HF_API_GROUP_VERSION);
    expect_word(decode, object, "kind", kind);
    before = hf_decode_enter(decode, "metadata", 0);
    if (metadata != NULL && !json_is_object(metadata))
        hf_decode_error(decode, "expected an object");
    hf_field_decode_all(decode, meta_fields, metadata, ret_meta);
    hf_decode_leave(decode, before);
    issues->n_warnings = n_warnings; /* labels, annotations and the like are known to Kubernetes */
}

int hf_meta_decode_object(json_t *object, const char *kind, const struct hf_field *fields, struct hf_meta *ret_meta,
                          void *ret, struct hf_issues *issues)
{
    struct hf_decode decode = {.issues = issues};

    issues->n_errors = issues->n_warnings = 0;
    if (!json_is_object(object)) {
        hf_issue_error(issues, "", "expected an object");
        return -EBADMSG;
    }
    hf_meta_decode(&decode, object, kind, ret_meta);
    hf_field_decode_spec(&decode, fields, object, ret);
    if (decode.out_of_memory)
        return -ENOMEM;
    return issues->n_errors > 0 ? -EBADMSG : 0;
}
