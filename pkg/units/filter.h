/* SPDX-License-Identifier: Apache-2.0 */
/* A D-Bus filter between a pod's agent and the host's systemd.
 *
 * Serves D-Bus, by sd-bus, on a unix socket, the agent's DBUS_SYSTEM_BUS_ADDRESS. Calls that units/rule.h does not
 * allow get org.freedesktop.DBus.Error.AccessDenied. One thread. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"

struct hf_units_filter_params {
    const char *socket;          /* path; replaces an earlier socket */
    const char *const *patterns; /* as in hf_units_restart_allowed() */
    /* Called after the patterns: whether the node's configuration allows the unit. NULL: all. */
    bool (*allows)(void *arg, const char *unit, struct hf_err *err);
    void *arg;
    bool own_unit; /* also pass what installs, starts, stops and removes HF_UNITS_OWN */
    struct hf_log *log;
};

/* Runs until SIGTERM or SIGINT. Only processes of our uid can connect. -EADDRINUSE: another process listens there. */
HF_MUST_USE int hf_units_filter_run(const struct hf_units_filter_params *params, struct hf_err *err);
