/* SPDX-License-Identifier: Apache-2.0 */
/* A message begins with one byte for its length, because most are short. hf_otlp_close() writes the length and moves
 * the content if that needs more bytes. In JSON the same calls write names, commas and brackets; a comma is due
 * unless the text before ends with an opening bracket. Reading checks each length against the bytes that are left. */
#include "telemetry/format/otlp.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/endian.h"
#include "codec/scan.h"

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };
enum { MAX_VARINT = 10 };

static void add(struct hf_otlp *w, const void *bytes, size_t n)
{
    if (w->r == 0)
        w->r = hf_buf_add(w->out, bytes, n);
}

static void add_text(struct hf_otlp *w, const char *text)
{
    add(w, text, strlen(text));
}

static size_t varint(uint64_t value, unsigned char bytes[static MAX_VARINT])
{
    size_t n = 0;

    while (value >= 0x80) {
        bytes[n++] = (unsigned char)(value | 0x80);
        value >>= 7;
    }
    bytes[n++] = (unsigned char)value;
    return n;
}

static void add_varint(struct hf_otlp *w, uint64_t value)
{
    unsigned char bytes[MAX_VARINT];

    add(w, bytes, varint(value, bytes));
}

static void add_tag(struct hf_otlp *w, unsigned field, enum wire wire)
{
    add_varint(w, (uint64_t)field << 3 | (uint64_t)wire);
}

static void add_comma(struct hf_otlp *w)
{
    char last = w->out->n > 0 ? w->out->p[w->out->n - 1] : '{';

    if (last != '{' && last != '[')
        add(w, ",", 1);
}

