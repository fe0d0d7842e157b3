/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/targets/target.h"

#include <string.h>

#include "manifests/entry.h"

const struct target_ops *target_of(const struct entry *entry, const struct hf_manifest_set *set)
{
    const char *to = json_string_value(json_object_get(set->entry, "to"));

    for (unsigned i = 0; to != NULL && i < HF_MANIFEST_TARGETS; i++)
        if (strcmp(to, hf_manifest_target_names[i]) == 0)
            return entry->engine->targets[i];
    return entry->engine->targets[HF_MANIFEST_TO_FILES];
}

bool target_never(HF_UNUSED struct entry *entry)
{
    return false;
}

bool target_is_never(HF_UNUSED const struct entry *entry)
{
    return false;
}
