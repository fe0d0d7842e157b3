/* SPDX-License-Identifier: Apache-2.0 */
/* The wall clock that stamps the file may be wrong. So its times only tell the hold's length, and its age at the
 * agent's first look; then the monotonic clock measures, and the clock file keeps the age over restarts. After a
 * reboot, the age is at least the kept one plus the time since boot, and once the present is sure, the time since the
 * begin. If it never was sure since then, the wall clock tells how long the machine was off. A system container has its
 * own boot id: its boot is also the same if both clocks have advanced together since the save. */
#include "sync/hold_age.h"

#include <assert.h>

#include "base/macros.h"

/* Least and greatest time between two saves of the age of a hold while the present is not sure. */
#define STEP_MIN_NS (60 * HF_NS_PER_S)
#define STEP_MAX_NS (3600 * HF_NS_PER_S)

/* Two times this near to each other are the same: the clocks are read one after another. */
#define NEAR_NS (5 * HF_NS_PER_S)

enum { PART_OF_BOOT = 2, PART_OF_HOLD = 24, DRIFT_PARTS = 1000 };

static uint64_t earliest(const struct hf_hold_clocks *clocks)
{
    return HF_MIN(clocks->wall_unix_ns, HF_MIN(clocks->range.estimate_unix_ns, clocks->range.other_unix_ns));
}

static bool is_near(uint64_t a, uint64_t b)
{
    return HF_DISTANCE(a, b) <= NEAR_NS;
}

static uint64_t latest(const struct hf_hold_clocks *clocks)
{
    return HF_MAX(clocks->wall_unix_ns, HF_MAX(clocks->range.estimate_unix_ns, clocks->range.other_unix_ns));
}

/* ---- the age ----------------------------------------------------------------------------------------------------- */

static uint64_t age_at_first_sight(const struct hf_hold *hold, const struct hf_hold_clocks *clocks)
{
    uint64_t since = hold->since_unix_ns, now = earliest(clocks);

    if (since < clocks->build_unix_ns || since > latest(clocks))
        return 0;
    return now - HF_MIN(now, since);
}

/* How long the machine was off, and has been on, by a wall clock that nothing confirms and nothing contradicts. It may
 * have been corrected meanwhile, so this counts only if there never was a better witness. */
static uint64_t away_by_wall(const struct hf_hold_kept *kept, const struct hf_hold_clocks *clocks)
{
    const struct hf_time_range *range = &clocks->range;
    bool wall_alone =
        range->agreement == HF_TIME_ALONE && !clocks->sure && is_near(range->estimate_unix_ns, clocks->wall_unix_ns);

    if (!wall_alone || kept->began_unix_ns != 0 || kept->track_unix_ns == 0)
        return 0;
    return clocks->wall_unix_ns - HF_MIN(clocks->wall_unix_ns, kept->track_unix_ns);
}

static bool ran_on(const struct hf_hold_kept *kept, const struct hf_hold_clocks *clocks)
{
    uint64_t mono = clocks->mono_ns - kept->saved_mono_ns, wall = clocks->wall_unix_ns - kept->track_unix_ns;

    return kept->track_unix_ns >= clocks->build_unix_ns && kept->track_unix_ns <= clocks->wall_unix_ns &&
           HF_DISTANCE(mono, wall) <= NEAR_NS + mono / DRIFT_PARTS;
}

static uint64_t since_save(const struct hf_hold_kept *kept, const struct hf_hold_clocks *clocks)
{
    if (kept->saved_mono_ns != 0 && kept->saved_mono_ns <= clocks->mono_ns && (kept->same_boot || ran_on(kept, clocks)))
        return clocks->mono_ns - kept->saved_mono_ns;
    if (kept->boot_unknown)
        return 0;
    return HF_MAX(clocks->mono_ns, away_by_wall(kept, clocks));
}

void hf_hold_age_begin(struct hf_hold_age *age, uint64_t id, const struct hf_hold *hold,
                       const struct hf_hold_kept *kept, const struct hf_hold_clocks *clocks)
{
    *age = (struct hf_hold_age){.id = id, .base_mono_ns = clocks->mono_ns};
    if (kept->id != id) {
        age->base_ns = age_at_first_sight(hold, clocks);
        age->unsaved = true;
        return;
    }
    age->base_ns = kept->age_ns + since_save(kept, clocks);
    age->began_unix_ns = kept->began_unix_ns;
    age->saved_ns = kept->age_ns;
    /* Also where an earlier process of this boot has saved the age: it is at least the time since the boot began. */
    age->rebooted = age->base_ns + NEAR_NS >= clocks->mono_ns;
}

