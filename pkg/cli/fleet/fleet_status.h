/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/cli.h"

/* Runs `holdfast status` for the fleet. Returns 0, -errno, or HF_EXIT_UNWELL if a rollout needs a person. */
HF_MUST_USE int hf_fleet_status(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err);
