/* SPDX-License-Identifier: Apache-2.0 */
/* Restarts the service of a release, by systemd's D-Bus method RestartUnit or the release's command. */
#pragma once

#include "api/edgeupdate.h"
#include "loop/proc.h"
#include "loop/unit.h"
#include "steps/failure.h"

/* Minimum limit for a unit; systemd's default of DefaultTimeoutStartSec. */
#define HF_RESTART_UNIT_TIMEOUT_NS (90 * HF_NS_PER_S)
#define HF_RESTART_EXEC_TIMEOUT_NS (60 * HF_NS_PER_S)

struct hf_restart;

/* `install` is borrowed for the call, and names a unit or a command. A unit of Type=notify is restarted when it reports
 * that it is ready. Limit for a unit: the longer of HF_RESTART_UNIT_TIMEOUT_NS and `start_ns`; for a command:
 * HF_RESTART_EXEC_TIMEOUT_NS. `done` gets 0, or -errno and RestartFailed, UnitNotFound or SystemdUnavailable. */
HF_MUST_USE int hf_restart_start(const struct hf_proc_ops *proc, const struct hf_unit_ops *unit,
                                 const struct hf_install *install, uint64_t start_ns,
                                 void (*done)(void *arg, int r, const struct hf_failure *failure), void *arg,
                                 struct hf_restart **ret_restart, struct hf_failure *failure);
void hf_restart_free(struct hf_restart *restart); /* without `done` */
