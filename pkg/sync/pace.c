/* SPDX-License-Identifier: Apache-2.0 */
/* A bucket of two tokens gets one per gap. An ordinary change must leave one, an urgent one (an update ends) may take
 * the last: the end is reported at once even if the begin was just written. A write gathers changes for
 * HF_PACE_GATHER_NS. */
#include "sync/pace.h"

#include <assert.h>

#include "base/macros.h"

void hf_pace_init(struct hf_pace *pace, uint64_t gap_ns)
{
    *pace = (struct hf_pace){.gap_ns = gap_ns, .heartbeat_ns = HF_NEVER};
}

void hf_pace_changed(struct hf_pace *pace, bool urgent, uint64_t now_ns)
{
    if (!pace->changed)
        pace->changed_at_ns = now_ns;
    pace->changed = true;
    pace->urgent = pace->urgent || urgent;
}

uint64_t hf_pace_due_ns(const struct hf_pace *pace)
{
    uint64_t due = pace->heartbeat_ns;

    if (pace->writing)
        return HF_NEVER;
    if (pace->changed) {
        uint64_t token = hf_bucket_due_ns(&pace->bucket, pace->urgent ? HF_PACE_TOKENS - 1 : 0, pace->gap_ns);
        due = HF_MIN(due, HF_MAX(pace->changed_at_ns + HF_PACE_GATHER_NS, token));
    }
    return due == HF_NEVER ? HF_NEVER : HF_MAX(due, pace->not_before_ns);
}

void hf_pace_started(struct hf_pace *pace, uint64_t now_ns)
{
    assert(!pace->writing);
    (void)hf_bucket_take(&pace->bucket, HF_PACE_TOKENS, pace->gap_ns, now_ns);
    assert(pace->bucket.full_ns > now_ns);
    pace->writing = true;
    pace->changed = false;
    pace->urgent = false;
}

static uint64_t next_heartbeat_ns(uint64_t interval_ns, const struct hf_rand_ops *rng, uint64_t now_ns)
{
    return now_ns + interval_ns - interval_ns / 10 + hf_rand_below(rng, HF_MAX(interval_ns / 5, 1));
}

void hf_pace_delivered(struct hf_pace *pace, uint64_t interval_ns, const struct hf_rand_ops *rng, uint64_t now_ns)
{
    pace->writing = false;
    pace->not_before_ns = 0;
    pace->heartbeat_ns = next_heartbeat_ns(interval_ns, rng, now_ns);
}

void hf_pace_parked(struct hf_pace *pace, uint64_t interval_ns, const struct hf_rand_ops *rng, uint64_t now_ns)
{
    pace->changed = pace->urgent = false;
    pace->heartbeat_ns = next_heartbeat_ns(interval_ns, rng, now_ns);
}

void hf_pace_failed(struct hf_pace *pace, uint64_t delay_ns, uint64_t now_ns)
{
    pace->writing = false;
    pace->not_before_ns = now_ns + delay_ns;
    hf_pace_changed(pace, true, now_ns); /* the back-off delays it; the bucket still bounds the mean rate */
}

void hf_pace_retry(struct hf_pace *pace, uint64_t delay_ns, uint64_t now_ns)
{
    pace->not_before_ns = now_ns + delay_ns;
}
