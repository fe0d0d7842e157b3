/* SPDX-License-Identifier: Apache-2.0 */
/* base/parse.h - parses numbers, durations, quantities and dates. Pure; any thread.
 *
 * A parser fails unless the whole string has the expected form. It returns 0, -EINVAL (the form of the text is wrong)
 * or -ERANGE (the form is right, but the value is out of range). On failure a parser leaves its result argument
 * unchanged. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

/* Both functions parse a decimal number from min to max, without blanks, '+' or leading zeros. hf_parse_i64() also
 * accepts a leading '-'. */
HF_MUST_USE int hf_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);
HF_MUST_USE int hf_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret_value);

/* Parses Go's time.Duration text, as Kubernetes writes it: "72h", "1h30m", "1.5s", "300ms", "0". Refuses negative
 * durations and durations above 100 years of 366 days. */
HF_MUST_USE int hf_parse_duration(const char *text, uint64_t *ret_ns);

/* Parses a Kubernetes resource.Quantity in bytes: "512Mi", "1G", "1048576", "1.5Gi". Rounds up to whole bytes. Refuses
 * negative quantities, exponents, and the suffixes n, u, m, E and Ei. */
HF_MUST_USE int hf_parse_quantity(const char *text, uint64_t *ret_bytes);

/* Parses a percentage with at most two decimal places, such as "2%" or "12.5%", into basis points, 0 to 10000. */
HF_MUST_USE int hf_parse_percent(const char *text, unsigned *ret_basis_points);

/* Parses RFC 3339: "2027-02-01T00:00:00Z", optionally with a fraction and a numeric offset. Accepts the years 1970 to
 * 2261. */
HF_MUST_USE int hf_parse_time(const char *text, uint64_t *ret_unix_ns);

/* Parses an IMF-fixdate of RFC 9110, the form of the `Date:` header: "Sun, 06 Nov 1994 08:49:37 GMT". Accepts the years
 * 1970 to 2261, and returns -EINVAL for all others. */
HF_MUST_USE int hf_parse_http_date(const char *text, uint64_t *ret_unix_ns);
