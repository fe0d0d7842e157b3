/* SPDX-License-Identifier: Apache-2.0 */
#include "host/plan.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* What keeps the agent in the pod, the first that holds. `without`: facts that must not hold beside it. What is
 * installed needs no build of the image, and without systemd nothing can be done about it. In an open folder, only the
 * unit, which lies elsewhere, proves that it is installed. */
static const struct {
    unsigned with, without;
    enum hf_hostlife_reason reason;
} hindrances[] = {
    {0, HF_HOSTLIFE_BUILD | HF_HOSTLIFE_SLOT, HF_HOSTLIFE_R_NO_BUILD},
    {HF_HOSTLIFE_UNSUITABLE, 0, HF_HOSTLIFE_R_UNSUITABLE},
    {0, HF_HOSTLIFE_SYSTEMD | HF_HOSTLIFE_UNIT, HF_HOSTLIFE_R_NO_SYSTEMD},
    {HF_HOSTLIFE_FOREIGN_UNIT, 0, HF_HOSTLIFE_R_ALREADY_ON_HOST},
    {HF_HOSTLIFE_FORGOT, 0, HF_HOSTLIFE_R_NOT_PERSISTENT},
    {HF_HOSTLIFE_IN_MEMORY, 0, HF_HOSTLIFE_R_NOT_PERSISTENT},
    {HF_HOSTLIFE_MARK | HF_HOSTLIFE_OTHER_BOOT, HF_HOSTLIFE_UNIT, HF_HOSTLIFE_R_NOT_PERSISTENT},
    {HF_HOSTLIFE_UNITS_READ_ONLY, 0, HF_HOSTLIFE_R_UNITS_READ_ONLY},
    {HF_HOSTLIFE_NOEXEC, 0, HF_HOSTLIFE_R_NO_EXEC},
    {HF_HOSTLIFE_OPEN_FOLDER, HF_HOSTLIFE_UNIT, HF_HOSTLIFE_R_OPEN_FOLDER},
    {HF_HOSTLIFE_NO_LABELS, 0, HF_HOSTLIFE_R_NO_LABELS},
    {HF_HOSTLIFE_POD_SECRETS, 0, HF_HOSTLIFE_R_POD_SECRETS},
};

static enum hf_hostlife_reason hindrance(const struct hf_hostlife_facts *facts)
{
    for (size_t i = 0; i < HF_LEN(hindrances); i++)
        if ((facts->has & hindrances[i].with) == hindrances[i].with && (facts->has & hindrances[i].without) == 0)
            return hindrances[i].reason;
    if ((facts->has & HF_HOSTLIFE_SLOT) == 0 && facts->free_bytes < facts->needed_bytes)
        return HF_HOSTLIFE_R_NO_SPACE;
    return HF_HOSTLIFE_NO_REASON;
}

struct hf_hostlife_plan hf_hostlife_plan(enum hf_hostlife life, const struct hf_hostlife_facts *facts)
{
    const unsigned whole = HF_HOSTLIFE_MARK | HF_HOSTLIFE_UNIT | HF_HOSTLIFE_SLOT;
    bool any = (facts->has & whole) != 0;

    if (life == HF_HOSTLIFE_OFF)
        return (struct hf_hostlife_plan){HF_HOSTLIFE_STAY_POD, HF_HOSTLIFE_NO_REASON};
    if (life == HF_HOSTLIFE_POD)
        return (struct hf_hostlife_plan){any ? HF_HOSTLIFE_REMOVE : HF_HOSTLIFE_STAY_POD, HF_HOSTLIFE_NO_REASON};
    enum hf_hostlife_reason reason = hindrance(facts);
    if (reason != HF_HOSTLIFE_NO_REASON)
        return (struct hf_hostlife_plan){any ? HF_HOSTLIFE_REMOVE : HF_HOSTLIFE_STAY_POD, reason};
    if ((facts->has & whole) != whole)
        return (struct hf_hostlife_plan){HF_HOSTLIFE_INSTALL, HF_HOSTLIFE_NO_REASON};
    const unsigned same = facts->has & (HF_HOSTLIFE_SAME | HF_HOSTLIFE_SYSTEMD);
    return (struct hf_hostlife_plan){same != HF_HOSTLIFE_SYSTEMD ? HF_HOSTLIFE_WATCH : HF_HOSTLIFE_REFRESH,
                                     HF_HOSTLIFE_NO_REASON};
}

const char *hf_hostlife_reason_name(unsigned reason)
{
    static const char *const names[HF_HOSTLIFE_REASON_COUNT] = {[HF_HOSTLIFE_NO_REASON] = "",
#define HF_HOSTLIFE_REASON_ROW(enumerator, name, message) [HF_HOSTLIFE_R_##enumerator] = (name),
                                                                HF_HOSTLIFE_REASONS(HF_HOSTLIFE_REASON_ROW)
#undef HF_HOSTLIFE_REASON_ROW
    };

    return reason < HF_HOSTLIFE_REASON_COUNT ? names[reason] : "";
}

const char *hf_hostlife_reason_message(enum hf_hostlife_reason reason)
{
    static const char *const messages[HF_HOSTLIFE_REASON_COUNT] = {[HF_HOSTLIFE_NO_REASON] = "",
#define HF_HOSTLIFE_REASON_ROW(enumerator, name, message) [HF_HOSTLIFE_R_##enumerator] = (message),
                                                                   HF_HOSTLIFE_REASONS(HF_HOSTLIFE_REASON_ROW)
#undef HF_HOSTLIFE_REASON_ROW
    };

    return messages[reason];
}

bool hf_hostlife_reason_is_on_host(enum hf_hostlife_reason reason)
{
    return reason == HF_HOSTLIFE_R_INSTALLED || reason == HF_HOSTLIFE_R_PERSISTS;
}

const char *hf_hostlife_act_name(enum hf_hostlife_act act)
{
    static const char *const names[] = {[HF_HOSTLIFE_STAY_POD] = "StayPod",
                                        [HF_HOSTLIFE_INSTALL] = "Install",
                                        [HF_HOSTLIFE_REFRESH] = "Refresh",
                                        [HF_HOSTLIFE_WATCH] = "Watch",
                                        [HF_HOSTLIFE_REMOVE] = "Remove"};

    return names[act];
}

int hf_hostlife_parse(const char *text, enum hf_hostlife *ret_life)
{
    static const char *const names[] = {
        [HF_HOSTLIFE_OFF] = "off", [HF_HOSTLIFE_AUTO] = "auto", [HF_HOSTLIFE_HOST] = "host", [HF_HOSTLIFE_POD] = "pod"};

    for (size_t i = 0; i < HF_LEN(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *ret_life = (enum hf_hostlife)i;
            return 0;
        }
    return -EINVAL;
}
