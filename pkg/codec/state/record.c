/* SPDX-License-Identifier: Apache-2.0 */
/* Three walks over one table: format_rows() makes a JSON object from a struct, parse_rows() fills a struct from a JSON
 * object, drop_rows() gives up its references. A struct row walks the rows of its own struct, an array row its
 * elements.
 *
 * The JSON text goes under a seal, so parsing a file that some process wrote whole never meets a wrong field. The
 * fields are checked all the same: another version, or somebody with an editor and a checksum, may have written the
 * file, and some of the texts become paths. Parsing writes into the caller's zeroed struct, and zeroes it again on
 * failure, so that nobody acts on half a record.
 *
 * JSON holds only valid UTF-8, and a header from a server or a path may be anything: so texts are escaped. `%` was
 * chosen because paths, versions and messages have few of them, which keeps the files readable.
 *
 * Not for: maps and lists that grow with the node (inventories, floors of many names), content (bundles, secrets), and
 * records written too often for a rename each (os/two_slots.h, update/install/checkpoint.h). */
#include "codec/state/record.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/encoding/hex.h"
#include "base/encoding/utf8.h"

static bool is_array(const struct hf_record_row *row)
{
    return row->capacity > 0;
}

static uint64_t max_of(const struct hf_record_row *row)
{
    return row->max != 0 ? row->max : row->size == sizeof(unsigned) ? UINT32_MAX : INT64_MAX;
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

static json_t *escaped(const char *text)
{
    size_t n = strlen(text), used = 0;
    char *out = malloc(3 * n + 1);

    while (out != NULL && n > 0) {
        size_t length = *text == '%' ? 0 : hf_utf8_length(text, n);
        memcpy(out + used, text, length);
        if (length == 0) {
            out[used] = '%';
            (void)hf_hex_encode(text, 1, out + used + 1);
        }
        used += length > 0 ? length : 3;
        n -= HF_MAX(length, (size_t)1);
        text += HF_MAX(length, (size_t)1);
    }
    json_t *value = out != NULL ? json_stringn_nocheck(out, used) : NULL;
    free(out);
    return value;
}

static uint64_t number_at(const struct hf_record_row *row, const char *at)
{
    uint64_t wide = 0;
    unsigned narrow = 0;

    if (row->size == sizeof(wide))
        memcpy(&wide, at, sizeof(wide));
    else
        memcpy(&narrow, at, sizeof(narrow));
    return row->size == sizeof(wide) ? wide : narrow;
}

static json_t *format_rows(const struct hf_record_rows *rows, const char *record);

static json_t *format_one(const struct hf_record_row *row, const char *at)
{
    switch (row->kind) {
    case HF_RECORD_UNSIGNED:
        if (row->name_of != NULL)
            return json_string(row->name_of((unsigned)number_at(row, at)));
        return json_integer((json_int_t)HF_MIN(number_at(row, at), max_of(row)));
    case HF_RECORD_SIGNED:
        return json_integer((json_int_t)number_at(row, at));
    case HF_RECORD_BOOL:
        return json_boolean(*(const bool *)at);
    case HF_RECORD_TEXT:
    case HF_RECORD_SHA256:
        assert(memchr(at, '\0', row->size) != NULL);
        return escaped(at);
    case HF_RECORD_JSON:
        return json_incref(*(json_t *const *)(const void *)at);
    case HF_RECORD_STRUCT:
        return format_rows(row->fields, at);
    }
    return NULL;
}

static size_t count_of(const struct hf_record_row *row, const char *record)
{
    unsigned n;

    if (row->count_offset == HF_RECORD_FULL)
        return row->capacity;
    memcpy(&n, record + row->count_offset, sizeof(n));
    assert(n <= row->capacity);
    return n;
}

static json_t *format_array(const struct hf_record_row *row, const char *record)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count_of(row, record); i++)
        if (json_array_append_new(list, format_one(row, record + row->offset + i * row->size)) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* A struct is left out if all its members would be. */
static bool is_zero(const struct hf_record_row *row, const char *record)
{
    const char *at = record + row->offset;

    if (is_array(row))
        return row->count_offset != HF_RECORD_FULL && count_of(row, record) == 0;
    if (row->kind == HF_RECORD_TEXT || row->kind == HF_RECORD_SHA256)
        return at[0] == '\0';
    if (row->kind != HF_RECORD_STRUCT)
        return at[0] == '\0' && memcmp(at, at + 1, row->size - 1) == 0;
    for (size_t i = 0; i < row->fields->n; i++)
        if (!is_zero(&row->fields->p[i], at))
            return false;
    return true;
}

static json_t *format_rows(const struct hf_record_rows *rows, const char *record)
{
    json_t *object = json_object();

    for (size_t i = 0; i < rows->n; i++) {
        const struct hf_record_row *row = &rows->p[i];
        if (!row->required && is_zero(row, record))
            continue;
        json_t *value = is_array(row) ? format_array(row, record) : format_one(row, record + row->offset);
        if (json_object_set_new(object, row->name, value) < 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

int hf_record_format(const struct hf_record_type *type, const void *record, struct hf_buf *out)
{
    _cleanup_(hf_json_freep) json_t *object = format_rows(&type->rows, record);
    size_t before = out->n, body;
    int r = object != NULL ? hf_seal_begin(type->name, type->version, out, &body) : -ENOMEM;

    if (r == 0)
        r = hf_json_format(object, out);
    if (r == 0)
        hf_seal_end(out, body, NULL);
    else
        hf_buf_cut(out, before);
    return r;
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

static bool unescape(const char *text, char *out, size_t size)
{
    size_t used = 0;

    for (; *text != '\0' && used < size; used++) {
        char digits[3] = {0};
        out[used] = *text++;
        if (out[used] != '%')
            continue;
        memcpy(digits, text, strnlen(text, 2));
        if (hf_hex_decode(digits, &out[used], 1) < 0 || out[used] == '\0')
            return false;
        text += 2;
    }
    if (used == size)
        return false;
    out[used] = '\0';
    return true;
}

static bool parse_number(const struct hf_record_row *row, const json_t *value, char *at)
{
    json_int_t number = json_integer_value(value);
    unsigned narrow = (unsigned)number;

    if (!json_is_integer(value) || (row->kind == HF_RECORD_UNSIGNED && (number < 0 || (uint64_t)number > max_of(row))))
        return false;
    memcpy(at, row->size == sizeof(number) ? (const void *)&number : &narrow, row->size);
    return true;
}

static bool parse_name(const struct hf_record_row *row, const json_t *value, char *at)
{
    const char *name = json_string_value(value);
    unsigned found = 0;

    assert(row->size == sizeof(found));
    while (name != NULL && found <= row->max && strcmp(name, row->name_of(found)) != 0)
        found++;
    if (name == NULL || (found > row->max && !row->lenient))
        return false;
    found = found > row->max ? 0 : found;
    memcpy(at, &found, sizeof(found));
    return true;
}

static bool parse_text(const struct hf_record_row *row, const json_t *value, char *at)
{
    const char *text = json_string_value(value);

    if (text == NULL || !unescape(text, at, row->size))
        return false;
    return row->kind == HF_RECORD_TEXT || at[0] == '\0' ||
           (strlen(at) == HF_SHA256_HEX - 1 && strspn(at, "0123456789abcdef") == HF_SHA256_HEX - 1);
}

static const struct hf_record_row *parse_rows(const struct hf_record_rows *rows, const json_t *object, char *record);

static bool parse_one(const struct hf_record_row *row, json_t *value, char *at)
{
    switch (row->kind) {
    case HF_RECORD_UNSIGNED:
        return row->name_of != NULL ? parse_name(row, value, at) : parse_number(row, value, at);
    case HF_RECORD_SIGNED:
        return parse_number(row, value, at);
    case HF_RECORD_BOOL:
        *(bool *)at = json_is_true(value);
        return json_is_boolean(value);
    case HF_RECORD_TEXT:
    case HF_RECORD_SHA256:
        return parse_text(row, value, at);
    case HF_RECORD_JSON:
        *(json_t **)(void *)at = json_is_null(value) ? NULL : json_incref(value);
        return !json_is_null(value);
    case HF_RECORD_STRUCT:
        return parse_rows(row->fields, value, at) == NULL;
    }
    return false;
}

static bool parse_array(const struct hf_record_row *row, const json_t *list, char *record)
{
    unsigned n = (unsigned)json_array_size(list);

    if (!json_is_array(list) || n > row->capacity || (row->count_offset == HF_RECORD_FULL && n < row->capacity))
        return false;
    for (unsigned i = 0; i < n; i++)
        if (!parse_one(row, json_array_get(list, i), record + row->offset + i * row->size))
            return false;
    if (row->count_offset != HF_RECORD_FULL)
        memcpy(record + row->count_offset, &n, sizeof(n));
    return true;
}

/* Returns the row that is missing or invalid, or NULL. */
static const struct hf_record_row *parse_rows(const struct hf_record_rows *rows, const json_t *object, char *record)
{
    for (size_t i = 0; i < rows->n; i++) {
        const struct hf_record_row *row = &rows->p[i];
        json_t *value = json_object_get(object, row->name);
        bool good = value == NULL   ? !row->required
                    : is_array(row) ? parse_array(row, value, record)
                                    : parse_one(row, value, record + row->offset);
        if (!good || !json_is_object(object))
            return row;
    }
    return NULL;
}

static int parse_body(const struct hf_record_type *type, struct hf_view body, void *record, struct hf_err *err)
{
    const struct hf_json_limits limits = {.max_bytes = type->max_bytes};
    _cleanup_(hf_json_freep) json_t *object = NULL;
    int r = hf_json_parse(body, &limits, &object, err);

    if (r < 0)
        return r == -ENOMEM ? r : -EBADMSG;
    const struct hf_record_row *bad = parse_rows(&type->rows, object, record);
    if (bad != NULL)
        r = hf_err_set(err, EBADMSG, "%s: '%s' is missing or invalid", type->name, bad->name);
    else if (type->valid != NULL && !type->valid(record))
        r = hf_err_set(err, EBADMSG, "%s: the fields contradict each other", type->name);
    if (r < 0)
        hf_record_done(type, record);
    return r;
}

int hf_record_parse(const struct hf_record_type *type, struct hf_view text, void *ret_record, struct hf_err *err)
{
    struct hf_view body;
    int r = hf_seal_open(text, type->name, type->version, &body, err);

    memset(ret_record, 0, type->size);
    return r == 0 ? parse_body(type, body, ret_record, err) : r;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

int hf_record_load(const struct hf_record_type *type, const struct hf_fs_ops *fs, const char *folder, void *ret_record,
                   struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(type->max_bytes);
    struct hf_view body;
    int r = hf_sealed_file_load(fs, folder, type->name, type->name, type->version, &text, &body, err);

    if (r < 0)
        return r;
    memset(ret_record, 0, type->size);
    r = parse_body(type, body, ret_record, err);
    return r == -EBADMSG ? hf_sealed_file_set_aside(fs, folder, type->name, err) : r;
}

int hf_record_save(const struct hf_record_type *type, const struct hf_fs_ops *fs, const char *folder,
                   const void *record, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(type->max_bytes);
    int r = hf_record_format(type, record, &text);

    return r < 0 ? hf_err_sys(err, r, "format '%s/%s'", folder, type->name)
                 : hf_sealed_file_save(fs, folder, type->name, hf_buf_view(&text), err);
}

static void drop_rows(const struct hf_record_rows *rows, char *record)
{
    for (size_t i = 0; i < rows->n; i++) {
        const struct hf_record_row *row = &rows->p[i];
        for (size_t j = 0; j < HF_MAX(row->capacity, (size_t)1); j++) {
            char *at = record + row->offset + j * row->size;
            if (row->kind == HF_RECORD_JSON)
                json_decref(*(json_t **)(void *)at);
            else if (row->kind == HF_RECORD_STRUCT)
                drop_rows(row->fields, at);
        }
    }
}

void hf_record_done(const struct hf_record_type *type, void *record)
{
    drop_rows(&type->rows, record);
    memset(record, 0, type->size);
}
