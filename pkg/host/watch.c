/* SPDX-License-Identifier: Apache-2.0 */
#include "host/watch.h"

#define HF_HOSTLIFE_GONE_NS (60 * HF_NS_PER_S) /* then the pod steps in */

enum hf_hostlife_step hf_hostlife_watch_step(struct hf_hostlife_watch *watch, const struct hf_hostlife_seen *seen,
                                             uint64_t now_ns)
{
    if (seen->acts) {
        watch->gone_since_ns = HF_NEVER;
        return seen->wanted ? HF_HOSTLIFE_STEP_BACK : HF_HOSTLIFE_KEEP;
    }
    if (seen->locked || seen->wanted)
        watch->gone_since_ns = HF_NEVER;
    else if (watch->gone_since_ns == HF_NEVER)
        watch->gone_since_ns = now_ns;
    bool late = watch->gone_since_ns != HF_NEVER && now_ns - watch->gone_since_ns >= HF_HOSTLIFE_GONE_NS;
    return late ? HF_HOSTLIFE_STEP_IN : HF_HOSTLIFE_KEEP;
}
