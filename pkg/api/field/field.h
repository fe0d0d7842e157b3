/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes a JSON object into a struct by a table: name, kind, default and bounds of each field.
 *
 *     static const struct hf_field health_fields[] = {
 *         HF_FIELD_DURATION(struct hf_release, health_deadline_ns, "deadline", "2m", 1 s, 24 h),
 *         HF_FIELD_LIST(struct hf_release, checks, n_checks, "checks", check_fields, 16, .finish = finish_check),
 *         {0}};
 *
 * An unknown key is a warning, or goes to decode->unknown. Texts point into the tree or the table. Absent optional
 * objects have defaults. */
#pragma once

#include "api/field/decode.h"
#include "base/clock.h"

enum hf_field_kind {
    HF_KIND_TEXT,
    HF_KIND_BOOL,
    HF_KIND_INTEGER,
    HF_KIND_DURATION,
    HF_KIND_QUANTITY,
    HF_KIND_SHARE,
    HF_KIND_TIME,
    HF_KIND_WORD, /* decoded to the word's index */
    HF_KIND_OBJECT,
    HF_KIND_LIST,  /* list of objects */
    HF_KIND_TEXTS, /* list of strings */
    HF_KIND_LABELS,
    HF_KIND_SELECTOR,
    HF_KIND_OTHER, /* decoded by the row's `decode`, as SELECTOR */
    HF_KIND_COUNT,
};

struct hf_share {
    bool is_percent;
    unsigned count;
    unsigned basis_points;
};

/* Return the share of `all`, rounded down, or up (_up). */
uint64_t hf_field_share_of(const struct hf_share *share, uint64_t all);
uint64_t hf_field_share_up(const struct hf_share *share, uint64_t all);

struct hf_field {
    const char *name; /* NULL ends a table */
    enum hf_field_kind kind;
    bool required;
    size_t offset;        /* of the slot, the member that gets the value */
    size_t width;         /* size of the slot; LIST: of an element */
    size_t count_offset;  /* LIST: offset of the member with the number of elements */
    const char *fallback; /* default as text, or NULL */
    /* Bounds. INTEGER (int64), DURATION (ns), QUANTITY (bytes): the value; TEXT: its bytes; LIST, TEXTS, LABELS: the
     * number of items; SHARE: the count (above 0 forbids 0%, too). */
    uint64_t min, max;
    uint64_t item_min, item_max;     /* TEXTS: bounds of an item's bytes */
    const char *const *words;        /* WORD: the list ends with NULL */
    bool (*check)(const char *text); /* TEXT, TEXTS: whether the form is right; or NULL */
    const char *expected;            /* names that form in errors */
    const struct hf_field *fields;
    /* OBJECT, LIST: sets or checks fields, after each present object or element. */
    void (*finish)(struct hf_decode *decode, void *object, json_t *json);
    /* SELECTOR, OTHER: `value` is NULL for an absent field with a default. */
    void (*decode)(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot);
};

#define HF_FIELD_SLOT(type, member) .offset = offsetof(type, member), .width = sizeof(((type *)0)->member)

#define HF_FIELD_OF(its_kind, type, member, key, ...)                                                                  \
    {                                                                                                                  \
        .name = (key), .kind = (its_kind), HF_FIELD_SLOT(type, member), __VA_ARGS__                                    \
    }
#define HF_FIELD_TEXT(type, member, key, least, most, is_good, wants, ...)                                             \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_TEXT, HF_FIELD_SLOT(type, member), .min = (least), .max = (most),               \
        .check = (is_good), .expected = (wants), __VA_ARGS__                                                           \
    }
#define HF_FIELD_BOOL(type, member, key, standard)                                                                     \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_BOOL, HF_FIELD_SLOT(type, member), .fallback = (standard)                       \
    }
#define HF_FIELD_INTEGER(type, member, key, standard, least, most, ...)                                                \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_INTEGER, HF_FIELD_SLOT(type, member), .fallback = (standard), .min = (least),   \
        .max = (most), __VA_ARGS__                                                                                     \
    }
#define HF_FIELD_DURATION(type, member, key, standard, least, most, ...)                                               \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_DURATION, HF_FIELD_SLOT(type, member), .fallback = (standard), .min = (least),  \
        .max = (most), __VA_ARGS__                                                                                     \
    }
#define HF_FIELD_QUANTITY(type, member, key, least, most)                                                              \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_QUANTITY, HF_FIELD_SLOT(type, member), .min = (least), .max = (most)            \
    }
#define HF_FIELD_SHARE(type, member, key, standard, least, most)                                                       \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_SHARE, HF_FIELD_SLOT(type, member), .fallback = (standard), .min = (least),     \
        .max = (most)                                                                                                  \
    }
#define HF_FIELD_WORD(type, member, key, standard, set)                                                                \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_WORD, HF_FIELD_SLOT(type, member), .fallback = (standard), .words = (set)       \
    }
/* A nested object with fields of the outer struct. */
#define HF_FIELD_PART(key, table, ...)                                                                                 \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_OBJECT, .fields = (table), __VA_ARGS__                                          \
    }
#define HF_FIELD_OBJECT(type, member, key, table, ...)                                                                 \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_OBJECT, HF_FIELD_SLOT(type, member), .fields = (table), __VA_ARGS__             \
    }
#define HF_FIELD_LIST(type, member, count, key, table, most, ...)                                                      \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_LIST, .offset = offsetof(type, member), .width = sizeof(*((type *)0)->member),  \
        .count_offset = offsetof(type, count), .fields = (table), .max = (most), __VA_ARGS__                           \
    }
/* `member` has space for `most` strings and NULL. */
#define HF_FIELD_TEXTS(type, member, key, most, length, is_good, wants, ...)                                           \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_TEXTS, HF_FIELD_SLOT(type, member), .max = (most), .item_min = 1,               \
        .item_max = (length), .check = (is_good), .expected = (wants), __VA_ARGS__                                     \
    }
#define HF_REQUIRED .required = true

/* A NULL `object` gives all defaults. */
void hf_field_decode_all(struct hf_decode *decode, const struct hf_field *fields, json_t *object, void *out);

/* Decodes "spec" by the only row of `spec`; ignores other members. */
void hf_field_decode_spec(struct hf_decode *decode, const struct hf_field *spec, json_t *object, void *out);
