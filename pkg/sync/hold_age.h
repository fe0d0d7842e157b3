/* SPDX-License-Identifier: Apache-2.0 */
/* The age of the site's hold, and whether it has ended. */
#pragma once

#include "base/time/range.h"
#include "sync/hold.h"

/* Read at once. */
struct hf_hold_clocks {
    uint64_t mono_ns;
    uint64_t build_unix_ns; /* an earlier clock is wrong */
    uint64_t wall_unix_ns;  /* right or wrong */
    struct hf_time_range range;
    bool sure; /* hf_clock_is_sure() */
};

/* In the clock file. */
struct hf_hold_kept {
    uint64_t id; /* hf_hold_id() */
    uint64_t age_ns;
    uint64_t began_unix_ns; /* if it was sure */
    uint64_t track_unix_ns; /* wall clock */
    uint64_t saved_mono_ns; /* of the save */
    bool same_boot;         /* as the file's */
    bool boot_unknown;
};

/* Zeros: no hold. */
struct hf_hold_age {
    uint64_t id;
    uint64_t base_ns, base_mono_ns; /* age, and when */
    uint64_t began_unix_ns;
    uint64_t saved_ns; /* in the clock file */
    bool rebooted;     /* in an earlier boot */
    bool unsaved;      /* save the clock file */
};

/* Continues the age in *kept, if of the same hold. Else the time since `since` by the slowest clock; 0 if that is
 * absent, before the build, or in every clock's future. */
void hf_hold_age_begin(struct hf_hold_age *age, uint64_t id, const struct hf_hold *hold,
                       const struct hf_hold_kept *kept, const struct hf_hold_clocks *clocks);

/* In each turn with a hold. Sets `unsaved`: with a sure present once or twice per hold; else when the age grew by half
 * of the time since boot, between a minute and an hour or a 24th of the hold. */
void hf_hold_age_count(struct hf_hold_age *age, const struct hf_hold *hold, const struct hf_hold_clocks *clocks);

uint64_t hf_hold_age_ns(const struct hf_hold_age *age, uint64_t mono_ns);

/* The first three fields; they are then saved. */
void hf_hold_age_keep(struct hf_hold_age *age, uint64_t mono_ns, struct hf_hold_kept *ret_kept);

/* True: in effect. *ret_wait_ns: until its own end, or HF_NEVER. `until` without `since` also ends it, unless a witness
 * of the time contradicts. */
bool hf_hold_age_judge(const struct hf_hold *hold, const struct hf_hold_age *age, const struct hf_hold_clocks *clocks,
                       uint64_t *ret_wait_ns);

/* The hold's end by a clock that shows unix_ns; exactly `until` if it is near. HF_NEVER as wait_ns. */
uint64_t hf_hold_age_end_unix_ns(const struct hf_hold *hold, uint64_t unix_ns, uint64_t wait_ns);
