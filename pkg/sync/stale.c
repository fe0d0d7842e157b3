#include "sync/stale.h"

#include "base/macros.h"

const char *hf_staleness_name(enum hf_staleness staleness)
{
    static const char *const names[HF_STALE_COUNT] = {
        [HF_STALE_FRESH] = "Fresh", [HF_STALE_STALE] = "Stale", [HF_STALE_EXPIRED] = "Expired"};

    return names[staleness];
}

void hf_stale_init(struct hf_stale *stale, uint64_t kept_contact_unix_ns, struct hf_now now)
{
    *stale = (struct hf_stale){.contact_unix_ns = kept_contact_unix_ns, .start_mono_ns = now.mono_ns};
    if (kept_contact_unix_ns != 0 && now.unix_ns > kept_contact_unix_ns)
        stale->carried_ns = now.unix_ns - kept_contact_unix_ns;
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

uint64_t hf_stale_age_ns(struct hf_stale *stale, struct hf_now now)
{
    uint64_t age;

    if (stale->connected)
        return now.mono_ns - HF_MIN(now.mono_ns, stale->contact_mono_ns);
    if (stale->contact_unix_ns == 0)
        return HF_NEVER;
    if (stale->this_life) {
        age = now.mono_ns - stale->contact_mono_ns;
    } else {
        /* The wall clock may have been set right since the start. The longer age is the safe one. */
        age = stale->carried_ns + (now.mono_ns - stale->start_mono_ns);
        if (now.unix_ns > stale->contact_unix_ns)
            age = HF_MAX(age, now.unix_ns - stale->contact_unix_ns);
    }
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

uint64_t hf_stale_contact_unix_ns(const struct hf_stale *stale)
{
    return stale->contact_unix_ns;
}
