/* SPDX-License-Identifier: Apache-2.0 */
/* A D-Bus filter between a pod's agent and the host's systemd.
 *
 * Serves D-Bus on a unix socket, which is the agent's DBUS_SYSTEM_BUS_ADDRESS. Calls that units/rule.h does not allow
 * get org.freedesktop.DBus.Error.AccessDenied. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"

struct hf_units_filter_params {
    const char *socket;          /* path; replaces an earlier socket */
    const char *const *patterns; /* as in hf_units_restart_allowed() */
    /* Whether the node's configuration allows a unit that a pattern allows. NULL: yes. */
    bool (*allows)(void *arg, const char *unit, struct hf_err *err);
    void *arg;
    bool own_unit; /* also pass the calls that install, start, stop and remove HF_UNITS_OWN */
    struct hf_log *log;
};

/* Runs until SIGTERM or SIGINT. Only processes of our uid can connect. -EADDRINUSE: another process listens there. */
HF_MUST_USE int hf_units_filter_run(const struct hf_units_filter_params *params, struct hf_err *err);
