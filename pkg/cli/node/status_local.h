/* cli/node/status_local.h - a node's status from the files that its agent keeps for itself: the journals of updates,
 * and the clock file.
 *
 * An agent whose statuses reach a server keeps no copy of them, to save disk writes. Its journals hold the
 * same facts about each update at any time. Reads only: reports a damaged journal, but does not set it aside. Main
 * thread only; blocks. */
#pragma once

#include "cli/cli.h"
#include "codec/json.h"

/* Makes an EdgeNode with status.updates and status.contact.lastTime. -ENOENT: no agent has used this folder. */
HF_MUST_USE int hf_cli_status_local(struct hf_cli *cli, const char *state, json_t **ret_node, struct hf_err *err);
