/* SPDX-License-Identifier: Apache-2.0 */
/* base/format.h - formats dates and durations as text, which base/parse.h parses, and counted nouns. Pure; any
 * thread. */
#pragma once

#include <stdint.h>

#define HF_TIME_TEXT 32     /* size of the buffer for hf_format_time(), with the terminator */
#define HF_DURATION_TEXT 32 /* size of the buffer for hf_format_duration(), with the terminator */

/* Formats "2027-02-01T00:00:00Z": UTC, rounded down to whole seconds, like Kubernetes' metav1.Time. Returns `text`. */
const char *hf_format_time(uint64_t unix_ns, char text[HF_TIME_TEXT]);

/* Formats a duration in the form of Go's time.ParseDuration, without parts that are zero: "1h30m", "1.500s", "20ms".
 * Rounds durations of one second or more down to milliseconds. Returns `text`. */
const char *hf_format_duration(uint64_t ns, char text[HF_DURATION_TEXT]);

/* Returns the word that fits the number n: "%u %s", n, hf_noun(n, "node", "nodes"). */
static inline const char *hf_noun(uint64_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}
