/* SPDX-License-Identifier: Apache-2.0 */
/* The age of the site's hold, and whether it has ended. */
#pragma once

#include "base/time/range.h"
#include "sync/hold.h"

struct hf_hold_clocks {
    uint64_t mono_ns;
    uint64_t build_unix_ns; /* an earlier clock is wrong */
    uint64_t wall_unix_ns;
    struct hf_time_range range;
    bool sure; /* hf_clock_is_sure() */
};

/* What the clock file has of a hold. */
struct hf_hold_kept {
    uint64_t id;
    uint64_t age_ns;
    uint64_t began_unix_ns; /* when the hold began, if the time was sure */
    uint64_t track_unix_ns; /* track of the wall clock at the save */
    uint64_t saved_mono_ns;
    bool same_boot; /* the save was in this boot */
    bool boot_unknown;
};

/* Zeros: no hold. */
struct hf_hold_age {
    uint64_t id;
    uint64_t base_ns, base_mono_ns; /* the age at base_mono_ns */
    uint64_t began_unix_ns;
    uint64_t saved_ns; /* the age in the clock file */
    bool rebooted;     /* the hold began in an earlier boot */
    bool unsaved;      /* the clock file must be saved */
};

/* Continues the age in *kept if that is of this hold. Otherwise the age is the time since `since` by the earliest
 * clock; 0 if `since` is absent, before the build, or in every clock's future. */
void hf_hold_age_begin(struct hf_hold_age *age, uint64_t id, const struct hf_hold *hold,
                       const struct hf_hold_kept *kept, const struct hf_hold_clocks *clocks);

/* Called in each turn with a hold. Once the time is sure, adds the time that the machine was off. Sets `unsaved`
 * when the age has to be saved. */
void hf_hold_age_count(struct hf_hold_age *age, const struct hf_hold *hold, const struct hf_hold_clocks *clocks);

uint64_t hf_hold_age_ns(const struct hf_hold_age *age, uint64_t mono_ns);

/* Fills the first three fields, which then count as saved. */
void hf_hold_age_keep(struct hf_hold_age *age, uint64_t mono_ns, struct hf_hold_kept *ret_kept);

/* Whether the hold is in effect. *ret_wait_ns: time until it ends by itself, or HF_NEVER. `until` without `since` also
 * ends it, unless a witness of the time contradicts. */
bool hf_hold_age_judge(const struct hf_hold *hold, const struct hf_hold_age *age, const struct hf_hold_clocks *clocks,
                       uint64_t *ret_wait_ns);

/* Returns the hold's end by a clock that shows unix_ns: exactly `until` if that is near; HF_NEVER if wait_ns is. */
uint64_t hf_hold_age_end_unix_ns(const struct hf_hold *hold, uint64_t unix_ns, uint64_t wait_ns);
