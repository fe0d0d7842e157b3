/* SPDX-License-Identifier: Apache-2.0 */
/* Decides which D-Bus calls pass to systemd's manager. As root it can start a transient unit, and so any program. So
 * only these pass: restart or reload a service, read a unit's state, and calls before them; where the agent may install
 * itself on the host, also the life of its own unit, by its exact name. Pure. */
#pragma once

#include <stdbool.h>

#define HF_UNITS_OWN "holdfast-agent.service" /* the agent's unit on the host */

enum hf_units_call {
    HF_UNITS_REFUSE,
    HF_UNITS_HELLO,     /* the filter answers */
    HF_UNITS_MATCH,     /* the filter answers; JobRemoved goes to all clients */
    HF_UNITS_SUBSCRIBE, /* the filter answers, and does it itself before it passes on a job */
    HF_UNITS_RESTART,   /* also ReloadUnit */
    HF_UNITS_STATE,     /* Properties.GetAll of a unit */
    HF_UNITS_OWN_JOB,   /* StartUnit, StopUnit: of HF_UNITS_OWN alone */
    HF_UNITS_OWN_FILES, /* EnableUnitFiles, DisableUnitFiles: of HF_UNITS_OWN alone */
    HF_UNITS_RELOAD,    /* the manager reads unit files again */
};

/* NULL: no such field. */
enum hf_units_call hf_units_call_of(const char *path, const char *interface, const char *member);

/* A valid service name (systemd.unit(5)) that matches a shell pattern (NULL: any). Never one that stops or suspends the
 * host or opens a shell. */
bool hf_units_restart_allowed(const char *unit, const char *const *patterns);
