/* SPDX-License-Identifier: Apache-2.0 */
/* base/format.h - formats dates and durations as text; base/parse.h parses these texts. Pure; any thread. */
#pragma once

#include <stdint.h>

#define HF_TIME_TEXT 32     /* size of the buffer for hf_format_time(), with the terminator */
#define HF_DURATION_TEXT 32 /* size of the buffer for hf_format_duration(), with the terminator */

/* Formats "2027-02-01T00:00:00Z": UTC, rounded down to whole seconds, like Kubernetes' metav1.Time. Returns `text`. */
const char *hf_format_time(uint64_t unix_ns, char text[HF_TIME_TEXT]);

/* Formats a duration in the form of Go's time.ParseDuration, without parts that are zero: "1h30m", "1.500s", "20ms".
 * Rounds durations of one second or more down to milliseconds. Returns `text`. */
const char *hf_format_duration(uint64_t ns, char text[HF_DURATION_TEXT]);
