/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/cli.h"
#include "codec/json.h"

/* An EdgeNode with status.updates and status.contact, by the agent's journals and clock file: an agent with a server
 * keeps no other copy on disk. Changes no file. -ENOENT: no agent used this folder. */
HF_MUST_USE int hf_cli_status_local(struct hf_cli *cli, const char *state, json_t **ret_node, struct hf_err *err);
