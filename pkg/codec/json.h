/* SPDX-License-Identifier: Apache-2.0 */
/* Converts JSON (RFC 8259) and YAML (1.1 or 1.2) to jansson trees and back, with limits.
 *
 * Only one thread at a time may use a tree. *err may have line and column, never the text, which may be secret. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/* Limits for text from outside. 0 means HF_JSON_MAX_BYTES, HF_JSON_MAX_DEPTH (JSON: never more), HF_JSON_MAX_NODES
 * (values). */
struct hf_json_limits {
    size_t max_bytes;
    unsigned max_depth;
    size_t max_nodes;
};

enum { HF_JSON_MAX_BYTES = 4 << 20, HF_JSON_MAX_DEPTH = 64, HF_JSON_MAX_NODES = 200000 };

void hf_json_freep(json_t **json);

/* Makes jansson overwrite what it frees, in the whole process. Call it before the first thread starts. */
void hf_json_wipe_freed(void);

static inline json_t *hf_json_mutable(const json_t *json)
{
    union {
        const json_t *borrowed;
        json_t *writable;
    } u = {.borrowed = json};

    return u.writable;
}

/* Parses one value with codec/scan.h. Integers outside int64 become real. -EBADMSG: not JSON, duplicate names, unpaired
 * surrogates, U+0000, or numbers beyond a double or 512 characters. -E2BIG: a limit. */
HF_MUST_USE int hf_json_parse(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_json,
                              struct hf_err *err);

/* Parses one document. A text that is a JSON object or array is read as above, any other by the core schema ("yes" is a
 * string). Limits hold for the tree with aliases expanded.
 *
 * -EBADMSG: not YAML, not one document, tags outside the core schema, merge keys, keys that are duplicate or not
 * strings, .inf, .nan, 010, integers outside int64, or characters that JSON and YAML read differently (U+0085, U+2028,
 * U+2029, U+FEFF except as byte order mark). -E2BIG: a limit, more than 1,000 anchors or 16 %TAG directives. */
HF_MUST_USE int hf_yaml_parse(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_json,
                              struct hf_err *err);

HF_MUST_USE int hf_yaml_parse_all(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_array,
                                  struct hf_err *err);

/* Writes block style, which parses to an equal tree. -E2BIG: too deep, or out->max. */
HF_MUST_USE int hf_yaml_format(const json_t *json, struct hf_buf *out);

/* Writes JSON without blanks, members in order of insertion. -E2BIG: out->max. -EINVAL: NULL, or above 2,048 levels. On
 * failure *out is unchanged. */
HF_MUST_USE int hf_json_format(const json_t *json, struct hf_buf *out);

size_t hf_json_format_size(const json_t *json);

/* Writes RFC 8785 (JCS), for signatures: only values that every decoder reads alike, integers up to +-(2^53 - 1).
 * -EINVAL: other numbers. -E2BIG: too deep, or out->max. *err may have the path. */
HF_MUST_USE int hf_json_canonical(const json_t *json, struct hf_buf *out, struct hf_err *err);
/* Like hf_json_canonical(), but with fractions. An integer and an equal double have one text. */
HF_MUST_USE int hf_json_canonical_fractions(const json_t *json, struct hf_buf *out, struct hf_err *err);

/* Look for the value at `path`, such as "a.b.c"; it stays the tree's. If absent, or of another type: NULL or
 * `fallback`. */
const json_t *hf_json_at(const json_t *root, const char *path);
const char *hf_json_str(const json_t *root, const char *path);
const char *hf_json_str_or(const json_t *root, const char *path, const char *fallback);
int64_t hf_json_int_or(const json_t *root, const char *path, int64_t fallback);
bool hf_json_bool_or(const json_t *root, const char *path, bool fallback);

/* Sets the value at `path`, and makes missing objects. Takes over `value`, also on failure. -ENOMEM also for `value`
 * NULL. -ENOTDIR: a value on the path is no object. */
HF_MUST_USE int hf_json_put(json_t *root, const char *path, json_t *value);
