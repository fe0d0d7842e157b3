/* SPDX-License-Identifier: Apache-2.0 */
/* The D-Bus calls that may pass to systemd's manager: restart or reload a service, read a unit's state, and the calls
 * before them; where the agent may install itself, also those for its own unit, by exact name. Others could start any
 * program as root. Pure. */
#pragma once

#include <stdbool.h>

#define HF_UNITS_OWN "holdfast-agent.service" /* the host's agent */

enum hf_units_call {
    HF_UNITS_REFUSE,
    HF_UNITS_HELLO, /* answered by the filter */
    HF_UNITS_MATCH, /* answered by the filter; JobRemoved goes to the client of the job */
    /* Subscribe, ResetFailedUnit: answered by the filter, which makes both calls before a restart */
    HF_UNITS_SUBSCRIBE,
    HF_UNITS_RESTART,   /* RestartUnit, ReloadUnit */
    HF_UNITS_STATE,     /* a unit's Properties.GetAll */
    HF_UNITS_OWN_JOB,   /* StartUnit, StopUnit: only for HF_UNITS_OWN */
    HF_UNITS_OWN_FILES, /* EnableUnitFiles, DisableUnitFiles: only for HF_UNITS_OWN */
    HF_UNITS_RELOAD,    /* rereads unit files */
};

/* NULL: the call lacks that field. */
enum hf_units_call hf_units_call_of(const char *path, const char *interface, const char *member);

/* Whether `unit` is a valid service name (systemd.unit(5)) that matches a shell pattern (NULL: any). Never true for a
 * service that stops or suspends the host or opens a shell. */
bool hf_units_restart_allowed(const char *unit, const char *const *patterns);
