/* api/field/field.h - decodes an object by a table of fields. A row of the table has name, kind, default and bounds of
 * one field.
 *
 *     static const struct hf_field health_fields[] = {
 *         HF_FIELD_DURATION(struct hf_release, health_deadline_ns, "deadline", "2m", 1 s, 24 h),
 *         HF_FIELD_LIST(struct hf_release, checks, n_checks, "checks", check_fields, 16, .finish = finish_check),
 *         {0}};
 *
 * One pass reports every mistake. An unknown key is a warning, except in a label selector. `const char *` members
 * borrow from the tree. Fields of an absent object take their defaults. tests/unit/api/test_schema.c compares the
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
    HF_KIND_PERCENT,
    HF_KIND_TIME,
    HF_KIND_WORD, /* one word of a set, stored as its index in the set */
    HF_KIND_OBJECT,
    HF_KIND_LIST,     /* list of objects */
    HF_KIND_TEXTS,    /* list of strings */
    HF_KIND_LABELS,   /* object of label keys and values */
    HF_KIND_SELECTOR, /* label selector; `decode` decodes the value */
    HF_KIND_OTHER,    /* any other form; `decode` decodes the value */
    HF_KIND_COUNT,
};

struct hf_field {
    const char *name; /* NULL ends a table */
    enum hf_field_kind kind;
    bool required;
    bool opaque;          /* OBJECT: the decoder ignores its members */
    size_t offset;        /* offset, in the structure, of the member that gets the value (the slot) */
    size_t width;         /* INTEGER, WORD: bytes of the slot; LIST: bytes of one element */
    size_t count_offset;  /* LIST: offset of the size_t that gets the number of elements */
    const char *fallback; /* default, as text */
    /* Bounds: of the value for INTEGER (as int64), DURATION (in ns) and QUANTITY (in bytes); of the length for TEXT; of
     * the number of items for LIST and TEXTS. */
    uint64_t min, max;
    uint64_t item_min, item_max;     /* TEXTS: length of one item */
    const char *const *words;        /* WORD: the set of words; NULL ends */
    bool (*check)(const char *text); /* TEXT, TEXTS: returns false for a malformed string */
    const char *expected;            /* TEXT, TEXTS: the error text after a failed check */
    const struct hf_field *fields;   /* OBJECT, LIST: table of the members */
    /* OBJECT, LIST: checks rules across fields, after the decoder has decoded the fields of the object or of one list
     * element. `json` is this object or element. */
    void (*finish)(struct hf_decode *decode, void *object, json_t *json);
    /* SELECTOR, OTHER: decodes `value` into `slot`. `value` is NULL only if the field is absent and has a default. */
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
#define HF_FIELD_WORD(type, member, key, standard, set)                                                                \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_WORD, HF_FIELD_SLOT(type, member), .fallback = (standard), .words = (set)       \
    }
/* A nested object whose fields are members of the same structure (offset 0). */
#define HF_FIELD_PART(key, table, ...)                                                                                 \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_OBJECT, .fields = (table), __VA_ARGS__                                          \
    }
#define HF_FIELD_OBJECT(type, member, key, table, ...)                                                                 \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_OBJECT, HF_FIELD_SLOT(type, member), .fields = (table), __VA_ARGS__             \
    }
/* An object whose members the decoder ignores. */
#define HF_FIELD_OPAQUE(key)                                                                                           \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_OBJECT, .opaque = true                                                          \
    }
#define HF_FIELD_LIST(type, member, count, key, table, most, ...)                                                      \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_LIST, .offset = offsetof(type, member), .width = sizeof(*((type *)0)->member),  \
        .count_offset = offsetof(type, count), .fields = (table), .max = (most), __VA_ARGS__                           \
    }
/* `member` is an array of at least most + 1 pointers; NULL ends the list. */
#define HF_FIELD_TEXTS(type, member, key, most, length, is_good, wants, ...)                                           \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_TEXTS, HF_FIELD_SLOT(type, member), .max = (most), .item_min = 1,               \
        .item_max = (length), .check = (is_good), .expected = (wants), __VA_ARGS__                                     \
    }
#define HF_REQUIRED .required = true

/* Decodes `object` (NULL: absent, so every field takes its default) by the table `fields` into the structure `out`. */
void hf_field_decode_all(struct hf_decode *decode, const struct hf_field *fields, json_t *object, void *out);

/* Decodes the member "spec" of a whole object. The table `spec` has only one row, for this member. The function does
 * not report other members as unknown. */
void hf_field_decode_spec(struct hf_decode *decode, const struct hf_field *spec, json_t *object, void *out);
