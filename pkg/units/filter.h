/* SPDX-License-Identifier: Apache-2.0 */
/* A D-Bus filter between an agent in a pod and systemd's manager on the host.
 *
 * Speaks D-Bus (D-Bus Specification, "Authentication Protocol" and "Message Protocol", through sd-bus) on a unix
 * socket, the agent's DBUS_SYSTEM_BUS_ADDRESS. Calls that units/rule.h does not allow get
 * org.freedesktop.DBus.Error.AccessDenied. One thread. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"

struct hf_units_filter_params {
    const char *socket;          /* replaces an earlier one */
    const char *const *patterns; /* see units/rule.h */
    /* After the patterns, by the node's configuration. NULL: all. */
    bool (*allows)(void *arg, const char *unit, struct hf_err *err);
    void *arg;
    bool own_unit; /* also pass on what installs, starts, stops and removes HF_UNITS_OWN (units/rule.h) */
    struct hf_log *log;
};

/* Runs until SIGTERM or SIGINT. Only processes of our uid can connect. -EADDRINUSE: another process listens there. */
HF_MUST_USE int hf_units_filter_run(const struct hf_units_filter_params *params, struct hf_err *err);
