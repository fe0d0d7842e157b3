/* cli/node/status_print.h - a node's status for a person: a line on the node, then what it installs, where its telemetry goes, and what is
 * wrong. */
#pragma once

#include "cli/node/status_seen.h"
#include "sync/hold.h"

HF_MUST_USE int hf_cli_print_node(struct hf_cli *cli, const json_t *node, const struct hf_cli_seen *seen,
                                  const struct hf_hold *hold, struct hf_err *err);
