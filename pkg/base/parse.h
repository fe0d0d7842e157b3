/* base/parse.h - numbers, durations, quantities and dates from text. Pure; any thread.
 *
 * A parser accepts the whole string or nothing. It returns 0, -EINVAL (another form) or -ERANGE (this form, out of
 * range), and leaves *ret_ untouched on failure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

/* Parse a decimal number: no blanks, no '+', no leading zeros except "0"; hf_parse_i64() accepts '-'. */
HF_MUST_USE int hf_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);
HF_MUST_USE int hf_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret_value);

/* Parses Go's time.Duration text, as Kubernetes writes it: "72h", "1h30m", "1.5s", "300ms", "0". Not negative, at
 * most 100 years. */
HF_MUST_USE int hf_parse_duration(const char *text, uint64_t *ret_ns);

/* Parses a Kubernetes resource.Quantity in bytes: "512Mi", "1G", "1048576", "1.5Gi" (rounds up). Not negative, no
 * exponent form. */
HF_MUST_USE int hf_parse_quantity(const char *text, uint64_t *ret_bytes);

/* Parses "2%" or "12.5%" as basis points 0..10000. */
HF_MUST_USE int hf_parse_percent(const char *text, unsigned *ret_basis_points);

/* Parses RFC 3339: "2027-02-01T00:00:00Z", with optional fraction and numeric offset. Years 1970..2261. */
HF_MUST_USE int hf_parse_time(const char *text, uint64_t *ret_unix_ns);

/* Parses an IMF-fixdate of RFC 9110, the form of the `Date:` header: "Sun, 06 Nov 1994 08:49:37 GMT". */
HF_MUST_USE int hf_parse_http_date(const char *text, uint64_t *ret_unix_ns);
