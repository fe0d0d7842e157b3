/* SPDX-License-Identifier: Apache-2.0 */
/* Controls systemd units over D-Bus. The event loop calls `done`, but never after cancel(). */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct hf_unit_call;

enum hf_unit_act { HF_UNIT_START, HF_UNIT_STOP, HF_UNIT_ENABLE, HF_UNIT_DISABLE, HF_UNIT_RELOAD_ALL };

struct hf_unit_ops {
    void *ctx;
    /* Calls RestartUnit(unit, "replace") and waits for JobRemoved. timeout_ns 0: 90 s. `r`: 0; -EIO: failed
     * or masked, see *err; -ENOENT: no loadable unit; -ENOTCONN: no systemd, no bus; -EACCES: no right; -ETIMEDOUT;
     * others. */
    HF_MUST_USE int (*restart)(void *ctx, const char *unit, uint64_t timeout_ns,
                               void (*done)(void *arg, int r, const struct hf_err *err), void *arg,
                               struct hf_unit_call **ret_call, struct hf_err *err);
    /* Calls ReloadUnit likewise. -EIO: also if the unit is not active. -EBADR: the unit cannot reload. */
    HF_MUST_USE int (*reload)(void *ctx, const char *unit, uint64_t timeout_ns,
                              void (*done)(void *arg, int r, const struct hf_err *err), void *arg,
                              struct hf_unit_call **ret_call, struct hf_err *err);
    /* Calls StartUnit or StopUnit (and waits for JobRemoved), EnableUnitFiles or DisableUnitFiles. HF_UNIT_RELOAD_ALL
     * rereads all unit files; `unit` is then only for errors. Errors as `restart`. */
    HF_MUST_USE int (*act)(void *ctx, enum hf_unit_act act, const char *unit, uint64_t timeout_ns,
                           void (*done)(void *arg, int r, const struct hf_err *err), void *arg,
                           struct hf_unit_call **ret_call, struct hf_err *err);
    /* Reads ActiveState and SubState. Errors as `restart`. */
    HF_MUST_USE int (*state)(void *ctx, const char *unit, uint64_t timeout_ns,
                             void (*done)(void *arg, int r, const char *active_state, const char *sub_state,
                                          const struct hf_err *err),
                             void *arg, struct hf_unit_call **ret_call, struct hf_err *err);
    void (*cancel)(void *ctx, struct hf_unit_call *call);
};
