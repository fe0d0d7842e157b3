/* SPDX-License-Identifier: Apache-2.0 */
/* support/bus.h - a D-Bus daemon of the test's own, with a double of systemd's manager (programs/unit-manager.c). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* A child that prints a line when it is ready, and ends with its input. */
struct helper {
    pid_t pid;
    int input;
    char line[256];
};

extern struct helper bus, manager;
extern char bus_folder[64];

/* Starts the program argv[0] and waits for its first line. */
void helper_start(struct helper *helper, const char *const *argv);
void helper_stop(struct helper *helper);

/* Makes the folder for the bus's configuration and socket; removes the folder with all files in it. */
void bus_folder_make(void);
void bus_folder_remove(void);

/* Starts the bus and sets DBUS_SYSTEM_BUS_ADDRESS. `activates`: the bus tries in vain to start systemd, as on a host where systemd
 * is installed but does not run. */
void bus_start(bool activates);
void manager_start(void);
