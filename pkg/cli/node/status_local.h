/* SPDX-License-Identifier: Apache-2.0 */
/* cli/node/status_local.h - reads a node's status from the journals of updates and the clock file in the state folder
 * of the agent.
 *
 * An agent that sends its status to a server keeps no copy of the status, to save disk writes. The journals hold the
 * state of each update at any time. This code changes no file. It reports a damaged journal, but does not rename the
 * journal as the agent would. Main thread only; blocks. */
#pragma once

#include "cli/cli.h"
#include "codec/json.h"

/* Makes an EdgeNode with status.updates and status.contact.lastTime from the state folder `state`. If the function
 * cannot read the clock file, status.contact.state is "Unknown" instead. -ENOENT: no agent has used this folder yet. */
HF_MUST_USE int hf_cli_status_local(struct hf_cli *cli, const char *state, json_t **ret_node, struct hf_err *err);
