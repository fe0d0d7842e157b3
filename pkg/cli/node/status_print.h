/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/node/hold_seen.h"
#include "cli/node/status_seen.h"

HF_MUST_USE int hf_cli_print_node(struct hf_cli *cli, const json_t *node, const struct hf_cli_seen *seen,
                                  const struct hf_cli_hold_seen *hold, struct hf_err *err);
