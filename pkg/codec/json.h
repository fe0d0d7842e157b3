/* codec/json.h - JSON (RFC 8259) and YAML 1.1/1.2 text as jansson trees, with limits and with places.
 *
 * Trees are jansson's `json_t`; this header is the only one that includes jansson.h. API objects stay trees: read the few
 * fields needed, so that unknown fields survive. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/* Limits on text from outside. 0 fields take the defaults: 4 MiB, depth 64, 200,000 nodes. */
struct hf_json_limits {
    size_t max_bytes;
    unsigned max_depth;
    size_t max_nodes;
};

enum { HF_JSON_MAX_BYTES = 4 << 20, HF_JSON_MAX_DEPTH = 64, HF_JSON_MAX_NODES = 200000 };

void hf_json_freep(json_t **json); /* json_decref */

/* jansson iterates over non-const objects only; iterating changes nothing. */
static inline json_t *hf_json_mutable(const json_t *json)
{
    union {
        const json_t *borrowed;
        json_t *writable;
    } u = {.borrowed = json};

    return u.writable;
}

/* One whole JSON text. Duplicate keys, invalid UTF-8, NUL in keys or strings (they are C strings from here on), trailing
 * garbage: -EBADMSG with line and column. Too large, deep or many: -E2BIG, before anything is allocated. Numbers outside int64 and
 * non-finite ones: -EBADMSG. -ENOMEM, except where jansson's lexer takes it for bad text. The error text never quotes the input: it may hold a secret. */
HF_MUST_USE int hf_json_parse(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_json,
                              struct hf_err *err);

/* One YAML document (of one) as a tree, core schema scalars (so "yes" is a string; 010, which is 8 in YAML 1.1 and 10 in 1.2,
 * is refused by name), limits as above plus: aliases are expanded and counted against max_nodes (bombs end in -E2BIG); tags
 * other than the core ones, merge keys, duplicate keys, non-string keys: -EBADMSG with line. */
HF_MUST_USE int hf_yaml_parse(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_json,
                              struct hf_err *err);

/* Every document of a stream; ret_array is a JSON array in order (empty documents left out). */
HF_MUST_USE int hf_yaml_parse_all(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_array,
                                  struct hf_err *err);

/* Block-style YAML that hf_yaml_parse() reads back as the same tree; strings that look like other types are quoted. */
HF_MUST_USE int hf_yaml_format(const json_t *json, struct hf_buf *out);

/* Compact JSON in insertion order, appended. */
HF_MUST_USE int hf_json_format(const json_t *json, struct hf_buf *out);

/* Canonical JSON (RFC 8785, JCS), appended. -EINVAL with the path when the tree holds a real number: what is signed holds
 * integers, strings, booleans only. Integers beyond +-(2^53 - 1) are refused too (JCS numbers are IEEE doubles). */
HF_MUST_USE int hf_json_canonical(const json_t *json, struct hf_buf *out, struct hf_err *err);

/* Borrowing getters for trees that were checked already; path is "a.b.c" of object keys. NULL / fallback when absent or of
 * another type. */
const json_t *hf_json_at(const json_t *root, const char *path);
const char *hf_json_str(const json_t *root, const char *path); /* NULL */
const char *hf_json_str_or(const json_t *root, const char *path, const char *fallback);
int64_t hf_json_int_or(const json_t *root, const char *path, int64_t fallback);
bool hf_json_bool_or(const json_t *root, const char *path, bool fallback);

/* Put `value` (reference taken over, also on failure) at path, making objects on the way. -ENOMEM, -ENOTDIR. */
HF_MUST_USE int hf_json_put(json_t *root, const char *path, json_t *value);
