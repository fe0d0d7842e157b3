/* SPDX-License-Identifier: Apache-2.0 */
/* A D-Bus filter between a pod's agent and the host's systemd.
 *
 * D-Bus (D-Bus Specification, "Authentication Protocol" and "Message Protocol", by sd-bus) on a unix socket, the
 * agent's DBUS_SYSTEM_BUS_ADDRESS. Calls beyond units/rule.h get org.freedesktop.DBus.Error.AccessDenied. One
 * thread. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"

struct hf_units_filter_params {
    const char *socket;          /* replaces an earlier one */
    const char *const *patterns; /* units/rule.h */
    /* After the patterns, by the node's configuration. NULL: all. */
    bool (*allows)(void *arg, const char *unit, struct hf_err *err);
    void *arg;
    bool own_unit; /* also what installs, starts, stops and removes HF_UNITS_OWN */
    struct hf_log *log;
};

/* Runs until SIGTERM or SIGINT. Only processes of our uid can connect. -EADDRINUSE: another process listens there. */
HF_MUST_USE int hf_units_filter_run(const struct hf_units_filter_params *params, struct hf_err *err);
