/* SPDX-License-Identifier: Apache-2.0 */
/* systemd units, over D-Bus (org.freedesktop.systemd1). `done` never comes before a function returns, or after
 * cancel(). */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct hf_unit_call;

enum hf_unit_act { HF_UNIT_START, HF_UNIT_STOP, HF_UNIT_ENABLE, HF_UNIT_DISABLE, HF_UNIT_RELOAD_ALL };

struct hf_unit_ops {
    void *ctx;
    /* RestartUnit(unit, "replace"), until JobRemoved. timeout_ns 0: 90 s. `r`: 0; -EIO: the job failed, by *err;
     * -ENOENT: no such unit; -ENOTCONN: no systemd, no bus; -EACCES: polkit; -ETIMEDOUT; others. */
    HF_MUST_USE int (*restart)(void *ctx, const char *unit, uint64_t timeout_ns,
                               void (*done)(void *arg, int r, const struct hf_err *err), void *arg,
                               struct hf_unit_call **ret_call, struct hf_err *err);
    /* ReloadUnit, likewise. -EIO: also not active. -EBADR: nothing to reload. */
    HF_MUST_USE int (*reload)(void *ctx, const char *unit, uint64_t timeout_ns,
                              void (*done)(void *arg, int r, const struct hf_err *err), void *arg,
                              struct hf_unit_call **ret_call, struct hf_err *err);
    /* StartUnit, StopUnit (until JobRemoved), EnableUnitFiles, DisableUnitFiles; HF_UNIT_RELOAD_ALL rereads unit files,
     * `unit` is only for errors. Errors as `restart`. */
    HF_MUST_USE int (*act)(void *ctx, enum hf_unit_act act, const char *unit, uint64_t timeout_ns,
                           void (*done)(void *arg, int r, const struct hf_err *err), void *arg,
                           struct hf_unit_call **ret_call, struct hf_err *err);
    /* ActiveState ("active", "failed", ...), SubState. Errors as `restart`. */
    HF_MUST_USE int (*state)(void *ctx, const char *unit, uint64_t timeout_ns,
                             void (*done)(void *arg, int r, const char *active_state, const char *sub_state,
                                          const struct hf_err *err),
                             void *arg, struct hf_unit_call **ret_call, struct hf_err *err);
    void (*cancel)(void *ctx, struct hf_unit_call *call);
};
