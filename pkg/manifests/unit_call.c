/* Restarts or reloads the unit of an entry. */
#include "manifests/entry.h"
#include "update/install/restart.h"

int unit_call_start(struct entry *entry, const struct hf_manifest_set *set,
                    void (*done)(void *arg, int r, const struct hf_err *err), struct hf_err *err)
{
    const struct hf_unit_ops *ops = entry->engine->p.env.unit;
    const char *unit = hf_json_str(set->entry, "restart.systemdUnit");
    const char *reload = hf_json_str(set->entry, "reload.systemdUnit");
    int r = 1;

    if (unit != NULL)
        r = ops->restart(ops->ctx, unit, HF_RESTART_UNIT_TIMEOUT_NS, done, entry, &entry->unit_call, err);
    else if (reload != NULL)
        r = ops->reload(ops->ctx, reload, HF_RESTART_UNIT_TIMEOUT_NS, done, entry, &entry->unit_call, err);
    entry->busy = r == 0;
    return r;
}
