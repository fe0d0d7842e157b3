/* api/field.h - objects are read by tables of fields: one row is name, how to decode, default, and what is allowed.
 *
 *     static const struct hf_field health_fields[] = {
 *         HF_FIELD_DURATION(struct hf_release, health_deadline_ns, "deadline", "2m", 1 s, 24 h),
 *         HF_FIELD_LIST(struct hf_release, checks, n_checks, "checks", check_fields, 16, .finish = finish_check),
 *         {0}};
 *
 * Decoding goes on after an error, so that all that is wrong with an object is told at once. Unknown keys are
 * warnings, except in a label selector.
 * `const char *` fields borrow from the tree. An absent object still gives its fields their defaults. */
#pragma once

#include "api/meta.h"
#include "base/clock.h"

enum { HF_FIELD_PATH = 160 };

struct hf_field;

/* Where the decoder is, and what it found. */
struct hf_decode {
    struct hf_issues *issues;
    char path[HF_FIELD_PATH];
    size_t path_n;
    bool absent;        /* inside an object that is not there: nothing is required */
    bool out_of_memory; /* sticks */
    /* What to say of `key`, which none of the `fields` of `object` names; NULL: it is a warning. */
    void (*unknown)(struct hf_decode *decode, const struct hf_field *fields, const char *key, const json_t *object);
};

enum hf_field_kind {
    HF_KIND_TEXT,
    HF_KIND_BOOL,
    HF_KIND_INTEGER,
    HF_KIND_DURATION,
    HF_KIND_QUANTITY,
    HF_KIND_PERCENT,
    HF_KIND_TIME,
    HF_KIND_WORD, /* one of a set of words, stored as its index */
    HF_KIND_OBJECT,
    HF_KIND_LIST,     /* of objects */
    HF_KIND_TEXTS,    /* of strings */
    HF_KIND_LABELS,   /* object of strings that are labels */
    HF_KIND_SELECTOR, /* label selector */
    HF_KIND_OTHER,    /* `decode` knows */
};

struct hf_field {
    const char *name; /* NULL ends a table */
    enum hf_field_kind kind;
    bool required;
    bool opaque;          /* OBJECT: what is inside is not looked at */
    size_t offset;        /* of the slot in the structure */
    size_t width;         /* of the slot: INTEGER and WORD; of one element: LIST */
    size_t count_offset;  /* LIST: of a size_t */
    const char *fallback; /* default, as text */
    uint64_t min, max;    /* INTEGER value (as int64), DURATION ns, QUANTITY bytes, TEXT length, LIST and TEXTS items */
    uint64_t item_min, item_max;     /* TEXTS: length of one */
    const char *const *words;        /* WORD: NULL ends */
    bool (*check)(const char *text); /* TEXT, TEXTS */
    const char *expected;            /* for the error when check says no */
    const struct hf_field *fields;   /* OBJECT, LIST */
    /* After the fields of an OBJECT, or of one element of a LIST: rules across fields. `json` is the object itself. */
    void (*finish)(struct hf_decode *decode, void *object, json_t *json);
    /* OTHER */
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
/* Fields of a part that is stored in the structure itself (offset 0). */
#define HF_FIELD_PART(key, table, ...)                                                                                 \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_OBJECT, .fields = (table), __VA_ARGS__                                          \
    }
#define HF_FIELD_OBJECT(type, member, key, table, ...)                                                                 \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_OBJECT, HF_FIELD_SLOT(type, member), .fields = (table), __VA_ARGS__             \
    }
/* A part that is only looked at from outside. */
#define HF_FIELD_OPAQUE(key)                                                                                           \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_OBJECT, .opaque = true                                                          \
    }
#define HF_FIELD_LIST(type, member, count, key, table, most, ...)                                                      \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_LIST, .offset = offsetof(type, member), .width = sizeof(*((type *)0)->member),  \
        .count_offset = offsetof(type, count), .fields = (table), .max = (most), __VA_ARGS__                           \
    }
/* `member` is an array of at least most + 1 pointers; NULL ends. */
#define HF_FIELD_TEXTS(type, member, key, most, length, is_good, wants, ...)                                           \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_TEXTS, HF_FIELD_SLOT(type, member), .max = (most), .item_min = 1,               \
        .item_max = (length), .check = (is_good), .expected = (wants), __VA_ARGS__                                     \
    }
#define HF_FIELD_SELECTOR(type, member, key, ...)                                                                      \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_SELECTOR, HF_FIELD_SLOT(type, member), __VA_ARGS__                              \
    }

#define HF_REQUIRED .required = true

/* Read `object` (NULL: absent, defaults only) by the table into the structure `out`. */
void hf_decode_fields(struct hf_decode *decode, const struct hf_field *fields, json_t *object, void *out);

/* The same for a table with the one row "spec" and a whole object, whose other keys are not unknown but not ours. */
void hf_decode_spec(struct hf_decode *decode, const struct hf_field *spec, json_t *object, void *out);

/* Report at the current path. */
void hf_decode_error(struct hf_decode *decode, const char *format, ...) HF_PRINTF(2, 3);
/* Report at `key` below the current path. */
void hf_decode_error_at(struct hf_decode *decode, const char *key, const char *format, ...) HF_PRINTF(3, 4);

/* Step into `key` ("a") or an element (key NULL, "[3]"), and back to what it returned. Paths too long are cut. */
size_t hf_decode_enter(struct hf_decode *decode, const char *key, size_t index);
void hf_decode_leave(struct hf_decode *decode, size_t before);

/* The value, for an error text: "'text'" cut at 40 bytes, "5", "a list" ... Returns text. */
#define HF_VALUE_TEXT 64
const char *hf_decode_describe(const json_t *value, char text[HF_VALUE_TEXT]);

/* HF_KIND_SELECTOR: a metav1.LabelSelector into the struct hf_selector at `slot`. */
void hf_selector_decode(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot);

/* apiVersion and kind (may be absent: list items have none), metadata.name, uid, resourceVersion, generation. */
void hf_meta_decode(struct hf_decode *decode, json_t *object, const char *kind, struct hf_meta *ret_meta);
