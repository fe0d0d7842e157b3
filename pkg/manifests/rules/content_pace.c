/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/rules/content_pace.h"

#include "base/macros.h"

static uint64_t gap_of(const struct hf_content_pace *pace)
{
    return HF_MAX(pace->gap_ns, HF_CONTENT_PACE_FIRST_GAP_NS);
}

uint64_t hf_content_pace_wait_ns(const struct hf_content_pace *pace, uint64_t now_ns)
{
    return hf_bucket_wait_ns(&pace->bucket, HF_CONTENT_PACE_BURST, gap_of(pace), now_ns);
}

void hf_content_pace_spend(struct hf_content_pace *pace, uint64_t now_ns, uint64_t longest_ns)
{
    if (pace->bucket.full_ns <= now_ns)
        pace->gap_ns = 0;
    hf_bucket_spend(&pace->bucket, gap_of(pace), now_ns);
    if (hf_content_pace_wait_ns(pace, now_ns) == 0)
        return;
    uint64_t gap = gap_of(pace), next = HF_MIN(2 * gap, HF_MAX(longest_ns, HF_CONTENT_PACE_FIRST_GAP_NS));
    pace->gap_ns = pace->gap_ns == 0 ? gap : next;
    pace->bucket.full_ns += HF_CONTENT_PACE_BURST * (pace->gap_ns - gap); /* none of the tokens is back yet */
}