uint64_t hf_hold_age_ns(const struct hf_hold_age *age, uint64_t mono_ns)
{
    return age->base_ns + (mono_ns - HF_MIN(mono_ns, age->base_mono_ns));
}

/* Counts the time for which the machine was off. Within one boot, the monotonic clock is right, and no wall clock may
 * change the age. */
static void count_time_off(struct hf_hold_age *age, const struct hf_hold_clocks *clocks)
{
    uint64_t present = clocks->range.estimate_unix_ns, now_ns = hf_hold_age_ns(age, clocks->mono_ns);

    if (age->began_unix_ns == 0) {
        age->began_unix_ns = present - HF_MIN(present, now_ns);
        age->unsaved = true;
    } else if (age->rebooted && present > age->began_unix_ns && present - age->began_unix_ns > now_ns) {
        uint64_t off_ns = present - age->began_unix_ns - now_ns;
        age->base_ns = present - age->began_unix_ns;
        age->base_mono_ns = clocks->mono_ns;
        assert(hf_hold_age_ns(age, clocks->mono_ns) > now_ns); /* a hold only gets older */
        /* The clocks drift apart by a little all the time. */
        age->unsaved = age->unsaved || off_ns >= STEP_MIN_NS;
    }
}

static bool is_save_due(const struct hf_hold_age *age, uint64_t length_ns, uint64_t mono_ns)
{
    uint64_t most = HF_MAX(HF_MIN(STEP_MAX_NS, length_ns / PART_OF_HOLD), STEP_MIN_NS);
    uint64_t step = HF_MIN(HF_MAX(mono_ns / PART_OF_BOOT, STEP_MIN_NS), most);

    return age->saved_ns < length_ns && hf_hold_age_ns(age, mono_ns) >= age->saved_ns + step;
}

/* A board that is often switched off must end its hold, too. */
void hf_hold_age_count(struct hf_hold_age *age, const struct hf_hold *hold, const struct hf_hold_clocks *clocks)
{
    uint64_t length = hf_hold_length_ns(hold);

    if (age->id == 0)
        return;
    if (clocks->sure)
        count_time_off(age, clocks);
    else
        age->unsaved = age->unsaved || is_save_due(age, length, clocks->mono_ns);
    /* The end must outlive a power cut. */
    if (age->saved_ns < length && hf_hold_age_ns(age, clocks->mono_ns) >= length)
        age->unsaved = true;
}

void hf_hold_age_keep(struct hf_hold_age *age, uint64_t mono_ns, struct hf_hold_kept *ret_kept)
{
    ret_kept->id = age->id;
    ret_kept->age_ns = age->id != 0 ? hf_hold_age_ns(age, mono_ns) : 0;
    ret_kept->began_unix_ns = age->began_unix_ns;
    age->saved_ns = ret_kept->age_ns;
    age->unsaved = false;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

bool hf_hold_age_judge(const struct hf_hold *hold, const struct hf_hold_age *age, const struct hf_hold_clocks *clocks,
                       uint64_t *ret_wait_ns)
{
    uint64_t length = hf_hold_length_ns(hold), until = hold->until_unix_ns;
    uint64_t now = HF_MIN(clocks->range.estimate_unix_ns, clocks->range.other_unix_ns);
    uint64_t left = length;

    *ret_wait_ns = HF_NEVER;
    if (!hold->present)
        return false;
    if (length != HF_NEVER)
        left = length - HF_MIN(length, hf_hold_age_ns(age, clocks->mono_ns));
    if (hold->since_unix_ns == 0 && until != HF_NEVER && until >= clocks->build_unix_ns)
        left = HF_MIN(left, until - HF_MIN(until, now));
    if (left == 0)
        return false;
    assert(left <= length);
    *ret_wait_ns = left;
    return true;
}

uint64_t hf_hold_age_end_unix_ns(const struct hf_hold *hold, uint64_t unix_ns, uint64_t wait_ns)
{
    uint64_t until = hold->until_unix_ns;

    if (wait_ns == HF_NEVER)
        return HF_NEVER;
    uint64_t end = unix_ns + wait_ns;
    return until != HF_NEVER && is_near(end, until) ? until : end;
}
