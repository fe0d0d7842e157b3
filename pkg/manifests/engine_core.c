/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's lower half: the present, and notices by pkg/steer. */
#include "manifests/entry.h"

uint64_t manifest_engine_now(const struct hf_manifest_engine *engine)
{
    return hf_steer_core_now_ns(&engine->core);
}

void manifest_engine_notify(struct hf_manifest_engine *engine)
{
    hf_steer_core_notify(&engine->core);
}

void manifest_engine_wake_dependents(struct hf_manifest_engine *engine)
{
    for (size_t i = 0; i < engine->entries.n; i++) {
        struct entry *entry = engine->entries.entries[i].value;
        if (entry->wanted != NULL && entry->wanted->depends_on[0] != NULL)
            hf_steer_machine_wake(&entry->machine);
    }
}
