/* SPDX-License-Identifier: Apache-2.0 */
/* api/field/field.h - decodes a JSON object into a struct by a table of fields. Each row of the table has the name,
 * kind, default and bounds of one field.
 *
 *     static const struct hf_field health_fields[] = {
 *         HF_FIELD_DURATION(struct hf_release, health_deadline_ns, "deadline", "2m", 1 s, 24 h),
 *         HF_FIELD_LIST(struct hf_release, checks, n_checks, "checks", check_fields, 16, .finish = finish_check),
 *         {0}};
 *
 * One pass reports every mistake in the object. An unknown key gives a warning. If decode->unknown is set, the decoder
 * calls this function instead of adding a warning. Label selectors and the node's configuration (config/config.h) set
 * such a function, which reports an error. `const char *` members of the struct point into the JSON tree, or to the
 * default in the table. Fields of an absent object take their defaults. tests/unit/api/test_schema.c compares the
 * tables with the CRDs. Pure. */
#pragma once

#include "api/field/decode.h"
#include "base/clock.h"

enum hf_field_kind {
    HF_KIND_TEXT,
    HF_KIND_BOOL,
    HF_KIND_INTEGER,
    HF_KIND_DURATION,
    HF_KIND_QUANTITY,
    HF_KIND_SHARE, /* a count, or a percentage */
    HF_KIND_TIME,
    HF_KIND_WORD, /* one word of a set of words, stored as the index of the word in the set */
    HF_KIND_OBJECT,
    HF_KIND_LIST,     /* list of objects */
    HF_KIND_TEXTS,    /* list of strings */
    HF_KIND_LABELS,   /* object of label keys and values */
    HF_KIND_SELECTOR, /* label selector, which the row's `decode` function decodes */
    HF_KIND_OTHER,    /* any other form, which the row's `decode` function decodes */
    HF_KIND_COUNT,
};

/* A number of things, or a percentage of them. */
struct hf_share {
    bool is_percent;
    unsigned count;        /* valid if is_percent is false */
    unsigned basis_points; /* 0..10000, valid if is_percent is true */
};

/* Returns the share of `all` things as a number; rounds a percentage down. */
uint64_t hf_field_share_of(const struct hf_share *share, uint64_t all);
/* Like hf_field_share_of(), but rounds a percentage up. */
uint64_t hf_field_share_up(const struct hf_share *share, uint64_t all);

struct hf_field {
    const char *name; /* name of the field; NULL in the row that ends a table */
    enum hf_field_kind kind;
    bool required;
    size_t offset;        /* offset of the slot in the struct; the slot is the member that receives the value */
    size_t width;         /* for INTEGER and WORD, size of the slot in bytes; for LIST, size of one element in bytes */
    size_t count_offset;  /* for LIST, offset of the member that receives the number of elements (a size_t) */
    const char *fallback; /* default value, as text; NULL if there is none */
    /* Minimum and maximum. They bound the value of INTEGER (as int64), DURATION (in ns) and QUANTITY (in bytes), the
     * length of TEXT (in bytes), the number of items of LIST and TEXTS, and the count of SHARE (a minimum above 0 also
     * forbids 0%). For LABELS, `max` bounds the number of labels. */
    uint64_t min, max;
    uint64_t item_min, item_max; /* for TEXTS, minimum and maximum length of one item in bytes */
    const char *const *words;    /* for WORD, the set of words; NULL ends the array */
    /* for TEXT and TEXTS, function that returns false for a malformed string; may be NULL */
    bool (*check)(const char *text);
    /* for TEXT and TEXTS, the expected form of the string; the error text shows it if `check` returns false */
    const char *expected;
    const struct hf_field *fields; /* for OBJECT and LIST, table of the members */
    /* For OBJECT and LIST, checks rules that involve several fields. The decoder calls this function after it has
     * decoded all fields of the object, or of one element of the list, but never for an absent object. `json` is the
     * JSON of this object or element. */
    void (*finish)(struct hf_decode *decode, void *object, json_t *json);
    /* For SELECTOR and OTHER, decodes `value` into `slot`. `value` is NULL only if the field is absent and has a
     * default. */
    void (*decode)(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot);
};

#define HF_FIELD_SLOT(type, member) .offset = offsetof(type, member), .width = sizeof(((type *)0)->member)

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
/* Row for a nested JSON object without a struct of its own: its fields go into the struct of the outer object (offset
 * 0). */
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
/* Row for a list of strings. `member` is an array of pointers, with room for `most` strings and the NULL that ends the
 * list. */
#define HF_FIELD_TEXTS(type, member, key, most, length, is_good, wants, ...)                                           \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_TEXTS, HF_FIELD_SLOT(type, member), .max = (most), .item_min = 1,               \
        .item_max = (length), .check = (is_good), .expected = (wants), __VA_ARGS__                                     \
    }
#define HF_REQUIRED .required = true

/* Decodes `object` by the table `fields` into the struct `out`. If `object` is NULL (absent), every field takes its
 * default. */
void hf_field_decode_all(struct hf_decode *decode, const struct hf_field *fields, json_t *object, void *out);

/* Decodes the member "spec" of a whole object. The table `spec` has only one row, which is for this member. The
 * function does not report other members of the object as unknown. */
void hf_field_decode_spec(struct hf_decode *decode, const struct hf_field *spec, json_t *object, void *out);
