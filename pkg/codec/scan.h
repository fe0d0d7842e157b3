/* codec/scan.h - the only JSON scanner: checks a text and takes it apart in one pass, without a tree. Values are views
 * of the text.
 *
 *     struct hf_scan scan;
 *     hf_scan_init(&scan, text);
 *     if (hf_scan_members(&scan, members, HF_LEN(members), &n) < 0 || hf_scan_end(&scan) < 0)
 *         ... scan.what at scan.at
 *
 * The rule, the same for every acceptor (ingest, MQTT, log lines, the spool, and the trees that codec/json.h builds
 * from this scanner): RFC 8259, and no text that two readers could understand differently.
 *
 *   - Text is valid UTF-8 without a byte order mark. Escapes give valid Unicode: refuses an unpaired surrogate
 *     ("\ud800").
 *   - No object names a member twice, at any depth. Compares names with their escapes resolved.
 *   - A number fits a double (1e999 does not) and has at most HF_SCAN_MAX_NUMBER characters. An integer beyond int64 is
 *     valid, and a tree holds it as a double. Kubernetes' own reader does the same: its servers write a double below
 *     1e21 without an exponent, and so does our encoder for metrics up to 2^64. Signed content has integers up to
 *     2^53 - 1 only: see hf_json_canonical().
 *   - At most HF_SCAN_MAX_DEPTH levels of objects and arrays. NaN, Infinity, comments and trailing commas are not JSON.
 *   - U+0000 ("\u0000") is valid here (a log line may hold it) and sets `zero`; a tree refuses it, because its strings
 *     are C strings.
 *
 * hf_scan_init_loose() follows the grammar only: it takes duplicate names, unpaired surrogates (they mean U+FFFD) and
 * numbers of any size. For code that must walk through text that nobody checked, such as redaction of log lines. It
 * accepts nothing on behalf of others.
 *
 * Threads: a scan belongs to one thread. Memory: none, except for objects of many members inside a value: keeps their
 * names on the heap until the value ends (16 bytes each).
 * Errors: -EBADMSG bad text, -E2BIG nested too deeply, -ENOMEM; `what` (static text) and `at` (offset in the text) say
 * more, and the scan stays failed. No error quotes the input: it may hold a secret. */
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
    size_t at;        /* offset of the next byte; after a failure, the fault */
    const char *what; /* NULL: no failure */
    int code;         /* 0, or the failure: -EBADMSG, -E2BIG, -ENOMEM */
    bool loose;       /* see hf_scan_init_loose() */
    bool zero;        /* a string or name so far has U+0000 */
};

struct hf_scan_value {
    enum hf_scan_type type;
    bool escaped;        /* string: has escapes, see hf_scan_string() */
    struct hf_view text; /* as received; a string without its quotes */
};

struct hf_scan_member {
    struct hf_view name; /* without quotes, escapes as received */
    bool escaped;
    struct hf_scan_value value;
};

void hf_scan_init(struct hf_scan *scan, struct hf_view text);
void hf_scan_init_loose(struct hf_scan *scan, struct hf_view text);

/* ---- values ---- */

/* Reads one value of any depth, and the blanks before it. */
HF_MUST_USE int hf_scan_value(struct hf_scan *scan, struct hf_scan_value *ret_value);

/* Reads one value of any depth. *ret_text (may be NULL): the value as received, a string with its quotes. */
HF_MUST_USE int hf_scan_raw(struct hf_scan *scan, struct hf_view *ret_text);

/* Reads one string. */
HF_MUST_USE int hf_scan_text(struct hf_scan *scan, struct hf_view *ret_inside, bool *ret_escaped);

/* Reads one object: its members in order. Refuses more than `max` members. */
HF_MUST_USE int hf_scan_members(struct hf_scan *scan, struct hf_scan_member *members, size_t max, size_t *ret_n);

/* Read an array element by element: enter once, then call next() before each element. next() returns 1 before an
 * element, 0 behind the closing bracket. */
HF_MUST_USE int hf_scan_array_enter(struct hf_scan *scan);
HF_MUST_USE int hf_scan_array_next(struct hf_scan *scan, bool first);

/* Fails unless only blanks remain. */
HF_MUST_USE int hf_scan_end(struct hf_scan *scan);

