/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder of all kinds: walks a table of fields (field.h) over a JSON object.
 *
 * For each row it decodes the value into the struct, or the default if the object has none; a fault is reported at
 * the path of the field, and decoding continues, so that a person sees all faults at once. After an object's fields
 * its finish function runs. Members that no row knows are reported last. The defaults stand in the tables as texts,
 * and are parsed by the same code as values of objects. */
#include "api/field/field.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/field/nearest.h"
#include "api/field/text.h"
#include "base/format.h"
#include "base/parse.h"

static void expected(struct hf_decode *decode, const char *what, const json_t *value)
{
    char shown[HF_VALUE_TEXT];

    hf_decode_error(decode, "expected %s, got %s", what, hf_decode_describe(value, shown));
}

/* ---- one decoder for each kind; a NULL `value` stands for the default -------------------------------------------- */

static void decode_text(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    const char *text = value != NULL ? json_string_value(value) : field->fallback;
    size_t n = text != NULL ? strlen(text) : 0;

    if (text == NULL) {
        expected(decode, "a string", value);
    } else if (n < field->min) {
        hf_decode_error(decode, "must not be empty");
    } else if (n > field->max) {
        hf_decode_error(decode, "expected at most %" PRIu64 " bytes, got %zu", field->max, n);
    } else if (field->check != NULL && !field->check(text)) {
        expected(decode, field->expected, value);
    } else {
        *(const char **)slot = text;
    }
}

static void decode_bool(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    if (value == NULL)
        *(bool *)slot = strcmp(field->fallback, "true") == 0;
    else if (json_is_boolean(value))
        *(bool *)slot = json_is_true(value);
    else
        expected(decode, "true or false", value);
}

/* Stores a value that the caller has checked against the bounds of a field of `width` bytes. */
static void store(void *slot, size_t width, int64_t value)
{
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;

    if (width == sizeof(value))
        memcpy(slot, &value, width);
    else if (width == sizeof(u32))
        memcpy(slot, &u32, width);
    else if (width == sizeof(u16))
        memcpy(slot, &u16, width);
    else
        memcpy(slot, &u8, sizeof(u8));
}

static void decode_integer(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    int64_t min = (int64_t)field->min, max = (int64_t)field->max, number = 0;

    if (value == NULL && hf_parse_i64(field->fallback, min, max, &number) == 0) {
        store(slot, field->width, number);
    } else if (!json_is_integer(value)) {
        expected(decode, "an integer", value);
    } else if (json_integer_value(value) < min || json_integer_value(value) > max) {
        hf_decode_error(decode, "expected %" PRId64 " to %" PRId64 ", got %" PRId64, min, max,
                        (int64_t)json_integer_value(value));
    } else {
        store(slot, field->width, json_integer_value(value));
    }
}

static void decode_duration(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    const char *text = value != NULL ? json_string_value(value) : field->fallback;
    char least[HF_DURATION_TEXT], most[HF_DURATION_TEXT];
    uint64_t ns = 0;

    if (text == NULL || hf_parse_duration(text, &ns) == -EINVAL) {
        expected(decode, "a duration such as 30s or 1h30m", value);
        return;
    }
    if (hf_parse_duration(text, &ns) < 0 || ns < field->min || ns > field->max) {
        hf_decode_error(decode, "expected %s to %s, got '%.40s'", hf_format_duration(field->min, least),
                        hf_format_duration(field->max, most), text);
        return;
    }
    *(uint64_t *)slot = ns;
}

static void decode_quantity(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    char shown[HF_VALUE_TEXT];
    uint64_t bytes = 0;
    int r = -EINVAL;

    if (value == NULL && hf_parse_quantity(field->fallback, &bytes) == 0) {
        *(uint64_t *)slot = bytes;
        return;
    }
    if (json_is_string(value))
        r = hf_parse_quantity(json_string_value(value), &bytes);
    else if (json_is_integer(value)) {
        r = json_integer_value(value) < 0 ? -ERANGE : 0;
        bytes = (uint64_t)json_integer_value(value);
    }
    if (r == -EINVAL)
        expected(decode, "a quantity of bytes such as 512Mi", value);
    else if (r < 0 || bytes < field->min || bytes > field->max)
        hf_decode_error(decode, "expected %" PRIu64 " to %" PRIu64 " bytes, got %s", field->min, field->max,
                        hf_decode_describe(value, shown));
    else
        *(uint64_t *)slot = bytes;
}

