/* SPDX-License-Identifier: Apache-2.0 */
/* codec/json.h - parses JSON (RFC 8259) and YAML (1.1 or 1.2) into jansson trees, and formats trees as text. The
 * parsers limit the size of trees and put line numbers into errors. Declares the functions of json.c, json_format.c,
 * json_canonical.c, yaml.c and yaml_format.c.
 *
 * Only this header includes jansson.h. Keep API objects as trees and read the few fields that you need, so that unknown
 * fields survive. Threads: a tree belongs to one thread at a time. Memory: json_decref() or hf_json_freep() frees a
 * tree. Errors: 0 or -errno; *err names the line and the column of a fault in the text. No error quotes the text,
 * because it may hold a secret. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/* Limits on text from outside. A field of 0 means the default of this field: HF_JSON_MAX_BYTES, HF_JSON_MAX_DEPTH or
 * HF_JSON_MAX_NODES (number of values). HF_JSON_MAX_DEPTH is also the highest depth that a caller can set for JSON. */
struct hf_json_limits {
    size_t max_bytes;
    unsigned max_depth;
    size_t max_nodes;
};

enum { HF_JSON_MAX_BYTES = 4 << 20, HF_JSON_MAX_DEPTH = 64, HF_JSON_MAX_NODES = 200000 };

void hf_json_freep(json_t **json); /* calls json_decref(*json); for _cleanup_ */

/* Makes jansson overwrite what it frees, in this whole process, so that the memory of a tree does not keep a secret.
 * Call this function before the first thread starts. */
void hf_json_wipe_freed(void);

/* Casts away const, so that a caller can iterate over the members of an object. Jansson's iterators take only non-const
 * objects, although the iterators do not change an object. */
static inline json_t *hf_json_mutable(const json_t *json)
{
    union {
        const json_t *borrowed;
        json_t *writable;
    } u = {.borrowed = json};

    return u.writable;
}

/* Parses a text that is one JSON value, by the rule in codec/scan.h. Refuses U+0000 too, because the tree has C
 * strings. An integer outside int64 becomes a real number. -EBADMSG: the text is not JSON, or has duplicate names,
 * unpaired surrogates, U+0000, or numbers that do not fit into a double. -E2BIG: the text exceeds a limit; the function
 * stops before the tree exceeds the limit. -ENOMEM: out of memory. */
HF_MUST_USE int hf_json_parse(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_json,
                              struct hf_err *err);

/* Parses a text of one YAML document. A text that is a JSON object or array parses as in hf_json_parse(). In all other
 * texts, scalars follow the core schema, in which "yes" is a string. Refuses numbers such as 010, which is 8 in YAML
 * 1.1 and 10 in YAML 1.2. Refuses integers outside int64, which hf_json_parse() accepts: people write YAML by hand, so
 * such an integer is probably a mistake. The limits of hf_json_parse() apply to the tree with all aliases expanded, and
 * max_bytes also to all its keys and values together: a small text whose aliases expand to a huge tree gets -E2BIG.
 * -EBADMSG: the text is not YAML, does not have exactly one document, or has tags outside the core schema, merge keys,
 * duplicate keys, keys that are not strings, .inf, .nan, integers outside int64, or characters that JSON and YAML read
 * differently (U+0085, U+2028, U+2029 and U+FEFF, except for one byte order mark at the start, which is skipped). Also
 * -E2BIG: a document has more than 1,000 anchors, or the text has more than 16 %TAG directives. */
HF_MUST_USE int hf_yaml_parse(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_json,
                              struct hf_err *err);

/* Parses all documents of a YAML text into a JSON array, in order. Leaves out empty documents. Has the rules and errors
 * of hf_yaml_parse(), except that any number of documents is allowed. */
HF_MUST_USE int hf_yaml_parse_all(struct hf_view text, const struct hf_json_limits *limits, json_t **ret_array,
                                  struct hf_err *err);

/* Appends the tree as block-style YAML, which hf_yaml_parse() parses into an equal tree. Quotes strings that would
 * otherwise parse as another type. -E2BIG: the tree nests too deeply, or the text would exceed out->max. -ENOMEM: out
 * of memory. */
HF_MUST_USE int hf_yaml_format(const json_t *json, struct hf_buf *out);

/* Appends the tree as JSON without blanks; the members keep the order in which they were inserted. Returns 0, -E2BIG
 * (the text would exceed out->max), -ENOMEM or -EINVAL (`json` is NULL, or nests more than 2,048 levels deep); on
 * failure *out is unchanged. */
HF_MUST_USE int hf_json_format(const json_t *json, struct hf_buf *out);

/* Returns the length in bytes of the text that hf_json_format() would append, without making it; 0 where
 * hf_json_format() would return -EINVAL. */
size_t hf_json_format_size(const json_t *json);

/* Appends the tree as canonical JSON (RFC 8785, JCS). Signatures cover this text, so the function accepts only values
 * that every decoder reads alike: objects, arrays, strings, booleans, null and integers up to +-(2^53 - 1) (JCS numbers
 * are IEEE doubles). -EINVAL: the tree has a number that is not such an integer. -E2BIG: the tree nests too deeply, or
 * the text would exceed out->max. -ENOMEM: out of memory. For a value at fault, *err has the path of the value. */
HF_MUST_USE int hf_json_canonical(const json_t *json, struct hf_buf *out, struct hf_err *err);
/* Like hf_json_canonical(), but also accepts numbers with a fraction, and writes them by the rules of RFC 8785. An
 * integer and an equal double get the same text. */
HF_MUST_USE int hf_json_canonical_fractions(const json_t *json, struct hf_buf *out, struct hf_err *err);

/* Get a value from a tree. The tree keeps ownership. `path` has the form "a.b.c", where a, b and c are keys of nested
 * objects. If the value is absent or of another type, the functions return NULL or `fallback`. */
const json_t *hf_json_at(const json_t *root, const char *path);
const char *hf_json_str(const json_t *root, const char *path); /* returns the string, or NULL */
const char *hf_json_str_or(const json_t *root, const char *path, const char *fallback);
int64_t hf_json_int_or(const json_t *root, const char *path, int64_t fallback);
bool hf_json_bool_or(const json_t *root, const char *path, bool fallback);

/* Puts `value` at `path`, and creates the missing objects along the path. Takes ownership of `value`, also on failure.
 * -ENOMEM: out of memory, or `value` is NULL. -ENOTDIR: a value on the path exists but is not an object. */
HF_MUST_USE int hf_json_put(json_t *root, const char *path, json_t *value);
