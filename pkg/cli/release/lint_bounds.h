/* SPDX-License-Identifier: Apache-2.0 */
/* cli/release/lint_bounds.h - finds the fields of an object that a node with a given configuration (agent.yaml) would
 * refuse. Pure, except that the caller's function may print. Main thread only. */
#pragma once

#include "api/edgeupdate.h"
#include "api/syncpolicy.h"
#include "config/config.h"

/* Receives one refusal: the path in the object, such as "spec.release.install.path", and the text. */
struct hf_cli_lint_report {
    void (*refused)(void *arg, const char *path, const char *text);
    void *arg;
};

/* Both functions call refused() for each field that the node would refuse. Only a node has the keys to verify
 * signatures, so here every policy or entry with signatures counts as validly signed. */
void hf_cli_lint_update_bounds(const struct hf_config *config, const struct hf_edgeupdate *update,
                               const struct hf_cli_lint_report *report);
void hf_cli_lint_policy_bounds(const struct hf_config *config, const struct hf_syncpolicy *policy,
                               const struct hf_cli_lint_report *report);
