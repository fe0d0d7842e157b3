/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/cli.h"
#include "codec/json.h"

/* Makes an EdgeNode with status.updates and status.contact from the agent's journals and clock file. -ENOENT: no agent
 * has used this folder. */
HF_MUST_USE int hf_cli_status_local(struct hf_cli *cli, const char *state, json_t **ret_node, struct hf_err *err);
