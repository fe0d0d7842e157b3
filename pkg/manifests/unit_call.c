/* SPDX-License-Identifier: Apache-2.0 */
/* Restarts or reloads the unit of an entry. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manifests/content/permit.h"
#include "manifests/entry.h"
#include "manifests/unit_call.h"
#include "steps/restart.h"

/* systemd refuses to reload a unit that is not active, such as one that failed because its files were missing. As
 * `systemctl reload-or-restart` does, start it then. */
static void state_read(void *arg, int r, const char *active_state, HF_UNUSED const char *sub_state,
                       const struct hf_err *err)
{
    struct entry *entry = arg;
    const struct hf_unit_ops *ops = entry->engine->p.env.unit;
    _cleanup_(hf_freep) char *unit = hf_steal(entry->unit.to_reload);
    struct hf_err failure = HF_ERR_INIT;

    entry->unit.call = NULL;
    if (r == 0) {
        bool active = strcmp(active_state, "active") == 0 || strcmp(active_state, "reloading") == 0;
        err = &failure;
        r = (active ? ops->reload : ops->restart)(ops->ctx, unit, HF_RESTART_UNIT_TIMEOUT_NS, entry->unit.done, entry,
                                                  &entry->unit.call, &failure);
        if (r == 0)
            return;
    }
    /* -ETIMEDOUT would say that a restart goes on. */
    entry->unit.done(entry, r == -ETIMEDOUT ? -EAGAIN : r, err);
}

static int start_reload(struct entry *entry, const char *unit, void (*done)(void *arg, int r, const struct hf_err *err),
                        struct hf_err *err)
{
    const struct hf_unit_ops *ops = entry->engine->p.env.unit;

    entry->unit.done = done;
    entry->unit.to_reload = strdup(unit);
    if (entry->unit.to_reload == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = ops->state(ops->ctx, unit, HF_RESTART_UNIT_TIMEOUT_NS, state_read, entry, &entry->unit.call, err);
    if (r < 0)
        free(hf_steal(entry->unit.to_reload));
    return r;
}

const char *unit_call_unit(const struct hf_manifest_set *set)
{
    return hf_json_str_or(set->entry, "restart.systemdUnit", hf_json_str_or(set->entry, "reload.systemdUnit", ""));
}

int unit_call_start(struct entry *entry, const struct hf_manifest_set *set,
                    void (*done)(void *arg, int r, const struct hf_err *err), struct hf_err *err)
{
    const struct hf_unit_ops *ops = entry->engine->p.env.unit;
    const char *unit = unit_call_unit(set);
    bool restarts = hf_json_str(set->entry, "restart.systemdUnit") != NULL;
    int r;

    if (unit[0] == '\0')
        return 1;
    if (!hf_config_allows_manifest_unit(entry->engine->p.env.config, permit_scope(set->signed_), unit, err))
        return -EACCES;
    if (restarts)
        r = ops->restart(ops->ctx, unit, HF_RESTART_UNIT_TIMEOUT_NS, done, entry, &entry->unit.call, err);
    else
        r = start_reload(entry, unit, done, err);
    entry->busy = r == 0;
    return r;
}
