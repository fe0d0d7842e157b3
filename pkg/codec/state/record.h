/* SPDX-License-Identifier: Apache-2.0 */
/* State files with named fields: a table, with a row for each member, formats, parses, loads and saves a struct. All
 * have one grammar, a seal (codec/seal.h) and a JSON object:
 *
 *     holdfast-<name> <version> <SHA-256 of the body>\n{"offset":9,"etag":"\"v1\"","complete":true}
 *
 * Texts hold any byte except zero: each `%`, and each byte that is not valid UTF-8, becomes `%` and two hex digits.
 * Optional members that are zero, "", false or NULL are mostly left out. Unknown names are ignored.
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
    HF_RECORD_UNSIGNED, /* unsigned, uint64_t up to INT64_MAX, or an enum with `name_of` */
    HF_RECORD_SIGNED,
    HF_RECORD_BOOL,
    HF_RECORD_TEXT,
    HF_RECORD_SHA256, /* char[HF_SHA256_HEX]: lower-case hex, or "" */
    HF_RECORD_JSON,   /* json_t *, not JSON's null */
    HF_RECORD_STRUCT,
};

struct hf_record_row {
    const char *name;
    enum hf_record_kind kind;
    bool required; /* always written; its absence is damage */
    bool lenient;  /* an enum's unknown name, of a later version, is read as 0 */
    size_t offset, size;
    uint64_t max;                     /* greatest value; 0: UINT32_MAX or INT64_MAX, by size */
    const char *(*name_of)(unsigned); /* for an enum: names of 0 to `max` */
    const struct hf_record_rows *fields;
    /* For an array: capacity, and offset of the `unsigned` that counts its elements; HF_RECORD_FULL: the array is
     * always full. */
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
#define HF_RECORD_ARRAY(kind_, type_, name_, member_, count_offset_, ...)                                              \
    {                                                                                                                  \
        .name = (name_), .kind = (kind_), .offset = offsetof(type_, member_),                                          \
        .size = sizeof(((type_ *)0)->member_[0]), .capacity = HF_LEN(((type_ *)0)->member_),                           \
        .count_offset = (count_offset_), __VA_ARGS__                                                                   \
    }

struct hf_record_type {
    const char *name;
    unsigned version;
    size_t size;
    size_t max_bytes;
    struct hf_record_rows rows;
    bool (*valid)(const void *record);
};

/* Appends the sealed text. -E2BIG: out->max; *out is unchanged. Pure. */
HF_MUST_USE int hf_record_format(const struct hf_record_type *type, const void *record, struct hf_buf *out);

/* Sets all of *ret_record, and frees nothing. -EBADMSG: damaged; *err may name the field. -EOPNOTSUPP: another version.
 * On failure *ret_record is zeroed. Pure. */
HF_MUST_USE int hf_record_parse(const struct hf_record_type *type, struct hf_view text, void *ret_record,
                                struct hf_err *err);

/* Reads <folder>/<name>. -EBADMSG: damaged or another version, and now set aside. Errors of hf_sealed_file_load() leave
 * *ret_record unchanged. */
HF_MUST_USE int hf_record_load(const struct hf_record_type *type, const struct hf_fs_ops *fs, const char *folder,
                               void *ret_record, struct hf_err *err);

HF_MUST_USE int hf_record_save(const struct hf_record_type *type, const struct hf_fs_ops *fs, const char *folder,
                               const void *record, struct hf_err *err);

void hf_record_done(const struct hf_record_type *type, void *record);
