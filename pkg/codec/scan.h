/* SPDX-License-Identifier: Apache-2.0 */
/* codec/scan.h - the project's only JSON scanner. It checks a text and splits it into values in one pass, without a
 * tree. Each value is a view of the text.
 *
 *     struct hf_scan scan;
 *     hf_scan_init(&scan, text);
 *     if (hf_scan_members(&scan, members, HF_LEN(members), &n) < 0 || hf_scan_end(&scan) < 0)
 *         ... scan.what at scan.at
 *
 * All users of the scanner (ingest, MQTT, log lines, the spool, and codec/json.h) follow one rule: accept RFC 8259, but
 * no text that two decoders could read differently. In detail:
 *
 *   - Text is valid UTF-8 without a byte order mark. Escapes stand for valid Unicode, so the scanner refuses an
 *     unpaired surrogate ("\ud800").
 *   - No object has two members of one name, at any depth. The scanner resolves escapes before it compares names.
 *   - A number is in the range of a double (1e999 is not) and has at most HF_SCAN_MAX_NUMBER characters. An integer
 *     outside int64 is valid, and a tree holds such an integer as a double, as Kubernetes' decoder does. Such integers
 *     occur in practice: Kubernetes' servers write a double below 1e21 without an exponent, and our encoder writes
 *     metrics up to 2^64 without an exponent too. Signed content has only integers of at most 53 bits
 *     (hf_json_canonical()).
 *   - Objects and arrays nest at most HF_SCAN_MAX_DEPTH levels deep. NaN, Infinity, comments and trailing commas are
 *     not JSON.
 *   - U+0000 ("\u0000") is valid here, because log lines may hold it; the scan then sets `zero`. hf_json_parse()
 *     refuses U+0000, because the strings of a tree are C strings.
 *
 * hf_scan_init_loose() checks the grammar only: such a scan accepts duplicate names, unpaired surrogates (read as
 * U+FFFD) and numbers of any size. Use a loose scan for text that nobody has checked, such as log lines to redact. Do
 * not use a loose scan to decide if input is valid.
 *
 * Threads: a scan belongs to one thread. Memory: none, with one exception: for a nested value whose open objects have
 * more than 48 members together, the scan allocates 16 to 64 bytes per member until the value ends. Errors: -EBADMSG
 * (bad text), -E2BIG (nested too deeply, or a nested value in a text of 2 GiB or more) and -ENOMEM. After an error,
 * `what` (static text) and `at` (offset in the text) describe the fault, and all later calls on the scan fail. No error
 * quotes the input, because the input may hold a secret. */
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
    size_t at;        /* offset of the next byte; after a failure, offset of the fault */
    const char *what; /* static text that describes the failure (NULL means no failure) */
    int code;         /* error code of the failure: -EBADMSG, -E2BIG or -ENOMEM (0 means no failure) */
    bool loose;       /* true after hf_scan_init_loose() */
    bool zero;        /* true if the scan has met U+0000 in a string or name */
};

struct hf_scan_value {
    enum hf_scan_type type;
    bool escaped;        /* true for a string with escapes; see hf_scan_string() */
    struct hf_view text; /* text of the value as received; for a string, without its quotes */
};

struct hf_scan_member {
    struct hf_view name; /* name without its quotes, with escapes as received */
    bool escaped;
    struct hf_scan_value value;
};

void hf_scan_init(struct hf_scan *scan, struct hf_view text);
void hf_scan_init_loose(struct hf_scan *scan, struct hf_view text);

/* Returns the length of the UTF-8 byte order mark at the start of the text: 3, or 0 if there is none. Editors and tools
 * of some systems write it; RFC 8259 lets a reader ignore it. */
size_t hf_scan_mark_bytes(struct hf_view text);

/* ---- values ---- */

/* Skips blanks and reads one value of any depth. */
HF_MUST_USE int hf_scan_value(struct hf_scan *scan, struct hf_scan_value *ret_value);

/* Reads one value of any depth. *ret_text is the text of the value as received; the text of a string includes its
 * quotes. `ret_text` may be NULL. */
HF_MUST_USE int hf_scan_raw(struct hf_scan *scan, struct hf_view *ret_text);

/* Reads one string. *ret_inside is its text without the quotes, with escapes as received. */
HF_MUST_USE int hf_scan_text(struct hf_scan *scan, struct hf_view *ret_inside, bool *ret_escaped);

/* Reads one object into `members`, in the order of the text. Returns -EBADMSG also if the object has more than `max`
 * members. */
HF_MUST_USE int hf_scan_members(struct hf_scan *scan, struct hf_scan_member *members, size_t max, size_t *ret_n);

/* Read an array element by element: call hf_scan_array_enter() once, and hf_scan_array_next() before each element.
 * hf_scan_array_next() returns 1 if an element follows, and 0 after it has read the closing bracket. Pass `first` =
 * true in the first call of hf_scan_array_next() for an array. */
HF_MUST_USE int hf_scan_array_enter(struct hf_scan *scan);
HF_MUST_USE int hf_scan_array_next(struct hf_scan *scan, bool first);

