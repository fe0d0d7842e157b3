/* SPDX-License-Identifier: Apache-2.0 */
/* Weekly windows in a time zone.
 *
 * A window begins by the wall clock, and lasts real time. A start that the clock jumps over (spring) is later by the
 * jump; of two equal starts (autumn) the first counts. hf_window_finish() may read zoneinfo files; the other functions
 * are pure. */
#pragma once

#include "api/field/field.h"
#include "base/clock.h"

enum { HF_MAX_WINDOWS = 16 };

struct hf_window {
    unsigned days;    /* days on which it begins: bit 0 is Sunday */
    unsigned start_s; /* begin, after midnight of the wall clock */
    uint64_t duration_ns;
    const char *time_zone;
    struct hf_zone *zone; /* owned; NULL: UTC */
};

extern const struct hf_field hf_window_fields[];

void hf_window_finish(struct hf_decode *decode, void *object, json_t *json);

/* Whether a window is open; always if n is 0. *ret_next_unix_ns (may be NULL): next change; HF_NEVER if n is 0, or 64
 * windows or more follow without a gap. */
bool hf_windows_open(const struct hf_window *windows, size_t n, uint64_t unix_ns, uint64_t *ret_next_unix_ns);

/* A span of the present (hf_time_span()) of at most this length, across an edge, counts as outside: windows open late
 * and close early by the clock's error. */
#define HF_WINDOW_EDGE_NS (120 * HF_NS_PER_S)

/* YES: the whole span is in one window (touching windows count as one), or n is 0. NO: it is outside, or short across
 * an edge. Else UNSURE. *ret_wait_ns: time to the next change if nobody sets the clock, or HF_NEVER. */
enum hf_time_answer hf_windows_judge(const struct hf_window *windows, size_t n, const struct hf_time_range *range,
                                     uint64_t *ret_wait_ns);
