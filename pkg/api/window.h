/* SPDX-License-Identifier: Apache-2.0 */
/* Weekly windows in a time zone.
 *
 * They begin by the wall clock, and last real time. A start that the clock jumps over (spring) is later by the jump; of
 * two equal starts (autumn) the first counts. hf_window_finish() reads zoneinfo files; the rest is pure. */
#pragma once

#include "api/field/field.h"
#include "base/clock.h"

enum { HF_MAX_WINDOWS = 16 };

struct hf_window {
    unsigned days;    /* when it begins: bit 0 is Sunday; default 0x7f */
    unsigned start_s; /* after midnight, wall clock */
    uint64_t duration_ns;
    const char *time_zone; /* IANA; default "UTC" */
    struct hf_zone *zone;  /* owned; NULL: UTC */
};

extern const struct hf_field hf_window_fields[];

/* Loads the time zone. */
void hf_window_finish(struct hf_decode *decode, void *object, json_t *json);

/* True: in a window, or n is 0. *ret_next_unix_ns (may be NULL): next change; HF_NEVER if n is 0, or more than 64
 * windows follow without a gap. */
bool hf_windows_open(const struct hf_window *windows, size_t n, uint64_t unix_ns, uint64_t *ret_next_unix_ns);

/* A shorter span of the present (hf_time_span()) across an edge is outside: windows open late and close early by the
 * clock's error. */
#define HF_WINDOW_EDGE_NS (120 * HF_NS_PER_S)

/* YES: the whole span is in one window (touching ones are one), or n is 0. NO: all outside, or short across an edge.
 * Else UNSURE. *ret_wait_ns: next change without a set clock, or HF_NEVER. */
enum hf_time_answer hf_windows_judge(const struct hf_window *windows, size_t n, const struct hf_time_range *range,
                                     uint64_t *ret_wait_ns);
