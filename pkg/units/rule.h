/* SPDX-License-Identifier: Apache-2.0 */
/* D-Bus calls that pass to systemd's manager. As root it starts any program, as a transient unit. So only these pass:
 * restart or reload a service, read a unit's state, calls before them; where the agent may install itself, its own
 * unit's life, by exact name. Pure. */
#pragma once

#include <stdbool.h>

#define HF_UNITS_OWN "holdfast-agent.service" /* the host's agent */

enum hf_units_call {
    HF_UNITS_REFUSE,
    HF_UNITS_HELLO,     /* answered by the filter */
    HF_UNITS_MATCH,     /* answered by the filter; JobRemoved goes to the client of the job */
    HF_UNITS_SUBSCRIBE, /* and ResetFailedUnit: answered by the filter, which makes both calls before a restart */
    HF_UNITS_RESTART,   /* and ReloadUnit */
    HF_UNITS_STATE,     /* a unit's Properties.GetAll */
    HF_UNITS_OWN_JOB,   /* StartUnit, StopUnit: HF_UNITS_OWN alone */
    HF_UNITS_OWN_FILES, /* EnableUnitFiles, DisableUnitFiles: HF_UNITS_OWN alone */
    HF_UNITS_RELOAD,    /* unit files */
};

/* NULL: no field. */
enum hf_units_call hf_units_call_of(const char *path, const char *interface, const char *member);

/* A valid service name (systemd.unit(5)) that matches a shell pattern (NULL: any). Never one that stops or suspends the
 * host or opens a shell. */
bool hf_units_restart_allowed(const char *unit, const char *const *patterns);
