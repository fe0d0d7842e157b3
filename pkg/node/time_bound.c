/* SPDX-License-Identifier: Apache-2.0 */
/* The proof, the last signed time or the build, never goes back. The synced time advances a thousandth slower than the
 * monotonic clock. A time server that keeps the wall clock right corrects it at each reading, by at most one second per
 * second, so an hour of wrong time moves it by one extra hour; not while the server's Date contradicts the wall clock.
 * Two witnesses that agree lower it at once. The Date alone never moves the bound. */
#include "node/time_bound.h"

#include "base/macros.h"

/* Largest correction that one reading makes. */
#define HF_TIME_STEP_MAX_NS (60 * HF_NS_PER_S)

/* A monotonic clock is at most this part too fast: the bound must not overtake the true time. */
enum { DRIFT_PART = 1000 };

void hf_time_bound_init(struct hf_time_bound *bound, uint64_t signed_unix_ns, uint64_t synced_unix_ns, uint64_t mono_ns)
{
    *bound = (struct hf_time_bound){
        .proof_unix_ns = HF_MAX(signed_unix_ns, HF_TIME_BUILD_UNIX_NS),
        .synced_unix_ns = HF_MAX(synced_unix_ns, HF_TIME_BUILD_UNIX_NS),
        .synced_mono_ns = mono_ns,
    };
}

uint64_t hf_time_bound_synced_ns(const struct hf_time_bound *bound, uint64_t mono_ns)
{
    uint64_t passed = mono_ns - HF_MIN(bound->synced_mono_ns, mono_ns);

    return bound->synced_unix_ns + (passed - passed / DRIFT_PART);
}

uint64_t hf_time_bound_ns(const struct hf_time_bound *bound, uint64_t mono_ns)
{
    return HF_MAX(bound->proof_unix_ns, hf_time_bound_synced_ns(bound, mono_ns));
}

void hf_time_bound_read(struct hf_time_bound *bound, uint64_t mono_ns, uint64_t wall_unix_ns, uint64_t sync_error_ns)
{
    uint64_t now = hf_time_bound_synced_ns(bound, mono_ns);
    uint64_t step = HF_MIN(mono_ns - HF_MIN(bound->synced_mono_ns, mono_ns), HF_TIME_STEP_MAX_NS);
    uint64_t wall = wall_unix_ns - HF_MIN(sync_error_ns, wall_unix_ns);
    bool synced = sync_error_ns <= HF_TIME_SYNC_ERROR_MAX_NS;

    if (synced && bound->synced_before)
        now = wall > now ? HF_MIN(wall, now + step) : HF_MAX(wall, now - step);
    bound->synced_unix_ns = HF_MAX(now, HF_TIME_BUILD_UNIX_NS);
    bound->synced_mono_ns = mono_ns;
    bound->synced_before = synced;
}

bool hf_time_bound_signed(struct hf_time_bound *bound, uint64_t unix_ns)
{
    bool rises = unix_ns > bound->proof_unix_ns;

    bound->proof_unix_ns = HF_MAX(unix_ns, bound->proof_unix_ns);
    return rises;
}

bool hf_time_bound_claimed(struct hf_time_bound *bound, uint64_t mono_ns, uint64_t unix_ns)
{
    if (unix_ns <= hf_time_bound_ns(bound, mono_ns))
        return false;
    bound->synced_unix_ns = unix_ns;
    bound->synced_mono_ns = mono_ns;
    return true;
}

void hf_time_bound_lower(struct hf_time_bound *bound, uint64_t mono_ns, uint64_t latest_unix_ns)
{
    if (hf_time_bound_synced_ns(bound, mono_ns) <= latest_unix_ns)
        return;
    bound->synced_unix_ns = HF_MAX(latest_unix_ns, HF_TIME_BUILD_UNIX_NS);
    bound->synced_mono_ns = mono_ns;
}
