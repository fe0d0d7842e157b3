/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, durations, quantities, dates; whole strings. Pure. -EINVAL: form; -ERANGE: value. Then the result is
 * unchanged. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

/* Decimal; no blanks, '+', leading zeros. */
HF_MUST_USE int hf_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);
HF_MUST_USE int hf_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret_value);

/* Go's time.Duration: "72h", "1h30m", "1.5s", "300ms", "0"; to 100 years of 366 days. */
HF_MUST_USE int hf_parse_duration(const char *text, uint64_t *ret_ns);

/* resource.Quantity, bytes: "512Mi", "1G", "1.5Gi", rounded up. Not negative; no exponents, n, u, m, E, Ei. */
HF_MUST_USE int hf_parse_quantity(const char *text, uint64_t *ret_bytes);

/* "12.5%", at most two decimals, as 0 to 10000. */
HF_MUST_USE int hf_parse_percent(const char *text, unsigned *ret_basis_points);

/* RFC 3339, also with fraction, numeric offset; 1970 to 2261. */
HF_MUST_USE int hf_parse_time(const char *text, uint64_t *ret_unix_ns);

/* IMF-fixdate (RFC 9110): "Sun, 06 Nov 1994 08:49:37 GMT". -EINVAL also outside 1970 to 2261. */
HF_MUST_USE int hf_parse_http_date(const char *text, uint64_t *ret_unix_ns);
