/* SPDX-License-Identifier: Apache-2.0 */
/* steps/restart.h - restarts the service of a release with systemd's D-Bus method RestartUnit, or with the
 * command that the release names.
 *
 * Threads: loop thread only. Memory: a restart frees itself before it calls `done`. To end a restart earlier, call
 * hf_restart_free(). */
#pragma once

#include "api/edgeupdate.h"
#include "loop/proc.h"
#include "loop/unit.h"
#include "steps/failure.h"

/* Minimum time limit for the restart of a unit; equal to systemd's default of DefaultTimeoutStartSec. */
#define HF_RESTART_UNIT_TIMEOUT_NS (90 * HF_NS_PER_S)
#define HF_RESTART_EXEC_TIMEOUT_NS (60 * HF_NS_PER_S)

struct hf_restart;

/* Starts a restart. `install` is borrowed for the call and must name a unit or a command. For a unit of Type=notify,
 * the restart ends when the service reports that it is ready. The time limit for a unit is HF_RESTART_UNIT_TIMEOUT_NS
 * or `start_ns`, whichever is longer; the time limit for a command is HF_RESTART_EXEC_TIMEOUT_NS. Calls `done` once,
 * never from within this call. The argument `r` of `done` is 0, or -errno with the reason RestartFailed, UnitNotFound
 * or SystemdUnavailable. */
HF_MUST_USE int hf_restart_start(const struct hf_proc_ops *proc, const struct hf_unit_ops *unit,
                                 const struct hf_install *install, uint64_t start_ns,
                                 void (*done)(void *arg, int r, const struct hf_failure *failure), void *arg,
                                 struct hf_restart **ret_restart, struct hf_failure *failure);
void hf_restart_free(struct hf_restart *restart); /* Cancels the restart without a call of `done`. Ignores NULL. */

/* Translates a negative errno of a function of hf_unit_ops into the reason that the status shows. */
enum hf_reason hf_restart_reason(int r);
