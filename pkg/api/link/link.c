/* SPDX-License-Identifier: Apache-2.0 */
#include "api/link/link.h"

#define LOOK_AGAIN_NS (600 * HF_NS_PER_S)
#define ASK_AGAIN_NS (60 * HF_NS_PER_S)

const char *hf_link_reason(enum hf_link link)
{
    static const char *const reasons[] = {[HF_LINK_WINDOW_CLOSED] = "LinkWindowClosed",
                                          [HF_LINK_CLOCK_UNSURE] = "ClockUnsure",
                                          [HF_LINK_QUOTA_USED] = "LinkQuotaUsed"};

    return link < HF_LEN(reasons) ? reasons[link] : NULL;
}

static enum hf_time_answer window_answer(const struct hf_policy_connectivity *policy, const struct hf_time_range *range,
                                         uint64_t *ret_wait_ns)
{
    enum hf_time_answer answer = hf_windows_judge(policy->windows, policy->n_windows, range, ret_wait_ns);

    if (policy->n_windows > 0)
        *ret_wait_ns = HF_MIN(*ret_wait_ns, answer == HF_TIME_UNSURE ? ASK_AGAIN_NS : LOOK_AGAIN_NS);
    return answer;
}

enum hf_link hf_link_judge(const struct hf_policy_connectivity *policy, const struct hf_time_range *range,
                           bool quota_used, uint64_t *ret_wait_ns)
{
    *ret_wait_ns = HF_NEVER;
    switch (window_answer(policy, range, ret_wait_ns)) {
    case HF_TIME_NO:
        return HF_LINK_WINDOW_CLOSED;
    case HF_TIME_UNSURE:
        return HF_LINK_CLOCK_UNSURE;
    default:
        return quota_used ? HF_LINK_QUOTA_USED : HF_LINK_OPEN;
    }
}

uint64_t hf_link_average(uint64_t average, uint64_t sample)
{
    return average == 0 ? sample : average - average / 4 + sample / 4;
}
