/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/targets/target.h"

#include "manifests/entry.h"

const struct target_ops *target_of(const struct entry *entry, const struct hf_manifest_set *set)
{
    for (unsigned to = 0; to < HF_MANIFEST_TARGETS; to++)
        if (hf_manifest_set_is_to(set, (enum hf_manifest_target)to))
            return entry->engine->targets[to];
    return entry->engine->targets[HF_MANIFEST_TO_FILES];
}

bool target_never(struct entry *entry)
{
    (void)entry;
    return false;
}

bool target_is_never(const struct entry *entry)
{
    (void)entry;
    return false;
}
