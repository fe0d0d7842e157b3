/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8785, JSON Canonicalization Scheme, for trees without fractions: the bytes that a signature covers. Sorts keys by
 * UTF-16 code units (3.2.3) and escapes only the characters that need it (3.2.2.2). */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"

enum { MAX_DEPTH = 128, MAX_PATH_TEXT = 160 };
static const int64_t max_safe_integer = (1ll << 53) - 1;

struct canonical_writer {
    struct hf_buf *out;
    struct hf_err *err;
    char path[MAX_PATH_TEXT];
    size_t path_n;
    unsigned depth;
    bool fractions; /* numbers with a fraction are allowed */
};

static int add_value(struct canonical_writer *writer, const json_t *json);

static int add(struct canonical_writer *writer, const char *text, size_t n)
{
    int r = hf_buf_add(writer->out, text, n);

    return r < 0 ? hf_err_set(writer->err, -r, "canonical JSON longer than %zu bytes", writer->out->max) : 0;
}

static int add_string(struct canonical_writer *writer, const char *text, size_t n)
{
    static const char short_escapes[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    int r = add(writer, "\"", 1);

    for (size_t i = 0, run = 0; r == 0 && i <= n; i++) {
        unsigned char c = i < n ? (unsigned char)text[i] : 0;
        bool escape = i < n && (c < 0x20 || c == '"' || c == '\\');
        char code[8];
        int code_n = 0;

        if (!escape && i < n)
            continue;
        r = add(writer, text + run, i - run);
        run = i + 1;
        if (!escape)
            continue;
        if (c == '"' || c == '\\')
            code_n = snprintf(code, sizeof(code), "\\%c", c);
        else if (c < sizeof(short_escapes) && short_escapes[c] != 0)
            code_n = snprintf(code, sizeof(code), "\\%c", short_escapes[c]);
        else
            code_n = snprintf(code, sizeof(code), "\\u%04x", c);
        if (r == 0)
            r = add(writer, code, (size_t)code_n);
    }
    return r < 0 ? r : add(writer, "\"", 1);
}

struct canonical_member {
    const char *key;
    size_t key_n;
    const json_t *value;
};

/* UTF-8 sorts by code point. UTF-16 differs in one thing only: code points above U+FFFF (lead byte F0..F4) are
 * surrogates there, below U+E000..U+FFFF (lead bytes EE and EF). */
static int compare_utf16(const void *left, const void *right)
{
    const struct canonical_member *a = left, *b = right;
    size_t n = HF_MIN(a->key_n, b->key_n), i = 0;

    while (i < n && a->key[i] == b->key[i])
        i++;
    if (i == n)
        return (a->key_n > b->key_n) - (a->key_n < b->key_n);
    unsigned char x = (unsigned char)a->key[i], y = (unsigned char)b->key[i];
    if ((x >= 0xf0) != (y >= 0xf0) && HF_MIN(x, y) >= 0xee)
        return x >= 0xf0 ? -1 : 1;
    return x < y ? -1 : 1;
}

/* Extends the path of the error text; cuts long ones. Returns the length to give to pop_path(). */
static size_t push_path(struct canonical_writer *writer, const char *format, const char *key, size_t index)
{
    size_t before = writer->path_n;
    int n = key != NULL ? snprintf(writer->path + before, sizeof(writer->path) - before, "%s%s", format, key)
                        : snprintf(writer->path + before, sizeof(writer->path) - before, "[%zu]", index);

    writer->path_n = HF_MIN(before + (size_t)n, sizeof(writer->path) - 1);
    return before;
}

static void pop_path(struct canonical_writer *writer, size_t before)
{
    writer->path_n = before;
    writer->path[before] = '\0';
}

static int add_members(struct canonical_writer *writer, struct canonical_member *members, size_t n)
{
    int r = add(writer, "{", 1);

    qsort(members, n, sizeof(*members), compare_utf16);
    for (size_t i = 0; r == 0 && i < n; i++) {
        size_t before = push_path(writer, writer->path_n > 0 ? "." : "", members[i].key, 0);
        if (i > 0)
            r = add(writer, ",", 1);
        if (r == 0)
            r = add_string(writer, members[i].key, members[i].key_n);
        if (r == 0)
            r = add(writer, ":", 1);
        if (r == 0)
            r = add_value(writer, members[i].value);
        if (r == 0)
            pop_path(writer, before);
    }
    return r < 0 ? r : add(writer, "}", 1);
}

static int add_object(struct canonical_writer *writer, const json_t *object)
{
    size_t n = json_object_size(object), i = 0;
    _cleanup_(hf_freep) struct canonical_member *members = calloc(n + 1, sizeof(*members));
    json_t *walked = hf_json_mutable(object);

    if (members == NULL)
        return hf_err_set(writer->err, ENOMEM, "not enough memory for canonical JSON");
    for (void *it = json_object_iter(walked); it != NULL && i < n; it = json_object_iter_next(walked, it), i++)
        members[i] = (struct canonical_member){json_object_iter_key(it), json_object_iter_key_len(it),
                                               json_object_iter_value(it)};
    return add_members(writer, members, n);
}

static int add_array(struct canonical_writer *writer, const json_t *array)
{
    int r = add(writer, "[", 1);

    for (size_t i = 0; r == 0 && i < json_array_size(array); i++) {
        size_t before = push_path(writer, NULL, NULL, i);
        if (i > 0)
            r = add(writer, ",", 1);
        if (r == 0)
            r = add_value(writer, json_array_get(array, i));
        if (r == 0)
            pop_path(writer, before);
    }
    return r < 0 ? r : add(writer, "]", 1);
}

static int add_integer(struct canonical_writer *writer, int64_t value)
{
    char text[24];

    if (value > max_safe_integer || value < -max_safe_integer)
        return hf_err_set(writer->err, EINVAL, "%s: integers beyond 2^53-1 have no canonical form", writer->path);
    int n = snprintf(text, sizeof(text), "%" PRId64, value);
    return add(writer, text, (size_t)n);
}

/* Writes a double as ECMAScript does (RFC 8785, 3.2.2.3): with as few digits as tell it from every other double. */
static int add_real(struct canonical_writer *writer, double value)
{
    char digits[32], text[64];
    int n = 0, precision = 0;

    if (value == 0)
        return add(writer, "0", 1);
    do
        (void)snprintf(text, sizeof(text), "%.*e", precision, value < 0 ? -value : value);
    while (strtod(text, NULL) != (value < 0 ? -value : value) && ++precision <= 16);
    const char *e = strchr(text, 'e');
    for (const char *c = text; c < e; c++)
        if (*c != '.')
            digits[n++] = *c;
    digits[n] = '\0';
    int point = (int)strtol(e + 1, NULL, 10) + 1; /* the decimal point is behind this many digits */
    const char *sign = value < 0 ? "-" : "";
    if (n <= point && point <= 21)
        n = snprintf(text, sizeof(text), "%s%s%.*s", sign, digits, point - n, "000000000000000000000");
    else if (point > 0 && point <= 21)
        n = snprintf(text, sizeof(text), "%s%.*s.%s", sign, point, digits, digits + point);
    else if (point > -6 && point <= 0)
        n = snprintf(text, sizeof(text), "%s0.%.*s%s", sign, -point, "00000", digits);
    else
        n = snprintf(text, sizeof(text), "%s%c%s%se%+d", sign, digits[0], n > 1 ? "." : "", digits + 1, point - 1);
    return add(writer, text, (size_t)n);
}

static int add_container(struct canonical_writer *writer, const json_t *json)
{
    if (writer->depth >= MAX_DEPTH)
        return hf_err_set(writer->err, E2BIG, "%s: nested more than %d", writer->path, MAX_DEPTH);
    writer->depth++;
    int r = json_is_object(json) ? add_object(writer, json) : add_array(writer, json);
    writer->depth--;
    return r;
}

static int add_value(struct canonical_writer *writer, const json_t *json)
{
    switch (json != NULL ? json_typeof(json) : JSON_NULL) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        return add_container(writer, json);
    case JSON_STRING:
        return add_string(writer, json_string_value(json), json_string_length(json));
    case JSON_INTEGER:
        return add_integer(writer, json_integer_value(json));
    case JSON_REAL:
        if (writer->fractions)
            return add_real(writer, json_real_value(json));
        return hf_err_set(writer->err, EINVAL, "%s: only integers up to 2^53-1, strings and booleans can be signed",
                          writer->path);
    case JSON_TRUE:
        return add(writer, "true", 4);
    case JSON_FALSE:
        return add(writer, "false", 5);
    case JSON_NULL:
    default:
        return add(writer, "null", 4);
    }
}

static int write_canonical(struct canonical_writer *writer, const json_t *json)
{
    struct hf_buf *out = writer->out;
    size_t before = out->n;
    int r = add_value(writer, json);

    if (r < 0)
        hf_buf_cut(out, before);
    return r;
}

int hf_json_canonical(const json_t *json, struct hf_buf *out, struct hf_err *err)
{
    struct canonical_writer writer = {.out = out, .err = err};

    return write_canonical(&writer, json);
}

int hf_json_canonical_fractions(const json_t *json, struct hf_buf *out, struct hf_err *err)
{
    struct canonical_writer writer = {.out = out, .err = err, .fractions = true};

    return write_canonical(&writer, json);
}
