/* SPDX-License-Identifier: Apache-2.0 */
/* Finds fields that a node with this agent.yaml would refuse. */
#pragma once

#include "api/edgeupdate.h"
#include "api/syncpolicy.h"
#include "config/config.h"

struct hf_cli_lint_report {
    void (*refused)(void *arg, const char *path, const char *text);
    void *arg;
};

/* Only nodes have the keys, so any signature counts as valid. */
void hf_cli_lint_update_bounds(const struct hf_config *config, const struct hf_edgeupdate *update,
                               const struct hf_cli_lint_report *report);
void hf_cli_lint_policy_bounds(const struct hf_config *config, const struct hf_syncpolicy *policy,
                               const struct hf_cli_lint_report *report);
