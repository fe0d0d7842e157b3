/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time/range.h"

#include "base/clock.h"
#include "base/macros.h"

const char *hf_time_agreement_name(enum hf_time_agreement agreement)
{
    static const char *const names[HF_TIME_AGREEMENT_COUNT] = {[HF_TIME_UNKNOWN] = "Unknown",
                                                               [HF_TIME_ALONE] = "Alone",
                                                               [HF_TIME_CONTRADICTED] = "Contradicted",
                                                               [HF_TIME_AGREED] = "Agreed"};

    return names[agreement];
}

void hf_time_span(const struct hf_time_range *range, uint64_t *ret_first_unix_ns, uint64_t *ret_last_unix_ns)
{
    uint64_t first = HF_MIN(range->estimate_unix_ns, range->other_unix_ns);
    uint64_t last = HF_MAX(range->estimate_unix_ns, range->other_unix_ns);

    *ret_first_unix_ns = first - HF_MIN(first, range->error_ns);
    *ret_last_unix_ns = last > HF_NEVER - range->error_ns ? HF_NEVER : last + range->error_ns;
}

enum hf_time_answer hf_time_has_come(const struct hf_time_range *range, uint64_t then_unix_ns)
{
    if (then_unix_ns == HF_NEVER)
        return HF_TIME_NO;
    if (range->earliest_unix_ns >= then_unix_ns)
        return HF_TIME_YES;
    return range->latest_unix_ns < then_unix_ns ? HF_TIME_NO : HF_TIME_UNSURE;
}

int64_t hf_time_distance_s(const struct hf_time_range *range, int64_t from_s, int64_t until_s)
{
    int64_t earliest_s = (int64_t)(range->earliest_unix_ns / HF_NS_PER_S);
    int64_t latest_s = (int64_t)(range->latest_unix_ns / HF_NS_PER_S);

    if (earliest_s > until_s)
        return until_s - earliest_s;
    return range->agreement == HF_TIME_AGREED && latest_s < from_s ? from_s - latest_s : 0;
}