/* Writes ,"name": */
static void add_name(struct hf_otlp *w, const char *name)
{
    add_comma(w);
    add(w, "\"", 1);
    add_text(w, name);
    add(w, "\":", 2);
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

static size_t begin(struct hf_otlp *w, unsigned field)
{
    add_tag(w, field, WIRE_BYTES);
    add(w, "", 1); /* one byte for the length; hf_otlp_close() sets it */
    return w->out->n;
}

size_t hf_otlp_open(struct hf_otlp *w, unsigned field, const char *name)
{
    if (!w->json)
        return begin(w, field);
    add_name(w, name);
    add(w, "{", 1);
    return 0;
}

size_t hf_otlp_open_item(struct hf_otlp *w, unsigned field)
{
    if (!w->json)
        return begin(w, field);
    add_comma(w);
    add(w, "{", 1);
    return 0;
}

void hf_otlp_close(struct hf_otlp *w, size_t start)
{
    unsigned char bytes[MAX_VARINT];

    if (w->json) {
        add(w, "}", 1);
        return;
    }
    if (w->r < 0)
        return;
    size_t length = w->out->n - start, n = varint(length, bytes);
    if (n > 1) {
        w->r = hf_buf_reserve(w->out, n - 1);
        if (w->r < 0)
            return;
        memmove(w->out->p + start + n - 1, w->out->p + start, length);
        w->out->n += n - 1;
    }
    memcpy(w->out->p + start - 1, bytes, n);
}

void hf_otlp_open_list(struct hf_otlp *w, const char *name)
{
    if (!w->json)
        return;
    add_name(w, name);
    add(w, "[", 1);
}

void hf_otlp_close_list(struct hf_otlp *w)
{
    if (w->json)
        add(w, "]", 1);
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

static void add_quoted(struct hf_otlp *w, struct hf_view text)
{
    char escaped[8];

    add(w, "\"", 1);
    for (size_t i = 0; i < text.n;) {
        size_t run = hf_scan_plain(text.p + i, text.n - i);
        add(w, text.p + i, run);
        i += run;
        if (i == text.n)
            break;
        unsigned char c = (unsigned char)text.p[i++];
        if (c == '"' || c == '\\')
            add(w, (const char[]){'\\', (char)c}, 2);
        else if (c >= 0x20)
            add(w, &c, 1);
        else
            add(w, escaped, (size_t)snprintf(escaped, sizeof(escaped), "\\u%04x", c));
    }
    add(w, "\"", 1);
}

void hf_otlp_string(struct hf_otlp *w, unsigned field, const char *name, struct hf_view text)
{
    if (w->json) {
        add_name(w, name);
        add_quoted(w, text);
        return;
    }
    add_tag(w, field, WIRE_BYTES);
    add_varint(w, text.n);
    add(w, text.p, text.n);
}

static void add_fixed64(struct hf_otlp *w, uint64_t value)
{
    unsigned char bytes[8];

    hf_put_le64(bytes, value);
    add(w, bytes, sizeof(bytes));
}

void hf_otlp_fixed64(struct hf_otlp *w, unsigned field, const char *name, uint64_t value)
{
    char text[32];

    if (w->json) {
        add_name(w, name);
        add(w, text, (size_t)snprintf(text, sizeof(text), "\"%" PRIu64 "\"", value));
        return;
    }
    add_tag(w, field, WIRE_FIXED64);
    add_fixed64(w, value);
}

void hf_otlp_double(struct hf_otlp *w, unsigned field, const char *name, double value)
{
    char text[40];
    uint64_t bits;

    if (w->json) {
        add_name(w, name);
        if (isnan(value))
            add_text(w, "\"NaN\"");
        else if (isinf(value))
            add_text(w, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        else
            add(w, text, (size_t)snprintf(text, sizeof(text), "%.17g", value));
        return;
    }
    memcpy(&bits, &value, sizeof(bits));
    add_tag(w, field, WIRE_FIXED64);
    add_fixed64(w, bits);
}

void hf_otlp_number(struct hf_otlp *w, unsigned field, const char *name, uint64_t value)
{
    char text[32];

    if (w->json) {
        add_name(w, name);
        add(w, text, (size_t)snprintf(text, sizeof(text), "%" PRIu64, value));
        return;
    }
    add_tag(w, field, WIRE_VARINT);
    add_varint(w, value);
}

void hf_otlp_bool(struct hf_otlp *w, unsigned field, const char *name, bool value)
{
    if (w->json) {
        add_name(w, name);
        add_text(w, value ? "true" : "false");
    } else {
        hf_otlp_number(w, field, name, value);
    }
}

void hf_otlp_sint32(struct hf_otlp *w, unsigned field, const char *name, int32_t value)
{
    char text[32];

    if (w->json) {
        add_name(w, name);
        add(w, text, (size_t)snprintf(text, sizeof(text), "%" PRId32, value));
        return;
    }
    add_tag(w, field, WIRE_VARINT);
    add_varint(w, ((uint32_t)value << 1) ^ (value < 0 ? UINT32_MAX : 0));
}

void hf_otlp_packed_u64(struct hf_otlp *w, unsigned field, const char *name, const uint64_t *values, size_t n)
{
    char text[32];

    if (w->json) {
        hf_otlp_open_list(w, name);
        for (size_t i = 0; i < n; i++)
            add(w, text, (size_t)snprintf(text, sizeof(text), "%s\"%" PRIu64 "\"", i > 0 ? "," : "", values[i]));
        hf_otlp_close_list(w);
        return;
    }
    size_t start = begin(w, field);
    for (size_t i = 0; i < n; i++)
        add_varint(w, values[i]);
    hf_otlp_close(w, start);
}

void hf_otlp_attribute(struct hf_otlp *w, unsigned field, struct hf_view key, struct hf_view value)
{
    enum { KEY = 1, VALUE = 2, STRING_VALUE = 1 };
    size_t item = hf_otlp_open_item(w, field);

    hf_otlp_string(w, KEY, "key", key);
    size_t any = hf_otlp_open(w, VALUE, "value");
    hf_otlp_string(w, STRING_VALUE, "stringValue", value);
    hf_otlp_close(w, any);
    hf_otlp_close(w, item);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static bool read_varint(struct hf_view *bytes, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && bytes->n > 0; shift += 7) {
        unsigned char c = (unsigned char)*bytes->p++;
        bytes->n--;
        value |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

bool hf_otlp_read(struct hf_view *bytes, unsigned *ret_field, uint64_t *ret_value, struct hf_view *ret_bytes)
{
    uint64_t tag, length;

    if (bytes->n == 0 || !read_varint(bytes, &tag))
        return false;
    *ret_field = (unsigned)(tag >> 3);
    *ret_value = 0;
    *ret_bytes = (struct hf_view){"", 0};
    switch ((enum wire)(tag & 7)) {
    case WIRE_VARINT:
        return read_varint(bytes, ret_value);
    case WIRE_FIXED64:
        length = 8;
        break;
    case WIRE_FIXED32:
        length = 4;
        break;
    case WIRE_BYTES:
        if (!read_varint(bytes, &length))
            return false;
        break;
    default:
        return false;
    }
    if (length > bytes->n)
        return false;
    *ret_bytes = (struct hf_view){bytes->p, (size_t)length};
    bytes->p += length;
    bytes->n -= (size_t)length;
    return true;
}
