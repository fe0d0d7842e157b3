/* SPDX-License-Identifier: Apache-2.0 */
/* JSON (RFC 8259) and YAML (1.1 or 1.2) to jansson trees and back, with limits and line numbers.
 *
 * Only this header includes jansson.h. Keep API objects as trees: unknown fields survive. Threads: one at a time for a
 * tree. *err has line and column, never the text, which may be secret. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/* For text from outside; 0: HF_JSON_MAX_BYTES, _DEPTH (the most for JSON) or _NODES (values). */
struct hf_json_limits {
    size_t max_bytes;
    unsigned max_depth;
    size_t max_nodes;
};

enum { HF_JSON_MAX_BYTES = 4 << 20, HF_JSON_MAX_DEPTH = 64, HF_JSON_MAX_NODES = 200000 };

void hf_json_freep(json_t **json);

/* jansson overwrites what it frees, in the whole process. Before the first thread. */
void hf_json_wipe_freed(void);

/* Casts const away, for jansson's iterators, which change nothing. */
static inline json_t *hf_json_mutable(const json_t *json)
{
    union {
        const json_t *borrowed;
        json_t *writable;
    } u = {.borrowed = json};

    return u.writable;
}

/* One value, by codec/scan.h, without U+0000. Integers outside int64 become real. -EBADMSG: not JSON, duplicate names,
 * unpaired surrogates, U+0000, or numbers beyond a double. -E2BIG: a limit, before the tree exceeds it. */
HF_MUST_USE int hf_json_parse(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_json,
                              struct hf_err *err);

/* One document. JSON objects and arrays as above; else scalars by the core schema ("yes" is a string). Limits are for
 * the tree with aliases expanded, max_bytes also for its keys and values.
 *
 * -EBADMSG: not YAML, not one document, other tags than the core schema's, merge keys, keys twice or not strings,
 * .inf, .nan, 010, integers outside int64, or characters that JSON and YAML read differently (U+0085, U+2028,
 * U+2029, U+FEFF but for a byte order mark). -E2BIG: a limit, above 1,000 anchors, or 16 %TAG directives. */
HF_MUST_USE int hf_yaml_parse(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_json,
                              struct hf_err *err);

/* All documents except empty ones, as an array. */
HF_MUST_USE int hf_yaml_parse_all(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_array,
                                  struct hf_err *err);

/* Block style, parses to an equal tree. -E2BIG: too deep, or out->max. */
HF_MUST_USE int hf_yaml_format(const json_t *json, struct hf_buf *out);

/* Without blanks, in order of insertion. -E2BIG: out->max. -EINVAL: NULL, or above 2,048 levels. On failure *out is
 * unchanged. */
HF_MUST_USE int hf_json_format(const json_t *json, struct hf_buf *out);

/* Length of the text of hf_json_format(); 0 where it returns -EINVAL. */
size_t hf_json_format_size(const json_t *json);

/* RFC 8785 (JCS), for signatures: only values that every decoder reads alike; integers up to +-(2^53 - 1). -EINVAL:
 * other numbers. -E2BIG: too deep, or out->max. *err has the path. */
HF_MUST_USE int hf_json_canonical(const json_t *json, struct hf_buf *out, struct hf_err *err);
/* Also fractions (RFC 8785): equal integer and double have one text. */
HF_MUST_USE int hf_json_canonical_fractions(const json_t *json, struct hf_buf *out, struct hf_err *err);

/* Borrowed. `path`: "a.b.c". Absent, other type: NULL or `fallback`. */
const json_t *hf_json_at(const json_t *root, const char *path);
const char *hf_json_str(const json_t *root, const char *path);
const char *hf_json_str_or(const json_t *root, const char *path, const char *fallback);
int64_t hf_json_int_or(const json_t *root, const char *path, int64_t fallback);
bool hf_json_bool_or(const json_t *root, const char *path, bool fallback);

/* Takes `value`, also on failure; makes missing objects. -ENOMEM also for `value` NULL. -ENOTDIR: no object on the
 * path. */
HF_MUST_USE int hf_json_put(json_t *root, const char *path, json_t *value);
