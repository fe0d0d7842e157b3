/* update/install/restart.h - make the service run what is installed now: RestartUnit over D-Bus, or the release's own command.
 * Loop thread only. */
#pragma once

#include "api/edgeupdate.h"
#include "loop/proc.h"
#include "loop/unit.h"
#include "update/rules/failure.h"

#define HF_RESTART_UNIT_TIMEOUT_NS (90 * HF_NS_PER_S) /* systemd's own DefaultTimeoutStartSec */
#define HF_RESTART_EXEC_TIMEOUT_NS (60 * HF_NS_PER_S)

struct hf_restart;

/* Something to restart must be named in `install`, which is borrowed for the call. `done` is called once, not inside this call:
 * r 0, or why not (RestartFailed, UnitNotFound, SystemdUnavailable); the restart is freed after it. */
HF_MUST_USE int hf_restart_start(const struct hf_proc_ops *proc, const struct hf_unit_ops *unit,
                                 const struct hf_install *install,
                                 void (*done)(void *arg, int r, const struct hf_failure *failure), void *arg,
                                 struct hf_restart **ret_restart, struct hf_failure *failure);
void hf_restart_free(struct hf_restart *restart); /* cancels; `done` is not called. NULL is fine */

/* What a unit call's error is called. */
enum hf_reason hf_restart_reason(int r);
