/* base/format.h - dates and durations as text; base/parse.h reads both back. Pure; any thread. */
#pragma once

#include <stdint.h>

#define HF_TIME_TEXT 32     /* bytes that hf_format_time() needs */
#define HF_DURATION_TEXT 32 /* bytes that hf_format_duration() needs */

/* Formats "2027-02-01T00:00:00Z": UTC with a precision of seconds, as metav1.Time. Returns text. */
const char *hf_format_time(uint64_t unix_ns, char text[HF_TIME_TEXT]);

/* Formats the shortest text that Go's time.ParseDuration accepts, without parts that are zero: "1h30m", "1.500s",
 * "20ms". Returns text. */
const char *hf_format_duration(uint64_t ns, char text[HF_DURATION_TEXT]);
