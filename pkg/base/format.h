/* SPDX-License-Identifier: Apache-2.0 */
/* Writes dates, durations and counted nouns. Pure. */
#pragma once

#include <stdint.h>

#define HF_TIME_TEXT 32
#define HF_DURATION_TEXT 32

/* Writes a date as metav1.Time does: "2027-02-01T00:00:00Z", rounded down. */
const char *hf_format_time(uint64_t unix_ns, char text[HF_TIME_TEXT]);

/* Writes a duration as Go's time.ParseDuration reads it: "1h30m", "1.500s", "20ms"; from one second on, rounded down to
 * milliseconds. */
const char *hf_format_duration(uint64_t ns, char text[HF_DURATION_TEXT]);

/* Use: "%u %s", n, hf_noun(n, "node", "nodes"). */
static inline const char *hf_noun(uint64_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}
