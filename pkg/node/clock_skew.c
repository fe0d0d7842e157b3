/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clock_skew.h"

#include "base/macros.h"

void hf_clock_skew_measure(struct hf_clock_skew *skew, uint64_t date_unix_ns, uint64_t mono_ns, uint64_t round_trip_ns)
{
    skew->known = true;
    skew->transit_ns = round_trip_ns;
    skew->server_unix_ns = date_unix_ns + HF_NS_PER_S / 2; /* the header has no fractions */
    skew->at_mono_ns = mono_ns;
}

int64_t hf_clock_skew_offset_ns(const struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns)
{
    return skew->known ? (int64_t)(skew->server_unix_ns + (mono_ns - skew->at_mono_ns) - unix_ns) : 0;
}

bool hf_clock_skew_judge(struct hf_clock_skew *skew, uint64_t mono_ns, uint64_t unix_ns, uint64_t max_skew_ns)
{
    int64_t offset = hf_clock_skew_offset_ns(skew, mono_ns, unix_ns);
    uint64_t behind = offset < 0 ? (uint64_t)-offset : 0;
    uint64_t distance = offset < 0 ? behind - HF_MIN(behind, skew->transit_ns) : (uint64_t)offset;

    skew->exceeded = distance > (skew->exceeded ? max_skew_ns / 5 * 4 : max_skew_ns);
    return skew->exceeded;
}