uint64_t hf_field_share_of(const struct hf_share *share, uint64_t all)
{
    return share->is_percent ? all * share->basis_points / 10000 : share->count;
}

uint64_t hf_field_share_up(const struct hf_share *share, uint64_t all)
{
    return share->is_percent ? (all * share->basis_points + 9999) / 10000 : share->count;
}

/* Parses "3" and "2%", and takes the integer 3. */
static int parse_share(const json_t *value, const char *text, struct hf_share *ret_share)
{
    unsigned basis_points = 0;
    uint64_t count = 0;

    if (value != NULL && json_is_integer(value)) {
        if (json_integer_value(value) < 0)
            return -ERANGE;
        count = (uint64_t)json_integer_value(value);
    } else if (text == NULL) {
        return -EINVAL;
    } else if (strchr(text, '%') != NULL) {
        int r = hf_parse_percent(text, &basis_points);
        *ret_share = (struct hf_share){.is_percent = true, .basis_points = basis_points};
        return r;
    } else if (hf_parse_u64(text, 0, UINT32_MAX, &count) < 0) {
        return -EINVAL;
    }
    if (count > UINT32_MAX)
        return -ERANGE;
    *ret_share = (struct hf_share){.count = (unsigned)count};
    return 0;
}

static void decode_share(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    struct hf_share share = {0};
    char shown[HF_VALUE_TEXT];
    int r = parse_share(value, value != NULL ? json_string_value(value) : field->fallback, &share);
    bool in_range = share.is_percent ? share.basis_points > 0 || field->min == 0
                                     : share.count >= field->min && share.count <= field->max;

    if (r == 0 && in_range)
        *(struct hf_share *)slot = share;
    else
        hf_decode_error(decode, "expected a count of %" PRIu64 " to %" PRIu64 " or a percentage such as 2%%, got %s",
                        field->min, field->max, hf_decode_describe(value, shown));
}

static void decode_time(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value, void *slot)
{
    const char *text = json_string_value(value);

    if (text == NULL || hf_parse_time(text, slot) < 0)
        expected(decode, "a date such as 2027-02-01T00:00:00Z", value);
}

static void decode_word(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    const char *text = value != NULL ? json_string_value(value) : field->fallback;
    char all[80] = "";

    for (size_t i = 0; field->words[i] != NULL; i++) {
        size_t used = strlen(all);
        if (text != NULL && strcmp(text, field->words[i]) == 0) {
            store(slot, field->width, (int64_t)i);
            return;
        }
        (void)snprintf(all + used, sizeof(all) - used, "%s%s", i > 0 ? " or " : "", field->words[i]);
    }
    expected(decode, all, value);
}

static void decode_object(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    bool outer = decode->absent;

    if (value != NULL && !json_is_object(value)) {
        expected(decode, "an object", value);
        value = NULL; /* use the defaults: every member is then defined */
    }
    decode->absent = outer || value == NULL;
    hf_field_decode_all(decode, field->fields, value, slot);
    if (value != NULL && field->finish != NULL)
        field->finish(decode, slot, value);
    decode->absent = outer;
}

static bool check_list(struct hf_decode *decode, const struct hf_field *field, const json_t *value)
{
    size_t n = json_array_size(value);

    if (!json_is_array(value))
        expected(decode, "a list", value);
    else if (n < field->min)
        hf_decode_error(decode, "expected at least %" PRIu64 " %s", field->min, hf_noun(field->min, "item", "items"));
    else if (n > field->max)
        hf_decode_error(decode, "expected at most %" PRIu64 " items, got %zu", field->max, n);
    else
        return true;
    return false;
}

static void decode_element(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *element)
{
    if (!json_is_object(value)) {
        expected(decode, "an object", value);
        return;
    }
    hf_field_decode_all(decode, field->fields, value, element);
    if (field->finish != NULL)
        field->finish(decode, element, value);
}

static void decode_list(struct hf_decode *decode, const struct hf_field *field, json_t *value, char *object)
{
    size_t n = json_array_size(value);

    if (!check_list(decode, field, value) || n == 0)
        return;
    char *elements = calloc(n, field->width);
    if (elements == NULL) {
        decode->out_of_memory = true;
        return;
    }
    *(void **)(void *)(object + field->offset) = elements;
    *(size_t *)(void *)(object + field->count_offset) = n;
    for (size_t i = 0; i < n; i++) {
        size_t before = hf_decode_enter(decode, NULL, i);
        decode_element(decode, field, json_array_get(value, i), elements + i * field->width);
        hf_decode_leave(decode, before);
    }
}

