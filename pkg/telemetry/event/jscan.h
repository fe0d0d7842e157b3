/* telemetry/event/jscan.h - walking through JSON text (RFC 8259) in place: strict, without a tree and without memory of its own.
 *
 * For texts of a few hundred bytes on the hot path, where codec/json.h would build a tree. Strict in grammar and in UTF-8; duplicate
 * keys are the caller's business. All functions move `p` forward and return false at the first byte that is wrong. */
#pragma once

#include "base/buf.h"

enum { HF_JSCAN_MAX_DEPTH = 64 };

struct hf_jscan {
    const char *p, *end;
};

static inline struct hf_jscan hf_jscan_of(struct hf_view text)
{
    return (struct hf_jscan){text.p, text.p + text.n};
}

void hf_jscan_space(struct hf_jscan *scan);
/* Blanks, then exactly `c`. */
bool hf_jscan_char(struct hf_jscan *scan, char c);

/* Blanks, then a string. *ret_inside: what is between the quotes, still escaped when *ret_escaped. */
bool hf_jscan_string(struct hf_jscan *scan, struct hf_view *ret_inside, bool *ret_escaped);

/* Blanks, then any value, not deeper than HF_JSCAN_MAX_DEPTH. *ret_value (may be NULL): its text. */
bool hf_jscan_value(struct hf_jscan *scan, struct hf_view *ret_value);

/* Blanks, then a number; its text. */
bool hf_jscan_number(struct hf_jscan *scan, struct hf_view *ret_text);
/* The number that such a text means; infinite past the range of double, NaN when it is 400 bytes or more. */
double hf_jscan_double(struct hf_view text);
/* Digits only, no sign. False: something else, or above 2^64 - 1. */
bool hf_jscan_u64(struct hf_view text, uint64_t *ret_value);

/* Without escapes into `out`, which has room for inside.n bytes (it never grows). Returns the length. A surrogate alone becomes
 * U+FFFD. `inside` came from hf_jscan_string(). */
size_t hf_jscan_unescape(struct hf_view inside, char *out);
