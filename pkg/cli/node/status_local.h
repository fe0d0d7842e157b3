/* cli/node/status_local.h - how a node stands, from what its agent keeps for itself: the updates' journals and the clock file.
 *
 * An agent whose statuses arrive at a server keeps no copy of them (that would be a disk write for each); its journals say the same
 * of every update, and are there at any time. Nothing is changed by looking: a damaged journal is named, not set aside. */
#pragma once

#include "cli/cli.h"
#include "codec/json.h"

/* An EdgeNode with what is known: status.updates, status.contact.lastTime. -ENOENT: no agent ever worked with this folder. */
HF_MUST_USE int hf_cli_status_local(struct hf_cli *cli, const char *state, json_t **ret_node, struct hf_err *err);
