/* SPDX-License-Identifier: Apache-2.0 */
/* cli/fleet/fleet_status.h - `holdfast status` for the whole fleet, from the EdgeUpdates of the cluster.
 *
 * Main thread only; blocks. */
#pragma once

#include "cli/cli.h"

/* Prints a table of all EdgeUpdates, and then the nodes that failed. If the command line names an EdgeUpdate, prints
 * only this one, in detail; if it names a release, prints only the EdgeUpdates of this release, in detail. Returns 0,
 * HF_EXIT_UNWELL if a rollout needs a person, or -errno. */
HF_MUST_USE int hf_fleet_status(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err);