/* Checks that only blanks remain in the text, and fails otherwise. */
HF_MUST_USE int hf_scan_end(struct hf_scan *scan);

/* Returns the hf_scan_type of the next value without reading the value. Fails at the end of the text, or if the next
 * byte begins no value. */
HF_MUST_USE int hf_scan_peek(struct hf_scan *scan);

/* ---- single characters: for code that knows the structure of its text and checks for duplicate names itself ---- */

/* Skips blanks. Returns the next byte without consuming it, or -1 at the end of the text. */
static inline int hf_scan_next(struct hf_scan *scan)
{
    const char *p = scan->text.p + scan->at, *end = scan->text.p + scan->text.n;

    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    scan->at = (size_t)(p - scan->text.p);
    return p < end ? (unsigned char)*p : -1;
}

/* Skips blanks. If the next byte is `c`, skips this byte too and returns true. Otherwise returns false; that is not a
 * failure of the scan. */
static inline bool hf_scan_char(struct hf_scan *scan, char c)
{
    bool found = hf_scan_next(scan) == (unsigned char)c;

    scan->at += found;
    return found;
}

/* ---- a value of any depth, piece by piece: for building trees ---- */

/* The name of a member, which a walk keeps to find duplicate names. Private to scan.c. */
struct hf_scan_name {
    uint32_t hash, at, n, next;
};

enum hf_scan_piece { HF_SCAN_OPEN, HF_SCAN_CLOSE, HF_SCAN_SCALAR };

struct hf_scan_item {
    enum hf_scan_piece piece;
    enum hf_scan_type type; /* type of the value; for HF_SCAN_OPEN and HF_SCAN_CLOSE, object or array */
    /* for HF_SCAN_OPEN and HF_SCAN_SCALAR, true if the item is a member of an object, whose name is in `name` */
    bool named;
    bool name_escaped;
    struct hf_view name;
    struct hf_scan_value value; /* the value; valid for HF_SCAN_SCALAR */
};

struct hf_scan_walk {
    struct hf_scan *scan;
    /* one bit for each open bracket, with the innermost bracket in the least significant bit; 1 stands for an object, 0
     * for an array */
    uint64_t objects;
    unsigned depth; /* number of open brackets */
    unsigned max_depth;
    bool first; /* true if the walk has read nothing inside the innermost bracket yet */
    bool ended;
    struct hf_scan_name *names; /* names of members in the open objects, those of the outermost object first */
    size_t n_names, cap_names;
    uint32_t first_name[HF_SCAN_MAX_DEPTH]; /* for each open bracket, index in `names` of its first name */
    struct hf_scan_name few[48];            /* `names` points here until it needs more entries, and then to the heap */
};

/* Starts a walk through the next value of `scan`. `max_depth` is at most HF_SCAN_MAX_DEPTH. */
void hf_scan_walk_init(struct hf_scan_walk *walk, struct hf_scan *scan, unsigned max_depth);
void hf_scan_walk_done(struct hf_scan_walk *walk);
/* Returns 1 if *ret_item holds the next piece, and 0 at the end of the value. If an object has more than 16 members,
 * the walk may report a duplicate name late, at the end of the object. */
HF_MUST_USE int hf_scan_walk_next(struct hf_scan_walk *walk, struct hf_scan_item *ret_item);

/* ---- meaning ---- */

/* Resolves the escapes of a string. If the string has no escapes, *ret_text points into the scanned text. Otherwise the
 * function appends the result to *scratch, and *ret_text points there until *scratch grows again. -EINVAL: the string
 * has U+0000, which no C string can hold. Other errors: -E2BIG, -ENOMEM. */
HF_MUST_USE int hf_scan_string(const struct hf_scan_value *value, struct hf_buf *scratch, struct hf_view *ret_text);

/* Resolves the escapes of a string that a scan has read, and writes the result to `out`. `out` needs inside.n bytes,
 * because the result is never longer than the string. Turns U+0000 into a zero byte, and an unpaired surrogate into
 * U+FFFD. Returns the length of the result in bytes. */
size_t hf_scan_unescape(struct hf_view inside, char *out);

/* Returns the length of the longest prefix of p[n] in which every byte stands for itself in a JSON string. Such bytes
 * are ASCII characters other than control characters, '"' and '\'. */
size_t hf_scan_plain(const char *p, size_t n);

/* Returns true if the member has this name, with or without escapes. */
bool hf_scan_is(const struct hf_scan_member *member, const char *name);
/* Returns the value as a number, or NaN if the value is not a number. */
double hf_scan_number(const struct hf_scan_value *value);
/* Returns the number in a text that a scan has read as a number. Returns NaN if the text is longer than
 * HF_SCAN_MAX_NUMBER. */
double hf_scan_double(struct hf_view text);
/* Parses a text of digits without a sign. Returns false for any other text, or if the number exceeds 2^64 - 1. */
bool hf_scan_u64(struct hf_view text, uint64_t *ret_value);
/* Parses a text of digits with an optional minus sign. Returns false for any other text, or if the number is outside
 * int64. */
bool hf_scan_i64(struct hf_view text, int64_t *ret_value);
