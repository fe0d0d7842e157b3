/* SPDX-License-Identifier: Apache-2.0 */
/* sync/hold_age.h - for how long the site's hold has been in effect, and if it has ended. Pure.
 *
 * The wall clock of this machine stamps the hold file, and may be wrong: it may show 1970, or leap a minute later. So
 * the times in the file only say how long the hold shall be, and how much of it had passed when the agent first saw the
 * file. From then on the monotonic clock counts the age of the hold. The clock file keeps the age over restarts and
 * reboots, as it keeps the age of the last contact (sync/stale.h).
 *
 * After a reboot, the age is at least the age in the clock file plus the time since this boot began. The time for which
 * the machine was off counts as soon as the present is sure: the age is then at least the time since the hold began. On
 * a machine whose time has never been sure since the hold began, the wall clock tells how long the machine was off.
 *
 * A system container has a boot id of its own. So this is also the boot of the save if the monotonic clock and the wall
 * clock have run on together since. */
#pragma once

#include "base/time/range.h"
#include "sync/hold.h"

/* One reading of all clocks. */
struct hf_hold_clocks {
    uint64_t mono_ns;
    uint64_t build_unix_ns; /* date of the build: a clock that shows an earlier time is wrong */
    uint64_t wall_unix_ns;  /* the wall clock, right or wrong */
    struct hf_time_range range;
    bool sure; /* two witnesses agree, or a time server keeps the only one right */
};

/* What the clock file holds about a hold. */
struct hf_hold_kept {
    uint64_t id;            /* of the hold file (hf_hold_id()); 0 means that there was no hold */
    uint64_t age_ns;        /* age of the hold when the clock file was saved */
    uint64_t began_unix_ns; /* when the hold began, by a present that was sure (0 means unknown) */
    uint64_t track_unix_ns; /* what the wall clock showed when the clock file was saved (0 means unknown) */
    uint64_t saved_mono_ns; /* time of the save by the monotonic clock of its boot; 0 means unknown */
    bool same_boot;         /* the clock file has the id of this boot */
    bool boot_unknown;      /* nobody knows whether the clock file is from this boot */
};

/* The age of one hold. A struct of zeros means that there is no hold. */
struct hf_hold_age {
    uint64_t id;
    uint64_t base_ns, base_mono_ns; /* the hold had the age base_ns at base_mono_ns */
    uint64_t began_unix_ns;         /* as in struct hf_hold_kept */
    uint64_t saved_ns;              /* age in the clock file */
    bool rebooted;                  /* the hold began before this boot */
    bool unsaved;                   /* the clock file must be saved now */
};

/* Begins to count the age of the hold `id`. If it is the hold in *kept, its age continues. Otherwise the agent sees
 * this hold for the first time: the age is the time since `since`, by the clock that is furthest behind. It is 0 if
 * `since` is absent, before the build, or later than every clock. */
void hf_hold_age_begin(struct hf_hold_age *age, uint64_t id, const struct hf_hold *hold,
                       const struct hf_hold_kept *kept, const struct hf_hold_clocks *clocks);

/* Call in each turn while there is a hold: corrects the age if the present is sure, and sets `unsaved` if the clock
 * file must be saved. On a node whose present is sure, this is once or twice for each hold. Otherwise the file is
 * saved again when the hold is older by half of the time since this boot began, but not before a minute has passed, and
 * at the latest after an hour or a 24th of the hold, so that a board that is often switched off ends its hold. */
void hf_hold_age_count(struct hf_hold_age *age, const struct hf_hold *hold, const struct hf_hold_clocks *clocks);

/* Returns the age of the hold. */
uint64_t hf_hold_age_ns(const struct hf_hold_age *age, uint64_t mono_ns);

/* Fills in the first three fields of *ret_kept, and counts them as saved. */
void hf_hold_age_keep(struct hf_hold_age *age, uint64_t mono_ns, struct hf_hold_kept *ret_kept);

/* Returns true if the hold is in effect. *ret_wait_ns is the time after which it ends by itself; HF_NEVER means that it
 * never does, or that no hold is in effect. A hold with `until` and without `since` also ends at `until`, as soon as no
 * witness of the time contradicts that. */
bool hf_hold_age_judge(const struct hf_hold *hold, const struct hf_hold_age *age, const struct hf_hold_clocks *clocks,
                       uint64_t *ret_wait_ns);

/* Returns the end of a hold that ends after `wait_ns`, as a time of a clock that shows unix_ns; HF_NEVER if wait_ns is
 * HF_NEVER. This is exactly `until` where the two differ by a few seconds. */
uint64_t hf_hold_age_end_unix_ns(const struct hf_hold *hold, uint64_t unix_ns, uint64_t wait_ns);
