/* SPDX-License-Identifier: Apache-2.0 */
/* The D-Bus calls that the agent may make: restart or reload a service, read a unit's state, and the calls that come
 * before; where it may install itself, also calls for its own unit, by exact name, and Reload. Other calls could start
 * any program as root. Pure. */
#pragma once

#include <stdbool.h>

#define HF_UNITS_OWN "holdfast-agent.service"

enum hf_units_call {
    HF_UNITS_REFUSE,
    HF_UNITS_HELLO, /* answered by the filter */
    HF_UNITS_MATCH, /* AddMatch, RemoveMatch: answered by the filter */
    /* Subscribe, ResetFailedUnit: answered by the filter, which makes both calls before a restart */
    HF_UNITS_SUBSCRIBE,
    HF_UNITS_RESTART,   /* RestartUnit, ReloadUnit */
    HF_UNITS_STATE,     /* a unit's Properties.GetAll */
    HF_UNITS_OWN_JOB,   /* StartUnit, StopUnit: only for HF_UNITS_OWN */
    HF_UNITS_OWN_FILES, /* EnableUnitFiles, DisableUnitFiles: only for HF_UNITS_OWN */
    HF_UNITS_RELOAD,    /* rereads unit files */
};

/* NULL: the message lacks that field; returns HF_UNITS_REFUSE. */
enum hf_units_call hf_units_call_of(const char *path, const char *interface, const char *member);

/* Whether `unit` is a valid service name (systemd.unit(5)) that matches one of the shell patterns (NULL: any). Never
 * true for systemd's services that stop or suspend the host or open a shell. */
bool hf_units_restart_allowed(const char *unit, const char *const *patterns);
