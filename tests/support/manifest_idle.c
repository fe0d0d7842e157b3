/* SPDX-License-Identifier: Apache-2.0 */
#include "support/manifest_idle.h"

#include "manifests/content/content.h"
#include "manifests/engine_impl.h"
#include "manifests/entry.h"
#include "manifests/rules/machine.h"

bool manifest_is_idle(const struct hf_manifest_engine *engine)
{
    for (size_t i = 0; i < engine->entries.n; i++) {
        const struct entry *entry = engine->entries.entries[i].value;
        if (entry->busy || entry->life == ENTRY_NEW || content_waits(&entry->content) || entry->machine.unsaved ||
            !hf_manifest_machine_rests(entry->r.phase))
            return false;
    }
    return !hf_steer_core_is_woken(&engine->core);
}
