/* SPDX-License-Identifier: Apache-2.0 */
/* `holdfast status` for the whole fleet. */
#pragma once

#include "cli/cli.h"

/* A table of all EdgeUpdates and the nodes that failed; in detail, the EdgeUpdate or release that is named. Returns 0,
 * -errno, or HF_EXIT_UNWELL: a rollout needs a person. */
HF_MUST_USE int hf_fleet_status(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err);
