/* codec/scan.h - JSON (RFC 8259) checked and taken apart in one pass, without a tree: values are views of the text.
 *
 *     struct hf_scan scan;
 *     hf_scan_init(&scan, text);
 *     if (hf_scan_members(&scan, members, HF_LEN(members), &n) < 0 || hf_scan_end(&scan) < 0)
 *         ... scan.what at scan.at
 *
 * For the hot path: nothing is allocated, every byte is looked at once. Stricter than the grammar where the text would mean different
 * things to different readers: an object taken apart has no name twice, escapes give valid Unicode (no half of a surrogate pair), text
 * is valid UTF-8, numbers fit a double and have at most HF_SCAN_MAX_NUMBER characters. NaN and Infinity are no JSON.
 *
 * Errors: -EBADMSG, with `what` (static text) and `at` (offset in the text) in the scan; it stays that way. The input is never
 * quoted: it may hold a secret. Threads: a scan belongs to one thread. */
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
    size_t at;        /* next byte; of a failure: where it is */
    const char *what; /* NULL: nothing is wrong */
};

struct hf_scan_value {
    enum hf_scan_type type;
    bool escaped;        /* string: has escapes, see hf_scan_string() */
    struct hf_view text; /* as received; of a string without its quotes */
};

struct hf_scan_member {
    struct hf_view name; /* without quotes, escapes as received */
    bool escaped;
    struct hf_scan_value value;
};

void hf_scan_init(struct hf_scan *scan, struct hf_view text);

/* One value of any depth, with blanks around it. */
HF_MUST_USE int hf_scan_value(struct hf_scan *scan, struct hf_scan_value *ret_value);

/* One object: its members in order. More than `max` of them, or the same name twice: refused. */
HF_MUST_USE int hf_scan_members(struct hf_scan *scan, struct hf_scan_member *members, size_t max, size_t *ret_n);

/* An array, element by element: enter once, then next() before each element; 1 there is one, 0 it has ended. */
HF_MUST_USE int hf_scan_array_enter(struct hf_scan *scan);
HF_MUST_USE int hf_scan_array_next(struct hf_scan *scan, bool first);

/* Nothing but blanks is left. */
HF_MUST_USE int hf_scan_end(struct hf_scan *scan);

/* The type of what comes next, without taking it; -EBADMSG at the end or where no value begins. */
HF_MUST_USE int hf_scan_peek(struct hf_scan *scan);

/* What a string says. Without escapes: a view of the text itself, else it is appended to *scratch (whose earlier content stays) and the
 * view points there, until it grows again. -EINVAL: it has U+0000, which nothing that is a C string later can hold. -E2BIG, -ENOMEM. */
HF_MUST_USE int hf_scan_string(const struct hf_scan_value *value, struct hf_buf *scratch, struct hf_view *ret_text);

/* How many bytes from p on need nothing done in a JSON string: ASCII, no control character, no quote, no backslash. */
size_t hf_scan_plain(const char *p, size_t n);

bool hf_scan_is(const struct hf_scan_member *member, const char *name); /* also where it is written with escapes */
/* NaN when it is no number. */
double hf_scan_number(const struct hf_scan_value *value);
