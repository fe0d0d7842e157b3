/* SPDX-License-Identifier: Apache-2.0 */
/* units/rule.h - decides which D-Bus calls of the agent pass to systemd's manager.
 *
 * A client that may call systemd's manager as root can start a transient unit, and so run any program on the host. The
 * agent needs three calls: restart a service, reload it, and read the state of a unit. The rule lets these three calls
 * pass. It also accepts the calls that a client needs before them (Hello, AddMatch, RemoveMatch and Manager.Subscribe);
 * the filter answers those calls itself. The rule refuses every other call. Pure. Threads: any. */
#pragma once

#include <stdbool.h>

enum hf_units_call {
    HF_UNITS_REFUSE,
    HF_UNITS_HELLO, /* org.freedesktop.DBus.Hello: the filter itself answers */
    /* AddMatch and RemoveMatch: the filter itself answers, and does nothing else; it sends the signal JobRemoved to
     * every client, whether or not the client has asked for this signal */
    HF_UNITS_MATCH,
    HF_UNITS_SUBSCRIBE, /* Manager.Subscribe: the filter itself answers */
    HF_UNITS_RESTART,   /* Manager.RestartUnit and Manager.ReloadUnit */
    HF_UNITS_STATE,     /* Properties.GetAll of a unit */
};

/* Returns the kind of a method call. NULL stands for a header field that the message does not have. */
enum hf_units_call hf_units_call_of(const char *path, const char *interface, const char *member);

/* Returns true if the agent may restart or reload this unit. The unit must be a service with a valid name
 * (systemd.unit(5)) that matches one of the shell patterns. Services of systemd that stop or suspend the host or open
 * a shell are not allowed. NULL ends the array `patterns`; if `patterns` itself is NULL, no pattern has to match. */
bool hf_units_restart_allowed(const char *unit, const char *const *patterns);
