/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/rules/repair_pace.h"

#include "base/macros.h"

static void refill(struct hf_repair_pace *pace, uint64_t now_ns)
{
    if (pace->spent == 0)
        return;
    uint64_t back = (now_ns - HF_MIN(pace->since_ns, now_ns)) / HF_REPAIR_PACE_TOKEN_NS;
    pace->spent -= (unsigned)HF_MIN(back, (uint64_t)pace->spent);
    pace->since_ns += back * HF_REPAIR_PACE_TOKEN_NS;
}

uint64_t hf_repair_pace_wait_ns(struct hf_repair_pace *pace, uint64_t now_ns)
{
    refill(pace, now_ns);
    return pace->spent < HF_REPAIR_PACE_BURST ? 0 : pace->since_ns + HF_REPAIR_PACE_TOKEN_NS - now_ns;
}

void hf_repair_pace_spend(struct hf_repair_pace *pace, uint64_t now_ns)
{
    refill(pace, now_ns);
    if (pace->spent == 0)
        pace->since_ns = now_ns;
    pace->spent++;
}
