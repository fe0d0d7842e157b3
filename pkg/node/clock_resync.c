/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clock_resync.h"

#include "base/macros.h"

#define HF_CLOCK_RESYNC_PAUSE_NS (3600 * HF_NS_PER_S)

bool hf_clock_resync_take(struct hf_clock_resync *resync, bool wanted, uint64_t mono_ns, uint64_t *ret_wait_ns)
{
    uint64_t passed = mono_ns - HF_MIN(resync->asked_mono_ns, mono_ns);

    *ret_wait_ns = HF_NEVER;
    if (!wanted)
        return false;
    if (resync->asked && passed < HF_CLOCK_RESYNC_PAUSE_NS) {
        *ret_wait_ns = HF_CLOCK_RESYNC_PAUSE_NS - passed;
        return false;
    }
    resync->asked = true;
    resync->asked_mono_ns = mono_ns;
    *ret_wait_ns = HF_CLOCK_RESYNC_PAUSE_NS;
    return true;
}

int64_t hf_clock_resync_leap_ns(struct hf_clock_resync *resync, uint64_t mono_ns, uint64_t wall_unix_ns,
                                uint64_t least_ns)
{
    int64_t difference = (int64_t)(wall_unix_ns - mono_ns);
    int64_t leap = resync->seen ? (int64_t)((uint64_t)difference - (uint64_t)resync->wall_minus_mono) : 0;
    uint64_t size = leap < 0 ? 0 - (uint64_t)leap : (uint64_t)leap;

    resync->seen = true;
    resync->wall_minus_mono = difference;
    return size > least_ns ? leap : 0;
}
