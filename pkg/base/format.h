/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and durations, as base/parse.h reads them; counted nouns. Pure. */
#pragma once

#include <stdint.h>

#define HF_TIME_TEXT 32
#define HF_DURATION_TEXT 32

/* "2027-02-01T00:00:00Z", rounded down, as metav1.Time. */
const char *hf_format_time(uint64_t unix_ns, char text[HF_TIME_TEXT]);

/* As Go's time.ParseDuration: "1h30m", "1.500s", "20ms"; from a second on in milliseconds, rounded down. */
const char *hf_format_duration(uint64_t ns, char text[HF_DURATION_TEXT]);

/* "%u %s", n, hf_noun(n, "node", "nodes"). */
static inline const char *hf_noun(uint64_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}