static void decode_texts(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    const struct hf_field item = {
        .min = field->item_min, .max = field->item_max, .check = field->check, .expected = field->expected};
    const char **texts = slot;

    if (!check_list(decode, field, value))
        return;
    for (size_t i = 0; i < json_array_size(value); i++) {
        size_t before = hf_decode_enter(decode, NULL, i);
        decode_text(decode, &item, json_array_get(value, i), &texts[i]);
        hf_decode_leave(decode, before);
    }
}

static void decode_labels(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    const char *key;
    json_t *label;

    if (!json_is_object(value)) {
        expected(decode, "an object of labels", value);
        return;
    }
    if (json_object_size(value) > field->max)
        hf_decode_error(decode, "expected at most %" PRIu64 " labels, got %zu", field->max, json_object_size(value));
    json_object_foreach(value, key, label) {
        size_t before = hf_decode_enter(decode, key, 0);
        if (!hf_text_is_label_key(key))
            hf_decode_error(decode, "is not a label key");
        if (!json_is_string(label) || !hf_text_is_label_value(json_string_value(label)))
            expected(decode, "a label value (at most 63 of A-Z a-z 0-9 - _ .)", label);
        hf_decode_leave(decode, before);
    }
    *(json_t **)slot = value;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static void decode_value(struct hf_decode *decode, const struct hf_field *field, json_t *value, char *out)
{
    static void (*const decoders[HF_KIND_COUNT])(struct hf_decode *, const struct hf_field *, json_t *, void *) = {
        [HF_KIND_TEXT] = decode_text,         [HF_KIND_BOOL] = decode_bool,         [HF_KIND_INTEGER] = decode_integer,
        [HF_KIND_DURATION] = decode_duration, [HF_KIND_QUANTITY] = decode_quantity, [HF_KIND_SHARE] = decode_share,
        [HF_KIND_TIME] = decode_time,         [HF_KIND_WORD] = decode_word,         [HF_KIND_OBJECT] = decode_object,
        [HF_KIND_TEXTS] = decode_texts,       [HF_KIND_LABELS] = decode_labels,
    };

    if (field->kind == HF_KIND_LIST)
        decode_list(decode, field, value, out);
    else if (field->kind == HF_KIND_OTHER || field->kind == HF_KIND_SELECTOR)
        field->decode(decode, field, value, out + field->offset);
    else
        decoders[field->kind](decode, field, value, out + field->offset);
}

/* The path of the decoder ends with `key`. */
static void warn_unknown(struct hf_decode *decode, const struct hf_field *fields, const char *key)
{
    struct hf_nearest nearest = {.typed = key};

    for (; fields->name != NULL; fields++)
        hf_nearest_try(&nearest, fields->name);
    hf_issue_warning(decode->issues, decode->path, "unknown field, not acted on%s%s%s",
                     nearest.best != NULL ? "; did you mean '" : "", nearest.best != NULL ? nearest.best : "",
                     nearest.best != NULL ? "'?" : "");
}

static void report_unknown(struct hf_decode *decode, const struct hf_field *fields, json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value) {
        const struct hf_field *field = fields;
        while (field->name != NULL && strcmp(field->name, key) != 0)
            field++;
        if (field->name != NULL)
            continue;
        size_t before = hf_decode_enter(decode, key, 0);
        if (decode->unknown != NULL)
            decode->unknown(decode, fields, key, object);
        else
            warn_unknown(decode, fields, key);
        hf_decode_leave(decode, before);
    }
}

static void decode_field(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *out)
{
    size_t before = hf_decode_enter(decode, field->name, 0);

    if (value != NULL || field->fallback != NULL || (field->kind == HF_KIND_OBJECT && !field->required))
        decode_value(decode, field, value, out);
    else if (field->required && !decode->absent)
        hf_decode_error(decode, "is required");
    hf_decode_leave(decode, before);
}

void hf_field_decode_spec(struct hf_decode *decode, const struct hf_field *spec, json_t *object, void *out)
{
    decode_field(decode, spec, json_object_get(object, spec->name), out);
}

void hf_field_decode_all(struct hf_decode *decode, const struct hf_field *fields, json_t *object, void *out)
{
    for (const struct hf_field *field = fields; field->name != NULL; field++)
        decode_field(decode, field, json_object_get(object, field->name), out);
    if (object != NULL)
        report_unknown(decode, fields, object);
}
