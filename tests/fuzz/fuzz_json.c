/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text: refused, or a tree that every writer of ours writes so that our readers read the same tree. */
#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

typedef int (*reader)(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_json, struct hf_err *err);

static void comes_back(const json_t *json, const struct hf_buf *text, reader read)
{
    _cleanup_(hf_json_freep) json_t *again = NULL;
    const struct hf_json_limits wide = {.max_bytes = SIZE_MAX, .max_depth = 200, .max_nodes = SIZE_MAX};

    if (read(hf_buf_view(text), &wide, &again, NULL) < 0 || !json_equal(json, again))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const struct hf_json_limits small = {.max_bytes = 1 << 16, .max_depth = 8, .max_nodes = 50};
    _cleanup_(hf_json_freep) json_t *json = NULL, *bounded = NULL;
    _cleanup_(hf_buf_done) struct hf_buf plain = HF_BUF_INIT(64 << 20), canonical = HF_BUF_INIT(64 << 20);
    _cleanup_(hf_buf_done) struct hf_buf yaml = HF_BUF_INIT(64 << 20);
    struct hf_view text = {(const char *)bytes, n};
    struct hf_err err = HF_ERR_INIT;

    (void)(hf_json_parse(text, &small, &bounded, &err) == 0);
    if (hf_json_parse(text, NULL, &json, &err) < 0)
        return 0;
    if (hf_json_format(json, &plain) < 0 || hf_yaml_format(json, &yaml) < 0)
        abort();
    comes_back(json, &plain, hf_json_parse);
    comes_back(json, &yaml, hf_yaml_parse);
    if (hf_json_canonical(json, &canonical, &err) == 0)
        comes_back(json, &canonical, hf_json_parse);
    return 0;
}
