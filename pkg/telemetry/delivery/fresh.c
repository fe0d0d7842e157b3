/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/delivery/fresh.h"

#include "base/macros.h"

#define HF_FRESH_PERIOD_NS (60 * HF_NS_PER_S)
#define SHARE_NS (60 * HF_NS_PER_S) /* time in which one share comes back */

void hf_fresh_init(struct hf_fresh *fresh, uint64_t stored, uint64_t wait_ns, uint64_t now_ns)
{
    *fresh = (struct hf_fresh){
        .period_ns = HF_MAX(HF_FRESH_PERIOD_NS, 2 * wait_ns), .old_until = stored, .mark = stored, .began_ns = now_ns};
}

void hf_fresh_look(struct hf_fresh *fresh, uint64_t stored, uint64_t now_ns)
{
    if (now_ns - fresh->began_ns < fresh->period_ns)
        return;
    fresh->old_until = fresh->mark;
    fresh->mark = stored;
    fresh->began_ns = now_ns;
}

/* One share may come at once. */
uint64_t hf_fresh_wait_until_ns(const struct hf_fresh *fresh)
{
    return fresh->paid_ns - HF_MIN(fresh->paid_ns, SHARE_NS - 1);
}

bool hf_fresh_is_live(const struct hf_fresh *fresh, uint64_t first, uint64_t now_ns)
{
    return first > fresh->old_until && now_ns >= hf_fresh_wait_until_ns(fresh);
}

void hf_fresh_pay(struct hf_fresh *fresh, uint64_t bytes, uint64_t now_ns)
{
    fresh->paid_ns = HF_MAX(fresh->paid_ns, now_ns) + bytes * SHARE_NS / HF_FRESH_SHARE_BYTES;
}
