/* base/parse.h - numbers, durations, quantities, dates and encodings as text. Pure; whole string or nothing.
 *
 * Parsers return 0, -EINVAL (not of the form) or -ERANGE (of the form, out of range); *ret_ is untouched on failure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

/* Decimal, optional '-' for the signed one, no blanks, no '+', no leading zeros except "0". */
HF_MUST_USE int hf_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);
HF_MUST_USE int hf_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret_value);

/* Go's time.Duration text, as Kubernetes writes it: "72h", "1h30m", "1.5s", "300ms", "0". Not negative. Up to 100 years. */
HF_MUST_USE int hf_parse_duration(const char *text, uint64_t *ret_ns);

/* Kubernetes resource.Quantity, bytes: "512Mi", "1G", "1048576", "1.5Gi" (rounded up). Not negative, no exponent form. */
HF_MUST_USE int hf_parse_quantity(const char *text, uint64_t *ret_bytes);

/* "2%" or "12.5%" to basis points 0..10000. */
HF_MUST_USE int hf_parse_percent(const char *text, unsigned *ret_basis_points);

/* RFC 3339: "2027-02-01T00:00:00Z", with optional fraction and numeric offset. Years 1970..2261. */
HF_MUST_USE int hf_parse_time(const char *text, uint64_t *ret_unix_ns);

/* IMF-fixdate of RFC 9110, the `Date:` header: "Sun, 06 Nov 1994 08:49:37 GMT". */
HF_MUST_USE int hf_parse_http_date(const char *text, uint64_t *ret_unix_ns);

#define HF_TIME_TEXT 32     /* bytes enough for hf_format_time */
#define HF_DURATION_TEXT 32 /* bytes enough for hf_format_duration */

/* Seconds precision, UTC: what metav1.Time wants. Returns text. */
const char *hf_format_time(uint64_t unix_ns, char text[HF_TIME_TEXT]);

/* Shortest of h/m/s/ms/us/ns forms, as Go prints: "1h30m0s" becomes "1h30m". Returns text. */
const char *hf_format_duration(uint64_t ns, char text[HF_DURATION_TEXT]);

/* Lower case hex of n bytes into text[2n+1]; returns text. */
const char *hf_hex_encode(const void *bytes, size_t n, char *text);
/* Exactly n bytes from 2n hex digits, lower case only (so that one value has one spelling). */
HF_MUST_USE int hf_hex_decode(const char *text, void *bytes, size_t n);

/* Standard alphabet with padding (RFC 4648, 4). Decode refuses blanks and non-canonical tails; appends to *out. */
HF_MUST_USE int hf_base64_encode(const void *bytes, size_t n, struct hf_buf *out);
HF_MUST_USE int hf_base64_decode(struct hf_view text, struct hf_buf *out);

/* Strict UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). */
bool hf_utf8_valid(const char *bytes, size_t n);
/* Bytes of the character that the n bytes (at least one) begin with: 1..4, 0: it is none, or not whole. */
size_t hf_utf8_length(const char *bytes, size_t n);
/* How many of the n bytes are whole characters, up to the first that is none: where to cut a text. */
size_t hf_utf8_prefix(const char *bytes, size_t n);
/* The character of this number (at most 0x10ffff) as 1 to 4 bytes; returns how many. */
size_t hf_utf8_put(uint32_t point, char bytes[4]);
