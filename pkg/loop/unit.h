/* loop/unit.h - systemd units, as a table of functions.
 *
 * Threads: loop thread only. A callback never runs inside the call that asked for it; nothing is called after
 * cancel(). */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct hf_unit_call;

/* Talks to systemd's manager over D-Bus (org.freedesktop.systemd1), and never runs systemctl. */
struct hf_unit_ops {
    void *ctx;
    /* Calls RestartUnit(unit, "replace") and waits for its JobRemoved. r: 0 result "done"; -EIO the job failed (text
     * in err); -ENOENT no such unit; -ENOTCONN no systemd on this host, or no bus in reach; -EACCES polkit refused;
     * -ETIMEDOUT. */
    HF_MUST_USE int (*restart)(void *ctx, const char *unit, uint64_t timeout_ns,
                               void (*done)(void *arg, int r, const struct hf_err *err), void *arg,
                               struct hf_unit_call **ret_call, struct hf_err *err);
    /* Reads ActiveState ("active", "activating", "failed", ...) and SubState. r has the values of `restart`. */
    HF_MUST_USE int (*state)(void *ctx, const char *unit, uint64_t timeout_ns,
                             void (*done)(void *arg, int r, const char *active_state, const char *sub_state,
                                          const struct hf_err *err),
                             void *arg, struct hf_unit_call **ret_call, struct hf_err *err);
    void (*cancel)(void *ctx, struct hf_unit_call *call);
};
