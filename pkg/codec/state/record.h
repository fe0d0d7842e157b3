/* SPDX-License-Identifier: Apache-2.0 */
/* State files with named fields: a table of rows, one for each member of a struct, formats, parses, loads and saves the
 * struct. All such files have one grammar, a seal (codec/seal.h) and a JSON object:
 *
 *     holdfast-<name> <version> <SHA-256 of the rest>\n{"offset":9,"etag":"\"v1\"","complete":true}
 *
 * A text may hold any byte except zero: in the file, each `%` and each byte that is not part of valid UTF-8 is written
 * as `%` and two hex digits, such as %ff. A member that is zero, "", false or NULL is not written unless its row is
 * required. Parsing ignores names that have no row, which a later version may have written.
 *
 * Not for: maps and lists that grow with the node (inventories, floors of many names), content (bundles, secrets), and
 * records that are written so often that a rename for each would wear the disk (os/two_slots.h, update/install/
 * checkpoint.h).
 *
 * Threads: any, one at a time for one struct or file. Memory: a struct owns a reference to each of its JSON values. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fs.h"
#include "codec/json.h"
#include "codec/state/sealed_file.h"

enum hf_record_kind {
    HF_RECORD_UNSIGNED, /* unsigned or uint64_t; also an enum with `name_of`. Written as at most INT64_MAX. */
    HF_RECORD_SIGNED,   /* 64 bits, as an int64_t */
    HF_RECORD_BOOL,
    HF_RECORD_TEXT,   /* char[]: a C string */
    HF_RECORD_SHA256, /* char[HF_SHA256_HEX]: lower-case hex, or "" */
    HF_RECORD_JSON,   /* json_t *: any value but null */
    HF_RECORD_STRUCT, /* a struct with rows of its own */
};

struct hf_record_row {
    const char *name;
    enum hf_record_kind kind;
    bool required; /* always written; a file without it is damaged */
    bool lenient;  /* with `name_of`: a name of a later version counts as 0, and is no damage */
    size_t offset, size;
    uint64_t max;                        /* highest valid number; 0: INT64_MAX */
    const char *(*name_of)(unsigned);    /* for an enum: the name of each constant from 0 to `max` */
    const struct hf_record_rows *fields; /* for a struct */
    /* For an array: its capacity, and the offset of the `unsigned` that counts its elements. HF_RECORD_FULL: all
     * elements are always there. */
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

/* A row for one member, whose type decides the kind. Further arguments initialize other members of the row: for
 * example `.required = true`. */
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
/* A row for an array of `kind_`; HF_RECORD_FULL or the offset of the count comes last. */
#define HF_RECORD_ARRAY(kind_, type_, name_, member_, count_offset_, ...)                                              \
    {                                                                                                                  \
        .name = (name_), .kind = (kind_), .offset = offsetof(type_, member_),                                          \
        .size = sizeof(((type_ *)0)->member_[0]), .capacity = HF_LEN(((type_ *)0)->member_),                           \
        .count_offset = (count_offset_), __VA_ARGS__                                                                   \
    }

struct hf_record_type {
    const char *name; /* in the seal; also the name of the file */
    unsigned version;
    size_t size;      /* of the struct */
    size_t max_bytes; /* of the file */
    struct hf_record_rows rows;
    bool (*valid)(const void *record); /* further rules, or NULL: false means damage */
};

/* Appends the text of the file. -E2BIG: *out is full. On failure *out is unchanged. Pure. */
HF_MUST_USE int hf_record_format(const struct hf_record_type *type, const void *record, struct hf_buf *out);

/* Sets all of *ret_record, without a free of its old content. -EBADMSG: text or a field is damaged; *err names it.
 * -EOPNOTSUPP: another version. On failure *ret_record is all zero. Pure. */
HF_MUST_USE int hf_record_parse(const struct hf_record_type *type, struct hf_view text, void *ret_record,
                                struct hf_err *err);

/* hf_record_parse() of <folder>/<name>, by hf_sealed_file_load(). After errors other than -EBADMSG the file is as
 * before. */
HF_MUST_USE int hf_record_load(const struct hf_record_type *type, const struct hf_fs_ops *fs, const char *folder,
                               void *ret_record, struct hf_err *err);

/* Replaces <folder>/<name> durably. */
HF_MUST_USE int hf_record_save(const struct hf_record_type *type, const struct hf_fs_ops *fs, const char *folder,
                               const void *record, struct hf_err *err);

/* Gives up the references to JSON values, and zeroes the struct. */
void hf_record_done(const struct hf_record_type *type, void *record);
