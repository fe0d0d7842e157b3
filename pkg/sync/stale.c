/* SPDX-License-Identifier: Apache-2.0 */
/*         contact lost, and the last sign of life
 *            older than HF_STALE_GRACE_NS                policy's window passed
 *     Fresh ------------------------------------> Stale ----------------------> Expired
 *       ^                                           |                              |
 *       '---------------- server answers -----------+------------------------------'
 *
 * The age of contact is the time since the last sign of life, which is data from the API server itself. The monotonic
 * clock measures it within one boot, over restarts and sleep. After a reboot it is at least the age in the clock file
 * plus the time since boot, or longer by the best guess of the clock. */
#include "sync/stale.h"

#include <assert.h>

#include "base/macros.h"

const char *hf_staleness_name(enum hf_staleness staleness)
{
    static const char *const names[HF_STALE_COUNT] = {
        [HF_STALE_FRESH] = "Fresh", [HF_STALE_STALE] = "Stale", [HF_STALE_EXPIRED] = "Expired"};

    return names[staleness];
}

/* Least and greatest time between two saves, and the time for which a save may be late. */
#define STEP_MIN_NS (60 * HF_NS_PER_S)
#define STEP_MAX_NS (3600 * HF_NS_PER_S)
#define LATE_NS (60 * HF_NS_PER_S)

enum { PART_OF_BOOT = 2, PART_OF_WINDOW = 24, PART_OF_AGE = 24 };

void hf_stale_init(struct hf_stale *stale, const struct hf_stale_kept *kept, struct hf_now now)
{
    *stale = (struct hf_stale){.contact_unix_ns = kept->contact_unix_ns, .start_mono_ns = now.mono_ns};
    if (kept->contact_unix_ns == 0)
        return;
    if (kept->contact_mono_ns != 0 && kept->contact_mono_ns <= now.mono_ns) {
        stale->this_boot = true;
        stale->contact_mono_ns = kept->contact_mono_ns;
        return;
    }
    bool saved_now = kept->saved_mono_ns != 0 && kept->saved_mono_ns <= now.mono_ns;
    uint64_t since_ns = now.mono_ns - (saved_now ? kept->saved_mono_ns : 0);
    stale->carried_ns = kept->age_ns + (kept->boot_unknown ? 0 : since_ns);
    if (now.unix_ns > kept->contact_unix_ns)
        stale->carried_ns = HF_MAX(stale->carried_ns, now.unix_ns - kept->contact_unix_ns);
    stale->longest_ns = kept->boot_unknown ? HF_MAX(kept->limit_ns, kept->age_ns + since_ns) : kept->limit_ns;
}

void hf_stale_contact(struct hf_stale *stale, struct hf_now now)
{
    stale->contact_unix_ns = now.unix_ns;
    stale->contact_mono_ns = now.mono_ns;
    stale->this_life = true;
    stale->connected = true;
    stale->longest_ns = 0;
}

void hf_stale_heard(struct hf_stale *stale, uint64_t heard_mono_ns, struct hf_now now)
{
    if (!stale->connected || heard_mono_ns <= stale->contact_mono_ns || heard_mono_ns > now.mono_ns)
        return;
    stale->contact_mono_ns = heard_mono_ns;
    stale->contact_unix_ns = now.unix_ns - HF_MIN(now.mono_ns - heard_mono_ns, now.unix_ns);
}

void hf_stale_lost(struct hf_stale *stale)
{
    stale->connected = false;
}

/* The age as this process counts it now, without what was counted before; HF_NEVER if there never was contact. */
static uint64_t count(const struct hf_stale *stale, struct hf_now now)
{
    if (stale->connected || stale->this_life || stale->this_boot)
        return now.mono_ns - HF_MIN(now.mono_ns, stale->contact_mono_ns);
    if (stale->contact_unix_ns == 0)
        return HF_NEVER;
    /* The wall clock may have been set right since the start. The longer age is the safe one. */
    uint64_t age = stale->carried_ns + (now.mono_ns - stale->start_mono_ns);
    return now.unix_ns > stale->contact_unix_ns ? HF_MAX(age, now.unix_ns - stale->contact_unix_ns) : age;
}

