/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/rules/content_pace.h"

#include "base/macros.h"

static uint64_t gap_of(const struct hf_content_pace *pace)
{
    return HF_MAX(pace->gap_ns, HF_CONTENT_PACE_FIRST_GAP_NS);
}

static void refill(struct hf_content_pace *pace, uint64_t now_ns)
{
    if (pace->spent == 0)
        return;
    uint64_t back = (now_ns - HF_MIN(pace->since_ns, now_ns)) / gap_of(pace);
    pace->spent -= (unsigned)HF_MIN(back, (uint64_t)pace->spent);
    pace->since_ns += back * gap_of(pace);
    if (pace->spent == 0)
        pace->gap_ns = 0;
}

uint64_t hf_content_pace_wait_ns(struct hf_content_pace *pace, uint64_t now_ns)
{
    refill(pace, now_ns);
    return pace->spent < HF_CONTENT_PACE_BURST ? 0 : pace->since_ns + gap_of(pace) - now_ns;
}

void hf_content_pace_spend(struct hf_content_pace *pace, uint64_t now_ns, uint64_t longest_ns)
{
    refill(pace, now_ns);
    if (pace->spent == 0)
        pace->since_ns = now_ns;
    if (++pace->spent < HF_CONTENT_PACE_BURST)
        return;
    if (pace->gap_ns == 0)
        pace->gap_ns = HF_CONTENT_PACE_FIRST_GAP_NS;
    else
        pace->gap_ns = HF_MIN(2 * pace->gap_ns, HF_MAX(longest_ns, HF_CONTENT_PACE_FIRST_GAP_NS));
}
