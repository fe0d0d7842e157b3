/* SPDX-License-Identifier: Apache-2.0 */
/* The only JSON scanner: checks a text and splits it into views, in one pass, without a tree.
 *
 *     struct hf_scan scan;
 *     hf_scan_init(&scan, text);
 *     if (hf_scan_members(&scan, members, HF_LEN(members), &n) < 0 || hf_scan_end(&scan) < 0)
 *         ... scan.what at scan.at
 *
 * RFC 8259, but no text that two decoders could read differently:
 *
 *   - valid UTF-8, no byte order mark, no unpaired surrogates ("\ud800")
 *   - no two members of one name, escapes resolved
 *   - numbers in the range of a double, up to HF_SCAN_MAX_NUMBER characters. Integers outside int64 are valid, and
 *     doubles in a tree. Signed content: hf_json_canonical().
 *   - at most HF_SCAN_MAX_DEPTH levels; no NaN, Infinity, comments, trailing commas
 *   - U+0000 is valid, as log lines may hold it, and sets `zero`; hf_json_parse() refuses it
 *
 * A loose scan checks only the grammar, for text such as log lines to redact: never to decide if input is valid.
 *
 * Allocates only for more than 48 members in open objects. -EBADMSG, -E2BIG
 * (too deep, or nested in 2 GiB or more): `what` and `at` tell the fault without input that may be secret; later calls
 * fail. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

enum { HF_SCAN_MAX_DEPTH = 64, HF_SCAN_MAX_NUMBER = 512 };

enum hf_scan_type {
    HF_SCAN_NULL,
    HF_SCAN_FALSE,
    HF_SCAN_TRUE,
    HF_SCAN_NUMBER,
    HF_SCAN_STRING,
    HF_SCAN_OBJECT,
    HF_SCAN_ARRAY,
};

struct hf_scan {
    struct hf_view text;
    size_t at;        /* next byte, or the fault */
    const char *what; /* static; NULL: no failure */
    int code;         /* -EBADMSG, -E2BIG, -ENOMEM */
    bool loose;
    bool zero; /* met U+0000 */
};

struct hf_scan_value {
    enum hf_scan_type type;
    bool escaped;        /* see hf_scan_string() */
    struct hf_view text; /* as received; strings without quotes */
};

struct hf_scan_member {
    struct hf_view name; /* without quotes, escapes as received */
    bool escaped;
    struct hf_scan_value value;
};

void hf_scan_init(struct hf_scan *scan, struct hf_view text);
void hf_scan_init_loose(struct hf_scan *scan, struct hf_view text);

/* 3 or 0; RFC 8259 lets a reader ignore it. */
size_t hf_scan_mark_bytes(struct hf_view text);

/* ---- values ---- */

HF_MUST_USE int hf_scan_value(struct hf_scan *scan, struct hf_scan_value *ret_value);

/* Strings with quotes. `ret_text` may be NULL. */
HF_MUST_USE int hf_scan_raw(struct hf_scan *scan, struct hf_view *ret_text);

/* Without quotes, escapes as received. */
HF_MUST_USE int hf_scan_text(struct hf_scan *scan, struct hf_view *ret_inside, bool *ret_escaped);

/* -EBADMSG: also above `max`. */
HF_MUST_USE int hf_scan_members(struct hf_scan *scan, struct hf_scan_member *members, size_t max, size_t *ret_n);

/* 1: an element; 0: the end. `first`: in the first call. */
HF_MUST_USE int hf_scan_array_enter(struct hf_scan *scan);
HF_MUST_USE int hf_scan_array_next(struct hf_scan *scan, bool first);

/* Only blanks may remain. */
HF_MUST_USE int hf_scan_end(struct hf_scan *scan);

/* hf_scan_type of the next value; fails if none begins. */
HF_MUST_USE int hf_scan_peek(struct hf_scan *scan);

/* ---- single characters: for code that knows its text and finds duplicate names itself ---- */

/* Skips blanks, not the byte; -1: the end. */
static inline int hf_scan_next(struct hf_scan *scan)
{
    const char *p = scan->text.p + scan->at, *end = scan->text.p + scan->text.n;

    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    scan->at = (size_t)(p - scan->text.p);
    return p < end ? (unsigned char)*p : -1;
}

/* Skips blanks and `c`. False is no failure. */
static inline bool hf_scan_char(struct hf_scan *scan, char c)
{
    bool found = hf_scan_next(scan) == (unsigned char)c;

    scan->at += found;
    return found;
}

/* ---- a value of any depth, piece by piece ---- */

/* Private: finds duplicates. */
struct hf_scan_name {
    uint32_t hash, at, n, next;
};

enum hf_scan_piece { HF_SCAN_OPEN, HF_SCAN_CLOSE, HF_SCAN_SCALAR };

struct hf_scan_item {
    enum hf_scan_piece piece;
    enum hf_scan_type type; /* OPEN, CLOSE: object or array */
    bool named;             /* OPEN, SCALAR: a member, with `name` */
    bool name_escaped;
    struct hf_view name;
    struct hf_scan_value value; /* SCALAR */
};

struct hf_scan_walk {
    struct hf_scan *scan;
    uint64_t objects; /* a bit per open bracket, innermost lowest; 1: object */
    unsigned depth;
    unsigned max_depth;
    bool first; /* nothing read in the innermost bracket */
    bool ended;
    struct hf_scan_name *names;
    size_t n_names, cap_names;
    uint32_t first_name[HF_SCAN_MAX_DEPTH];
    struct hf_scan_name few[48];
};

/* `max_depth` <= HF_SCAN_MAX_DEPTH. */
void hf_scan_walk_init(struct hf_scan_walk *walk, struct hf_scan *scan, unsigned max_depth);
void hf_scan_walk_done(struct hf_scan_walk *walk);
/* 1: *ret_item; 0: end. Above 16 members, duplicates may be reported at the object's end. */
HF_MUST_USE int hf_scan_walk_next(struct hf_scan_walk *walk, struct hf_scan_item *ret_item);

/* ---- meaning ---- */

/* Borrows from the text, or *scratch until it grows. -EINVAL: U+0000. -E2BIG. */
HF_MUST_USE int hf_scan_string(const struct hf_scan_value *value, struct hf_buf *scratch, struct hf_view *ret_text);

/* `out` has inside.n bytes. U+0000: a zero byte; unpaired surrogate: U+FFFD. Returns the length. */
size_t hf_scan_unescape(struct hf_view inside, char *out);

/* Prefix of bytes that stand for themselves: ASCII but controls, '"' and '\'. */
size_t hf_scan_plain(const char *p, size_t n);

/* Compares with escapes resolved. */
bool hf_scan_is(const struct hf_scan_member *member, const char *name);
/* NaN: not a number. */
double hf_scan_number(const struct hf_scan_value *value);
/* NaN: longer than HF_SCAN_MAX_NUMBER. */
double hf_scan_double(struct hf_view text);
/* Digits only, up to 2^64 - 1. */
bool hf_scan_u64(struct hf_view text, uint64_t *ret_value);
/* Digits, maybe with '-', within int64. */
bool hf_scan_i64(struct hf_view text, int64_t *ret_value);