uint64_t hf_stale_age_ns(struct hf_stale *stale, struct hf_now now)
{
    uint64_t age = count(stale, now);

    if (stale->connected || age == HF_NEVER)
        return age;
    stale->longest_ns = HF_MAX(stale->longest_ns, age);
    return stale->longest_ns;
}

enum hf_staleness hf_stale_judge(struct hf_stale *stale, uint64_t window_ns, struct hf_now now, uint64_t *ret_wait_ns)
{
    uint64_t age = hf_stale_age_ns(stale, now);

    *ret_wait_ns = HF_NEVER;
    if (stale->connected)
        return HF_STALE_FRESH;
    if (age == HF_NEVER || age >= window_ns)
        return HF_STALE_EXPIRED;
    *ret_wait_ns = window_ns - age;
    if (!stale->this_life || age >= HF_STALE_GRACE_NS)
        return HF_STALE_STALE;
    *ret_wait_ns = HF_MIN(*ret_wait_ns, HF_STALE_GRACE_NS - age);
    return HF_STALE_FRESH;
}

/* ---- the clock file ---------------------------------------------------------------------------------------------- */

/* Growth of the age until a save. In the window: half of the time since boot, at most an hour or a 24th of the window,
 * at least 60 s: a board that is often switched off keeps most of its time. Later: an hour or a 24th of the age, the
 * longer one. */
static uint64_t step_ns(struct hf_stale *stale, uint64_t window_ns, struct hf_now now)
{
    uint64_t most = HF_MAX(HF_MIN(STEP_MAX_NS, window_ns / PART_OF_WINDOW), STEP_MIN_NS);
    uint64_t age = hf_stale_age_ns(stale, now);

    if (age >= window_ns && age != HF_NEVER)
        return HF_MAX(STEP_MAX_NS, age / PART_OF_AGE);
    return HF_MIN(HF_MAX(now.mono_ns / PART_OF_BOOT, STEP_MIN_NS), most);
}

void hf_stale_keep(struct hf_stale *stale, uint64_t window_ns, struct hf_now now, struct hf_stale_kept *ret_kept)
{
    uint64_t age = count(stale, now), longest = hf_stale_age_ns(stale, now);

    *ret_kept =
        (struct hf_stale_kept){.contact_unix_ns = stale->contact_unix_ns,
                               .age_ns = age == HF_NEVER ? 0 : age,
                               .contact_mono_ns = stale->this_life || stale->this_boot ? stale->contact_mono_ns : 0,
                               .saved_mono_ns = now.mono_ns};
    if (stale->connected || age == HF_NEVER)
        return;
    uint64_t next = age + step_ns(stale, window_ns, now) + LATE_NS;
    ret_kept->limit_ns = HF_MAX(longest, age < window_ns ? HF_MIN(next, window_ns) : next);
    assert(ret_kept->limit_ns >= ret_kept->age_ns && ret_kept->limit_ns >= longest);
}

uint64_t hf_stale_save_wait_ns(struct hf_stale *stale, uint64_t window_ns, struct hf_now now,
                               const struct hf_stale_kept *kept)
{
    uint64_t age = count(stale, now), due = kept->age_ns + step_ns(stale, window_ns, now);

    if (stale->connected || age == HF_NEVER)
        return HF_NEVER;
    if (hf_stale_age_ns(stale, now) > kept->limit_ns)
        return 0;
    if (kept->age_ns < window_ns) /* the state Expired must outlive a power cut */
        due = HF_MIN(due, window_ns);
    if (kept->limit_ns < window_ns || kept->age_ns >= window_ns)
        due = HF_MIN(due, kept->limit_ns - HF_MIN(kept->limit_ns, LATE_NS));
    return due - HF_MIN(due, age);
}

/* A reboot would make the age much too long. */
bool hf_stale_is_limit_high(const struct hf_stale_kept *kept, uint64_t oldest_ns)
{
    return kept->limit_ns > oldest_ns + 2 * LATE_NS + HF_STALE_GRACE_NS;
}

uint64_t hf_stale_contact_unix_ns(const struct hf_stale *stale)
{
    return stale->contact_unix_ns;
}
