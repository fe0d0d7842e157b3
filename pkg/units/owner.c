/* SPDX-License-Identifier: Apache-2.0 */
#include "units/owner.h"

#include <errno.h>

#include "config/config.h"

/* Reads the file. Returns false if it is unusable; the log says why. */
static bool read_again(struct hf_units_owner *owner)
{
    struct hf_config *config = NULL;
    struct hf_err err = HF_ERR_INIT;

    if (hf_config_load(owner->fs, owner->path, owner->must_exist, &config, &err) < 0) {
        hf_log(owner->log, HF_LOG_WARNING, "units.config", HF_S("message", HF_ERR_TEXT(&err)));
        return false;
    }
    if (hf_config_n_faults(config) > 0)
        hf_log(owner->log, HF_LOG_WARNING, "units.config", HF_S("message", hf_config_fault(config, 0)));
    if (!hf_config_is_usable(config)) {
        hf_config_free(config);
        return false;
    }
    hf_config_free(owner->usable);
    owner->usable = config;
    return true;
}

void hf_units_owner_begin(struct hf_units_owner *owner)
{
    (void)read_again(owner);
}

void hf_units_owner_done(struct hf_units_owner *owner)
{
    hf_config_free(owner->usable);
    owner->usable = NULL;
}

bool hf_units_owner_allows(struct hf_units_owner *owner, const char *unit, struct hf_err *err)
{
    (void)read_again(owner);
    if (owner->usable != NULL)
        return hf_config_allows_unit(owner->usable, unit, err);
    (void)hf_err_set(err, EACCES, "'%.120s' is not allowed while %.200s is unusable: mend the file", unit, owner->path);
    return false;
}
