/* SPDX-License-Identifier: Apache-2.0 */
#include "update/kept/choice.h"

/* `more`: it would be kept anew. */
static bool has_room(const struct hf_kept_facts *facts, bool more)
{
    return facts->room == HF_KEPT_ROOM || (!more && facts->room != HF_KEPT_CRITICAL);
}

enum hf_kept_bar hf_kept_previous_bar(const struct hf_kept_facts *facts)
{
    if (!facts->policy.previous)
        return HF_KEPT_BAR_POLICY;
    if (facts->previous_size > facts->policy.max_bytes)
        return HF_KEPT_BAR_SIZE;
    return has_room(facts, facts->just_committed) ? HF_KEPT_BAR_NOTHING : HF_KEPT_BAR_DISK;
}

struct hf_kept_choice hf_kept_choose(const struct hf_kept_facts *facts)
{
    const struct hf_kept_policy *policy = &facts->policy;
    uint64_t left = policy->max_bytes;
    struct hf_kept_choice choice = {.copy = false};

    choice.previous = facts->previous_size > 0 && hf_kept_previous_bar(facts) == HF_KEPT_BAR_NOTHING;
    if (choice.previous)
        left -= facts->previous_size;
    choice.copy = policy->current && facts->size <= left && has_room(facts, !facts->has_copy);
    return choice;
}

enum hf_kept_source hf_kept_source_choose(const bool there[HF_KEPT_SOURCES])
{
    for (unsigned source = HF_KEPT_NOWHERE + 1; source < HF_KEPT_SOURCES; source++)
        if (there[source])
            return (enum hf_kept_source)source;
    return HF_KEPT_NOWHERE;
}

bool hf_kept_source_needs_space(enum hf_kept_source source, bool tree)
{
    return source != HF_KEPT_IN_PLACE && (tree || (source != HF_KEPT_LINK && source != HF_KEPT_CLONE));
}
