/* SPDX-License-Identifier: Apache-2.0 */
/* State files with named fields: a table of rows, one per member, formats, parses, loads and saves a struct. All have
 * one grammar, a seal (codec/seal.h) and a JSON object:
 *
 *     holdfast-<name> <version> <SHA-256 of the rest>\n{"offset":9,"etag":"\"v1\"","complete":true}
 *
 * Texts hold any byte except zero: each `%`, and each byte that is not valid UTF-8, becomes `%` and two hex digits.
 * Members that are zero, "", false or NULL are written only if required. Unknown names are ignored: a later version may
 * have written them.
 *
 * A struct owns references to its JSON values. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fs.h"
#include "codec/json.h"
#include "codec/state/sealed_file.h"

enum hf_record_kind {
    HF_RECORD_UNSIGNED, /* unsigned, uint64_t, or enum with `name_of`. At most INT64_MAX. */
    HF_RECORD_SIGNED,   /* int64_t */
    HF_RECORD_BOOL,
    HF_RECORD_TEXT,   /* char[] */
    HF_RECORD_SHA256, /* char[HF_SHA256_HEX]: lower-case hex, "" */
    HF_RECORD_JSON,   /* json_t *, not null */
    HF_RECORD_STRUCT, /* with its own rows */
};

struct hf_record_row {
    const char *name;
    enum hf_record_kind kind;
    bool required; /* always written; its absence is damage */
    bool lenient;  /* with `name_of`: a later version's name is 0, no damage */
    size_t offset, size;
    uint64_t max;                        /* 0: INT64_MAX */
    const char *(*name_of)(unsigned);    /* enum: names of 0 to `max` */
    const struct hf_record_rows *fields; /* of a struct */
    /* Array: capacity, and offset of the `unsigned` that counts. HF_RECORD_FULL: always full. */
    size_t capacity, count_offset;
};
#define HF_RECORD_FULL SIZE_MAX

struct hf_record_rows {
    const struct hf_record_row *p;
    size_t n;
};
#define HF_RECORD_ROWS(array)                                                                                          \
    {                                                                                                                  \
        .p = (array), .n = HF_LEN(array)                                                                               \
    }

/* clang-format off */
#define HF_RECORD_KIND_OF_(member_)                                                                                    \
    _Generic((member_),                                                                                                \
        bool: HF_RECORD_BOOL, char *: HF_RECORD_TEXT, json_t *: HF_RECORD_JSON, int64_t: HF_RECORD_SIGNED,             \
        default: HF_RECORD_UNSIGNED)
/* clang-format on */

/* The member's type decides the kind. More arguments initialize the row: `.required = true`. */
#define HF_RECORD_ROW(type_, name_, member_, ...)                                                                      \
    {                                                                                                                  \
        .name = (name_), .kind = HF_RECORD_KIND_OF_(((type_ *)0)->member_), .offset = offsetof(type_, member_),        \
        .size = sizeof(((type_ *)0)->member_), __VA_ARGS__                                                             \
    }
#define HF_RECORD_ROW_OF(kind_, type_, name_, member_, ...)                                                            \
    {                                                                                                                  \
        .name = (name_), .kind = (kind_), .offset = offsetof(type_, member_), .size = sizeof(((type_ *)0)->member_),   \
        __VA_ARGS__                                                                                                    \
    }
/* HF_RECORD_FULL or the count's offset comes last. */
#define HF_RECORD_ARRAY(kind_, type_, name_, member_, count_offset_, ...)                                              \
    {                                                                                                                  \
        .name = (name_), .kind = (kind_), .offset = offsetof(type_, member_),                                          \
        .size = sizeof(((type_ *)0)->member_[0]), .capacity = HF_LEN(((type_ *)0)->member_),                           \
        .count_offset = (count_offset_), __VA_ARGS__                                                                   \
    }

struct hf_record_type {
    const char *name; /* of seal and file */
    unsigned version;
    size_t size;      /* struct's */
    size_t max_bytes; /* file's */
    struct hf_record_rows rows;
    bool (*valid)(const void *record); /* further rules; may be NULL */
};

/* Appends. -E2BIG: full; *out is unchanged. Pure. */
HF_MUST_USE int hf_record_format(const struct hf_record_type *type, const void *record, struct hf_buf *out);

/* Sets all of *ret_record, frees nothing. -EBADMSG: damaged; *err names the field. -EOPNOTSUPP: another version. On
 * failure zeroed. Pure. */
HF_MUST_USE int hf_record_parse(const struct hf_record_type *type, struct hf_view text, void *ret_record,
                                struct hf_err *err);

/* hf_record_parse() of <folder>/<name>, by hf_sealed_file_load(), whose errors leave *ret_record. -EBADMSG: damaged or
 * another version, set aside. */
HF_MUST_USE int hf_record_load(const struct hf_record_type *type, const struct hf_fs_ops *fs, const char *folder,
                               void *ret_record, struct hf_err *err);

/* Durable. */
HF_MUST_USE int hf_record_save(const struct hf_record_type *type, const struct hf_fs_ops *fs, const char *folder,
                               const void *record, struct hf_err *err);

/* Drops JSON references; zeroes. */
void hf_record_done(const struct hf_record_type *type, void *record);
