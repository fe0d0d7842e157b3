/* SPDX-License-Identifier: Apache-2.0 */
/* YAML text: refused, or trees that are written as YAML that is read as the same tree; within the limits in any case. */
#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static size_t count(const json_t *json)
{
    json_t *walked = hf_json_mutable(json), *value;
    const char *key;
    size_t n = 1;

    for (size_t i = 0; i < json_array_size(json); i++)
        n += count(json_array_get(json, i));
    json_object_foreach(walked, key, value)
        n += count(value);
    return n;
}

static void comes_back(const json_t *json)
{
    _cleanup_(hf_json_freep) json_t *again = NULL;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(64 << 20);
    const struct hf_json_limits wide = {.max_bytes = SIZE_MAX, .max_depth = 200, .max_nodes = SIZE_MAX};

    if (hf_yaml_format(json, &text) < 0 || hf_yaml_parse(hf_buf_view(&text), &wide, &again, NULL) < 0 ||
        !json_equal(json, again))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const struct hf_json_limits limits = {.max_bytes = 1 << 20, .max_depth = 32, .max_nodes = 2000};
    _cleanup_(hf_json_freep) json_t *documents = NULL, *one = NULL;
    struct hf_view text = {(const char *)bytes, n};
    struct hf_err err = HF_ERR_INIT;

    (void)(hf_yaml_parse(text, &limits, &one, &err) == 0);
    if (hf_yaml_parse_all(text, &limits, &documents, &err) < 0)
        return 0;
    if (count(documents) > limits.max_nodes + 1)
        abort();
    for (size_t i = 0; i < json_array_size(documents); i++)
        comes_back(json_array_get(documents, i));
    return 0;
}
