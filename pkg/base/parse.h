/* SPDX-License-Identifier: Apache-2.0 */
/* Reads numbers, durations, quantities and dates, from whole strings. Pure. -EINVAL: wrong form; -ERANGE: value out of
 * range; the result is then unchanged. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

/* Read decimal numbers, without blanks, '+' or leading zeros. */
HF_MUST_USE int hf_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);
HF_MUST_USE int hf_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret_value);

/* Reads a duration as Go writes it: "72h", "1h30m", "1.5s", "300ms", "0"; up to 100 years of 366 days. */
HF_MUST_USE int hf_parse_duration(const char *text, uint64_t *ret_ns);

/* Reads a resource.Quantity of bytes: "512Mi", "1G", "1.5Gi", rounded up. Refuses negative quantities, exponents, units
 * n, u, m, E, Ei. */
HF_MUST_USE int hf_parse_quantity(const char *text, uint64_t *ret_bytes);

/* Reads "12.5%", in steps of 0.01 %, as 1250. */
HF_MUST_USE int hf_parse_percent(const char *text, unsigned *ret_basis_points);

/* Reads RFC 3339, also with a fraction or a numeric offset; 1970 to 2261. */
HF_MUST_USE int hf_parse_time(const char *text, uint64_t *ret_unix_ns);

/* Reads IMF-fixdate (RFC 9110): "Sun, 06 Nov 1994 08:49:37 GMT". -EINVAL also outside 1970 to 2261. */
HF_MUST_USE int hf_parse_http_date(const char *text, uint64_t *ret_unix_ns);
