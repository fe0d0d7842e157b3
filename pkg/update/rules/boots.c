/* SPDX-License-Identifier: Apache-2.0 */
/* A boot counts against the release only with evidence: the hardware's watchdog caused it, or the health checks fail
 * while the unit has started and failed, or runs and hangs. A unit that nobody started, a systemd that does not answer
 * and a power cut before the verdict count neither way. */
#include "update/rules/boots.h"

#include <string.h>

#include "base/macros.h"

enum hf_boot_unit hf_boot_unit_of(const char *active_state, const char *sub_state)
{
    static const struct {
        const char *active;
        enum hf_boot_unit unit;
    } states[] = {{"active", HF_BOOT_UNIT_RUNS},     {"reloading", HF_BOOT_UNIT_RUNS},
                  {"activating", HF_BOOT_UNIT_RUNS}, {"failed", HF_BOOT_UNIT_FAILED},
                  {"inactive", HF_BOOT_UNIT_OFF},    {"deactivating", HF_BOOT_UNIT_OFF}};

    if (strncmp(sub_state, "auto-restart", strlen("auto-restart")) == 0) /* it failed, and its pause lasts */
        return HF_BOOT_UNIT_FAILED;
    for (size_t i = 0; i < HF_LEN(states); i++)
        if (strcmp(active_state, states[i].active) == 0)
            return states[i].unit;
    return HF_BOOT_UNIT_UNKNOWN;
}

enum hf_boot_verdict hf_boot_judge(const struct hf_boot_facts *facts)
{
    if (facts->left == 0 || facts->judged)
        return HF_BOOT_NOTHING;
    if (facts->watchdog_bit && !facts->watchdog_then)
        return HF_BOOT_BAD;
    if (facts->health == HF_BOOT_UNCHECKED)
        return HF_BOOT_CHECK;
    if (facts->health == HF_BOOT_HEALTHY)
        return HF_BOOT_GOOD;
    return facts->unit == HF_BOOT_UNIT_RUNS || facts->unit == HF_BOOT_UNIT_FAILED ? HF_BOOT_BAD : HF_BOOT_UNSURE;
}