/* Returns the type of the value that comes next, without reading it; fails at the end or where no value begins. */
HF_MUST_USE int hf_scan_peek(struct hf_scan *scan);

/* ---- single characters: for code that knows its text's structure. It checks for duplicate names itself. ---- */

/* Skips blanks. Returns the byte after them without reading it, -1 at the end. */
static inline int hf_scan_next(struct hf_scan *scan)
{
    const char *p = scan->text.p + scan->at, *end = scan->text.p + scan->text.n;

    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    scan->at = (size_t)(p - scan->text.p);
    return p < end ? (unsigned char)*p : -1;
}

/* Skips blanks, and `c` if it follows. False when another byte follows, which is no failure. */
static inline bool hf_scan_char(struct hf_scan *scan, char c)
{
    bool found = hf_scan_next(scan) == (unsigned char)c;

    scan->at += found;
    return found;
}

/* ---- a value of any depth, piece by piece: for building trees ---- */

struct hf_scan_name {
    uint32_t hash, at, n, next;
};

enum hf_scan_piece { HF_SCAN_OPEN, HF_SCAN_CLOSE, HF_SCAN_SCALAR };

struct hf_scan_item {
    enum hf_scan_piece piece;
    enum hf_scan_type type; /* OPEN and CLOSE: object or array */
    bool named;             /* OPEN and SCALAR: it is a member, `name` names it */
    bool name_escaped;
    struct hf_view name;
    struct hf_scan_value value; /* SCALAR */
};

struct hf_scan_walk {
    struct hf_scan *scan;
    uint64_t objects; /* one bit for each open bracket, the innermost lowest: 1 an object */
    unsigned depth;   /* open brackets */
    unsigned max_depth;
    bool first; /* nothing has come yet inside the innermost bracket */
    bool ended;
    struct hf_scan_name *names; /* names in the open objects, outermost first */
    size_t n_names, cap_names;
    uint32_t first_name[HF_SCAN_MAX_DEPTH];
    struct hf_scan_name few[48]; /* where `names` begins */
};

/* `max_depth` is at most HF_SCAN_MAX_DEPTH. */
void hf_scan_walk_init(struct hf_scan_walk *walk, struct hf_scan *scan, unsigned max_depth);
void hf_scan_walk_done(struct hf_scan_walk *walk);
/* 1: *ret_item holds the next piece; 0: the value has ended. An object of more than 16 members that names one twice is
 * refused at its end. */
HF_MUST_USE int hf_scan_walk_next(struct hf_scan_walk *walk, struct hf_scan_item *ret_item);

/* ---- meaning ---- */

/* Resolves a string. Without escapes *ret_text is a view of the text itself; otherwise the result is appended to
 * *scratch (whose earlier content stays), and the view points there until the scratch grows again. -EINVAL: the string
 * has U+0000, which no C string can hold. -E2BIG, -ENOMEM. */
HF_MUST_USE int hf_scan_string(const struct hf_scan_value *value, struct hf_buf *scratch, struct hf_view *ret_text);

/* Resolves the escapes of a string that a scan has read, into `out`, which has room for inside.n bytes (a string never
 * grows). U+0000 becomes a zero byte, an unpaired surrogate U+FFFD. Returns the length. */
size_t hf_scan_unescape(struct hf_view inside, char *out);

/* Returns the number of bytes from p on that stand for themselves in a JSON string: ASCII without control
 * characters, quotes and backslashes. */
size_t hf_scan_plain(const char *p, size_t n);

/* True if the member has this name, also where the name is written with escapes. */
bool hf_scan_is(const struct hf_scan_member *member, const char *name);
/* Returns the value as a number, or NaN if it is not one. */
double hf_scan_number(const struct hf_scan_value *value);
/* Returns the number in a text that a scan has read as one. NaN when it is longer than HF_SCAN_MAX_NUMBER. */
double hf_scan_double(struct hf_view text);
/* Parses digits only, without a sign. False: anything else, or above 2^64 - 1. */
bool hf_scan_u64(struct hf_view text, uint64_t *ret_value);
/* Parses digits only, with an optional minus sign. False: anything else, or outside int64. */
bool hf_scan_i64(struct hf_view text, int64_t *ret_value);
