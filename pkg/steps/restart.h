/* SPDX-License-Identifier: Apache-2.0 */
/* Restarts a release's service: systemd's RestartUnit, or a command. */
#pragma once

#include "api/edgeupdate.h"
#include "loop/proc.h"
#include "loop/unit.h"
#include "steps/failure.h"

/* shortest time limit of a unit: systemd's DefaultTimeoutStartSec */
#define HF_RESTART_UNIT_TIMEOUT_NS (90 * HF_NS_PER_S)
#define HF_RESTART_EXEC_TIMEOUT_NS (60 * HF_NS_PER_S)

struct hf_restart;

/* Restarts the unit or runs the command in `install`, which is borrowed for the call. Waits until a unit of Type=notify
 * is ready. A unit's time limit is the longer of HF_RESTART_UNIT_TIMEOUT_NS and `start_ns`. `done`: 0, or -errno and
 * RestartFailed, UnitNotFound or SystemdUnavailable. */
HF_MUST_USE int hf_restart_start(const struct hf_proc_ops *proc, const struct hf_unit_ops *unit,
                                 const struct hf_install *install, uint64_t start_ns,
                                 void (*done)(void *arg, int r, const struct hf_failure *failure), void *arg,
                                 struct hf_restart **ret_restart, struct hf_failure *failure);
void hf_restart_free(struct hf_restart *restart); /* without `done` */
