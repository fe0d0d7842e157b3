/* api/window.h - maintenance and connectivity windows: weekly spans of time in a time zone.
 *
 * A window begins at its wall clock time in its zone and lasts `duration_ns` of real time. If the clock jumps over the
 * start (spring), the window begins after the jump, as much later as the clock jumped; if the clock shows the start
 * twice (autumn), the window begins the first time. Decoding reads zoneinfo files and reports an unknown zone as an
 * error; all other functions here are pure. */
#pragma once

#include "api/field/field.h"
#include "base/clock.h"

enum { HF_MAX_WINDOWS = 16 };
#define HF_MAX_WINDOW_NS (7 * 86400 * HF_NS_PER_S)

struct hf_window {
    unsigned days;    /* bit 0 is Sunday, bit 6 is Saturday; 0x7f (every day) if absent */
    unsigned start_s; /* seconds after local midnight */
    uint64_t duration_ns;
    const char *time_zone; /* IANA name, default "UTC" */
    struct hf_zone *zone;  /* see api/zone.h; NULL is UTC; the owner of the window frees the zone */
};

extern const struct hf_field hf_window_fields[]; /* fills a struct hf_window */

/* The `finish` of hf_window_fields: loads the zone. */
void hf_window_finish(struct hf_decode *decode, void *object, json_t *json);

/* Returns true if `unix_ns` is inside one of the n windows, or if n is 0. *ret_next_unix_ns is the next moment at which
 * the result changes, or HF_NEVER if it does not change within the next days; ret_next_unix_ns may be NULL. */
bool hf_windows_open(const struct hf_window *windows, size_t n, uint64_t unix_ns, uint64_t *ret_next_unix_ns);
