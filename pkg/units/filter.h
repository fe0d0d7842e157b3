/* SPDX-License-Identifier: Apache-2.0 */
/* units/filter.h - a D-Bus filter between the agent in a pod and systemd's manager on the host.
 *
 * The filter listens on a unix socket and speaks D-Bus there (the D-Bus Specification, "Authentication Protocol" and
 * "Message Protocol", through sd-bus). If units/rule.h allows a call, the filter either passes the call to the manager
 * or answers the call itself. The filter refuses all other calls with org.freedesktop.DBus.Error.AccessDenied. The
 * agent uses the socket as its system bus (DBUS_SYSTEM_BUS_ADDRESS), so its pod does not need the host's bus. Threads:
 * the filter uses only the thread that calls hf_units_filter_run(). */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"

struct hf_units_filter_params {
    /* path of the unix socket; the filter replaces a socket that an earlier filter left there */
    const char *socket;
    const char *const *patterns; /* services that the agent may restart or reload (units/rule.h) */
    /* Called before each restart or reload, after the check of the patterns. Returns false, with the reason in *err, if
     * the node's configuration does not allow the call. NULL allows every call. */
    bool (*allows)(void *arg, const char *unit, struct hf_err *err);
    void *arg;
    struct hf_log *log;
};

/* Runs until SIGTERM or SIGINT. Only processes with the uid of this process can connect. Returns 0 after a signal, or
 * -errno if the filter cannot listen or its event loop fails. -EADDRINUSE: another process listens on the socket. */
HF_MUST_USE int hf_units_filter_run(const struct hf_units_filter_params *params, struct hf_err *err);
