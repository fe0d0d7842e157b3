/* SPDX-License-Identifier: Apache-2.0 */
/* api/window.h - maintenance and connectivity windows, which are weekly spans of time in a time zone.
 *
 * A window begins at its wall clock time in its zone and lasts `duration_ns` of real time. If the wall clock jumps over
 * the start of the window (in spring), the window begins when the wall clock shows the start plus the length of the
 * jump. If the wall clock shows the start twice (in autumn), the window begins the first time. hf_window_finish() reads
 * zoneinfo files and reports an unknown zone as an error; hf_windows_open() is pure. */
#pragma once

#include "api/field/field.h"
#include "base/clock.h"

enum { HF_MAX_WINDOWS = 16 };
#define HF_MAX_WINDOW_NS (7 * 86400 * HF_NS_PER_S)

struct hf_window {
    /* days on which the window begins, as bits from bit 0 (Sunday) to bit 6 (Saturday); default 0x7f (every day) */
    unsigned days;
    unsigned start_s; /* wall clock time at which the window begins, in seconds after midnight */
    uint64_t duration_ns;
    const char *time_zone; /* IANA name of the time zone; default "UTC" */
    struct hf_zone *zone;  /* the time zone (api/zone.h), which the owner of the window frees; NULL stands for UTC */
};

extern const struct hf_field hf_window_fields[]; /* fields that decode a window into a struct hf_window */

/* The `finish` function of hf_window_fields, which loads the time zone. */
void hf_window_finish(struct hf_decode *decode, void *object, json_t *json);

/* Returns true if `unix_ns` is inside one of the n windows, or if n is 0. Sets *ret_next_unix_ns (may be NULL) to the
 * next time at which the result changes. Sets it to HF_NEVER if n is 0, and also if more than 64 windows follow one
 * another without a gap. */
bool hf_windows_open(const struct hf_window *windows, size_t n, uint64_t unix_ns, uint64_t *ret_next_unix_ns);

/* A span of the present (hf_time_span()) is short if it is at most this long. While a short span is partly inside and
 * partly outside of a window, the window counts as closed. So the window opens later and closes earlier, by the error
 * of the clock. */
#define HF_WINDOW_EDGE_NS (120 * HF_NS_PER_S)

/* Returns HF_TIME_YES if the whole span of the present (hf_time_span()) is inside one window, or if n is 0. Windows
 * that touch or overlap count as one. Returns HF_TIME_NO if the whole span is outside of all windows, or if the span is
 * short (HF_WINDOW_EDGE_NS) and crosses the edge of a window. In all other cases, and if the time is unknown, returns
 * HF_TIME_UNSURE. Sets *ret_wait_ns to the time after which the answer changes if nobody sets a clock meanwhile, or to
 * HF_NEVER if no such time is known. Pure. */
enum hf_time_answer hf_windows_judge(const struct hf_window *windows, size_t n, const struct hf_time_range *range,
                                     uint64_t *ret_wait_ns);
