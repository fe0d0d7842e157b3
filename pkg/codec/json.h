/* codec/json.h - JSON (RFC 8259) and YAML 1.1/1.2 text as jansson trees, with limits and with line numbers. Declares
 * json.c, json_canonical.c, yaml.c and yaml_format.c.
 *
 * The only header that includes jansson.h. API objects stay trees: read the few fields needed, so that unknown fields
 * survive.
 * Threads: a tree belongs to one thread at a time. Memory: json_decref() or hf_json_freep() frees a tree.
 * Errors: 0 or -errno; *err has line and column, and never quotes the input: it may hold a secret. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/* Limits on text from outside. A field that is 0 takes its default: 4 MiB, depth 64 (also the most), 200,000 values. */
struct hf_json_limits {
    size_t max_bytes;
    unsigned max_depth;
    size_t max_nodes;
};

enum { HF_JSON_MAX_BYTES = 4 << 20, HF_JSON_MAX_DEPTH = 64, HF_JSON_MAX_NODES = 200000 };

void hf_json_freep(json_t **json); /* json_decref */

/* jansson iterates over non-const objects only; iteration does not change them. */
static inline json_t *hf_json_mutable(const json_t *json)
{
    union {
        const json_t *borrowed;
        json_t *writable;
    } u = {.borrowed = json};

    return u.writable;
}

/* Parses one whole JSON text by the rule of codec/scan.h: -EBADMSG for bad text, duplicate names, unpaired
 * surrogates, numbers beyond a double. Also refuses U+0000: strings and names are C strings from here on. An integer
 * beyond int64 becomes a real number. -E2BIG: larger, deeper or more values than the limits, before it builds the
 * excess. -ENOMEM. */
HF_MUST_USE int hf_json_parse(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_json,
                              struct hf_err *err);

/* Parses a text of one YAML document. Scalars follow the core schema: "yes" is a string. Refuses numbers such as
 * 010, which is 8 in YAML 1.1 and 10 in 1.2, with an error that names them. Limits as above; aliases count expanded,
 * so bombs end in -E2BIG. -EBADMSG with line: tags other than the core ones, merge keys, duplicate keys, keys that
 * are not strings, integers beyond int64 (stricter than JSON: people write YAML). */
HF_MUST_USE int hf_yaml_parse(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_json,
                              struct hf_err *err);

/* Parses every document of a stream into a JSON array, in order, without empty documents. */
HF_MUST_USE int hf_yaml_parse_all(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_array,
                                  struct hf_err *err);

/* Appends block-style YAML that hf_yaml_parse() reads back as the same tree; quotes strings that look like other
 * types. */
HF_MUST_USE int hf_yaml_format(const json_t *json, struct hf_buf *out);

/* Appends compact JSON in insertion order. */
HF_MUST_USE int hf_json_format(const json_t *json, struct hf_buf *out);

/* Appends canonical JSON (RFC 8785, JCS). Signatures cover it, so it takes only what every reader understands in the
 * same way: objects, arrays, strings, booleans, null and integers up to +-(2^53 - 1) (JCS numbers are IEEE doubles).
 * -EINVAL with the path: another number. */
HF_MUST_USE int hf_json_canonical(const json_t *json, struct hf_buf *out, struct hf_err *err);

/* Getters for checked trees; they lend their results. path is "a.b.c" of object keys. NULL or `fallback` when the value
 * is absent or of another type. */
const json_t *hf_json_at(const json_t *root, const char *path);
const char *hf_json_str(const json_t *root, const char *path); /* NULL */
const char *hf_json_str_or(const json_t *root, const char *path, const char *fallback);
int64_t hf_json_int_or(const json_t *root, const char *path, int64_t fallback);
bool hf_json_bool_or(const json_t *root, const char *path, bool fallback);

/* Puts `value` (taken over, also on failure) at path; makes the objects on the way. -ENOMEM; -ENOTDIR: one of them is
 * not an object. */
HF_MUST_USE int hf_json_put(json_t *root, const char *path, json_t *value);
