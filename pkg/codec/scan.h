/* SPDX-License-Identifier: Apache-2.0 */
/* The only JSON scanner: checks a text and splits it into views, in one pass, without a tree.
 *
 *     struct hf_scan scan;
 *     hf_scan_init(&scan, text);
 *     if (hf_scan_members(&scan, members, HF_LEN(members), &n) < 0 || hf_scan_end(&scan) < 0)
 *         ... scan.what at scan.at
 *
 * Accepts RFC 8259, except for what two decoders could read differently:
 *
 *   - only valid UTF-8, no byte order mark, no unpaired surrogates ("\ud800")
 *   - no two members of one name, compared without escapes
 *   - only numbers in the range of a double, of at most HF_SCAN_MAX_NUMBER characters
 *   - at most HF_SCAN_MAX_DEPTH levels; no NaN, Infinity, comments, trailing commas
 *   - U+0000 is valid, because log lines may hold it, and sets `zero`
 *
 * A loose scan allows duplicate names, unpaired surrogates and any number: for text to redact, never to decide whether
 * input is valid.
 *
 * After -EBADMSG or -E2BIG (too deep, or nested in 2 GiB or more), `what` and `at` tell the fault without input, which
 * may be secret, and later calls fail. */
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
    size_t at;        /* offset of the next byte, or of the fault */
    const char *what; /* static text; NULL: no failure */
    int code;
    bool loose;
    bool zero; /* the text has U+0000 */
};

struct hf_scan_value {
    enum hf_scan_type type;
    bool escaped;        /* it has escapes, which hf_scan_string() resolves */
    struct hf_view text; /* as received; strings without quotes */
};

struct hf_scan_member {
    struct hf_view name; /* as received, without quotes */
    bool escaped;
    struct hf_scan_value value;
};

void hf_scan_init(struct hf_scan *scan, struct hf_view text);
void hf_scan_init_loose(struct hf_scan *scan, struct hf_view text);

/* Length of a byte order mark: 3 or 0. */
size_t hf_scan_mark_bytes(struct hf_view text);

/* ---- values ---- */

HF_MUST_USE int hf_scan_value(struct hf_scan *scan, struct hf_scan_value *ret_value);

/* Skips a value and gives its text; a string keeps its quotes. `ret_text` may be NULL. */
HF_MUST_USE int hf_scan_raw(struct hf_scan *scan, struct hf_view *ret_text);

/* Reads a string; *ret_inside lacks the quotes, and its escapes are as received. */
HF_MUST_USE int hf_scan_text(struct hf_scan *scan, struct hf_view *ret_inside, bool *ret_escaped);

/* Reads an object. -EBADMSG also for more than `max` members. */
HF_MUST_USE int hf_scan_members(struct hf_scan *scan, struct hf_scan_member *members, size_t max, size_t *ret_n);

/* _next returns 1 before an element, 0 at the end; `first`: it is the first call since _enter. */
HF_MUST_USE int hf_scan_array_enter(struct hf_scan *scan);
HF_MUST_USE int hf_scan_array_next(struct hf_scan *scan, bool first);

HF_MUST_USE int hf_scan_end(struct hf_scan *scan);

/* Returns the hf_scan_type of the next value; fails if none begins. */
HF_MUST_USE int hf_scan_peek(struct hf_scan *scan);

/* ---- single characters: for code that knows its text and finds duplicate names itself ---- */

/* Skips blanks, and returns the next byte without taking it; -1: the end. */
static inline int hf_scan_next(struct hf_scan *scan)
{
    const char *p = scan->text.p + scan->at, *end = scan->text.p + scan->text.n;

    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    scan->at = (size_t)(p - scan->text.p);
    return p < end ? (unsigned char)*p : -1;
}

/* Skips blanks and `c`. If another byte follows, returns false, which is no failure. */
static inline bool hf_scan_char(struct hf_scan *scan, char c)
{
    bool found = hf_scan_next(scan) == (unsigned char)c;

    scan->at += found;
    return found;
}

/* ---- a value of any depth, piece by piece ---- */

struct hf_scan_name {
    uint32_t hash, at, n, next;
};

enum hf_scan_piece { HF_SCAN_OPEN, HF_SCAN_CLOSE, HF_SCAN_SCALAR };

struct hf_scan_item {
    enum hf_scan_piece piece;
    enum hf_scan_type type; /* for OPEN and CLOSE: object or array */
    bool named;             /* for OPEN and SCALAR: it is a member, with `name` */
    bool name_escaped;
    struct hf_view name;
    struct hf_scan_value value; /* for SCALAR */
};

struct hf_scan_walk {
    struct hf_scan *scan;
    uint64_t objects;
    unsigned depth;
    unsigned max_depth;
    bool first;
    bool ended;
    struct hf_scan_name *names;
    size_t n_names, cap_names;
    uint32_t first_name[HF_SCAN_MAX_DEPTH];
    struct hf_scan_name few[48];
};

void hf_scan_walk_init(struct hf_scan_walk *walk, struct hf_scan *scan, unsigned max_depth);
void hf_scan_walk_done(struct hf_scan_walk *walk);
/* Returns 1 with *ret_item, or 0 at the end. In an object with more than 16 members, a duplicate name may be found only
 * at the object's end. */
HF_MUST_USE int hf_scan_walk_next(struct hf_scan_walk *walk, struct hf_scan_item *ret_item);

/* ---- meaning ---- */

/* Resolves a string's escapes. *ret_text borrows from the text, or from *scratch until that grows. -EINVAL: U+0000.
 * -E2BIG. */
HF_MUST_USE int hf_scan_string(const struct hf_scan_value *value, struct hf_buf *scratch, struct hf_view *ret_text);

/* Resolves escapes into `out`, which has inside.n bytes; returns the length. U+0000 becomes a zero byte, an unpaired
 * surrogate U+FFFD. */
size_t hf_scan_unescape(struct hf_view inside, char *out);

/* Length of the beginning that is ASCII from ' ' on without '"' and '\'. */
size_t hf_scan_plain(const char *p, size_t n);

/* Compares a name with its escapes resolved. */
bool hf_scan_is(const struct hf_scan_member *member, const char *name);
double hf_scan_number(const struct hf_scan_value *value);
/* NaN: the text is longer than HF_SCAN_MAX_NUMBER. */
double hf_scan_double(struct hf_view text);
/* Accepts only digits, up to 2^64 - 1. */
bool hf_scan_u64(struct hf_view text, uint64_t *ret_value);
/* Accepts only digits, perhaps after '-'. */
bool hf_scan_i64(struct hf_view text, int64_t *ret_value);
