/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/cli.h"

/* `holdfast status` of the fleet: a table of EdgeUpdates and failed nodes; in detail a named EdgeUpdate or release.
 * Returns 0, -errno, or HF_EXIT_UNWELL: a rollout needs a person. */
HF_MUST_USE int hf_fleet_status(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err);
