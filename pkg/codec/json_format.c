/* SPDX-License-Identifier: Apache-2.0 */
/* Trees as compact JSON text, and the length of that text. jansson's own writer makes a hash table of the
 * containers on its way for each text, to find circles; our trees have none, because they are parsed or built from
 * the root down. */
#include <errno.h>
#include <stdio.h>

#include "codec/json.h"
#include "codec/scan.h"

/* No tree of ours nests as deeply. A circle, which would be a bug, ends here. */
enum { MAX_DEPTH = 2048 };

struct writer {
    struct hf_buf *out; /* NULL: only count */
    size_t n;           /* bytes so far */
    unsigned depth;
};

static int add_value(struct writer *writer, const json_t *json);

static int add(struct writer *writer, const char *text, size_t n)
{
    writer->n += n;
    return writer->out != NULL ? hf_buf_add(writer->out, text, n) : 0;
}

static int add_escape(struct writer *writer, unsigned char c)
{
    static const char short_escapes[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char text[8];

    if (c == '"' || c == '\\' || (c < sizeof(short_escapes) && short_escapes[c] != 0)) {
        text[0] = '\\';
        text[1] = c == '"' || c == '\\' ? (char)c : short_escapes[c];
        return add(writer, text, 2);
    }
    int n = snprintf(text, sizeof(text), "\\u%04X", c);
    return add(writer, text, (size_t)n);
}

static int add_string(struct writer *writer, const char *text, size_t n)
{
    int r = add(writer, "\"", 1);

    for (size_t run = 0, i = 0; r == 0 && i < n; run = i) {
        i += hf_scan_plain(text + i, n - i);
        while (i < n && (unsigned char)text[i] >= 0x80) {
            i++;
            i += hf_scan_plain(text + i, n - i);
        }
        r = add(writer, text + run, i - run);
        if (r == 0 && i < n)
            r = add_escape(writer, (unsigned char)text[i++]);
    }
    return r < 0 ? r : add(writer, "\"", 1);
}

static int add_object(struct writer *writer, const json_t *object)
{
    json_t *walked = hf_json_mutable(object);
    int r = add(writer, "{", 1);
    bool first = true;

    for (void *it = json_object_iter(walked); r == 0 && it != NULL; it = json_object_iter_next(walked, it)) {
        if (!first)
            r = add(writer, ",", 1);
        first = false;
        if (r == 0)
            r = add_string(writer, json_object_iter_key(it), json_object_iter_key_len(it));
        if (r == 0)
            r = add(writer, ":", 1);
        if (r == 0)
            r = add_value(writer, json_object_iter_value(it));
    }
    return r < 0 ? r : add(writer, "}", 1);
}

static int add_array(struct writer *writer, const json_t *array)
{
    int r = add(writer, "[", 1);

    for (size_t i = 0; r == 0 && i < json_array_size(array); i++) {
        if (i > 0)
            r = add(writer, ",", 1);
        if (r == 0)
            r = add_value(writer, json_array_get(array, i));
    }
    return r < 0 ? r : add(writer, "]", 1);
}

static int add_integer(struct writer *writer, int64_t value)
{
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char text[24], *at = text + sizeof(text);

    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0)
        *--at = '-';
    return add(writer, at, (size_t)(text + sizeof(text) - at));
}

static int add_real(struct writer *writer, const json_t *json)
{
    char text[64];
    size_t n = json_dumpb(json, text, sizeof(text), JSON_COMPACT | JSON_ENCODE_ANY);

    return n == 0 || n > sizeof(text) ? -EINVAL : add(writer, text, n);
}

static int add_container(struct writer *writer, const json_t *json)
{
    if (writer->depth >= MAX_DEPTH)
        return -EINVAL;
    writer->depth++;
    int r = json_is_object(json) ? add_object(writer, json) : add_array(writer, json);
    writer->depth--;
    return r;
}

static int add_value(struct writer *writer, const json_t *json)
{
    if (json == NULL)
        return -EINVAL;
    switch (json_typeof(json)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        return add_container(writer, json);
    case JSON_STRING:
        return add_string(writer, json_string_value(json), json_string_length(json));
    case JSON_INTEGER:
        return add_integer(writer, json_integer_value(json));
    case JSON_REAL:
        return add_real(writer, json);
    case JSON_TRUE:
        return add(writer, "true", 4);
    case JSON_FALSE:
        return add(writer, "false", 5);
    case JSON_NULL:
    default:
        return add(writer, "null", 4);
    }
}

int hf_json_format(const json_t *json, struct hf_buf *out)
{
    struct writer writer = {.out = out};
    size_t before = out->n;
    int r = add_value(&writer, json);

    if (r < 0)
        hf_buf_cut(out, before);
    return r;
}

size_t hf_json_format_size(const json_t *json)
{
    struct writer writer = {.out = NULL};

    return add_value(&writer, json) < 0 ? 0 : writer.n;
}
