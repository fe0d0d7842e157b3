/* SPDX-License-Identifier: Apache-2.0 */
/* loop/unit.h - systemd units, as a table of functions.
 *
 * Threads: loop thread only. The functions of the table never call `done` before they return, and `done` never comes
 * after cancel(). */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct hf_unit_call;

/* Talks to systemd's manager over D-Bus (org.freedesktop.systemd1), and never runs systemctl. */
struct hf_unit_ops {
    void *ctx;
    /* Calls RestartUnit(unit, "replace") and waits for the job's signal JobRemoved. `r` of `done` is 0 (the job's
     * result was "done"), -EIO (the job failed; *err has the result), -ENOENT (no such unit), -ENOTCONN (this host has
     * no systemd, or the bus is unreachable), -EACCES (polkit refused), -ETIMEDOUT or another -errno, such as -ENOMEM.
     * A timeout_ns of 0 means 90 s. */
    HF_MUST_USE int (*restart)(void *ctx, const char *unit, uint64_t timeout_ns,
                               void (*done)(void *arg, int r, const struct hf_err *err), void *arg,
                               struct hf_unit_call **ret_call, struct hf_err *err);
    /* Calls ReloadUnit(unit, "replace"), and otherwise does what `restart` does. -EIO also means that the unit is not
     * active. -EBADR: the unit has nothing to reload. */
    HF_MUST_USE int (*reload)(void *ctx, const char *unit, uint64_t timeout_ns,
                              void (*done)(void *arg, int r, const struct hf_err *err), void *arg,
                              struct hf_unit_call **ret_call, struct hf_err *err);
    /* Reads ActiveState ("active", "activating", "failed", ...) and SubState. The argument `r` of `done` is 0 or one of
     * the errors of `restart`. */
    HF_MUST_USE int (*state)(void *ctx, const char *unit, uint64_t timeout_ns,
                             void (*done)(void *arg, int r, const char *active_state, const char *sub_state,
                                          const struct hf_err *err),
                             void *arg, struct hf_unit_call **ret_call, struct hf_err *err);
    void (*cancel)(void *ctx, struct hf_unit_call *call);
};
