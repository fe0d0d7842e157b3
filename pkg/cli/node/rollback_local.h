/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/cli.h"

#define HF_CLI_LOCAL_TIMEOUT "30s"

/* clang-format off */
#define HF_CLI_LOCAL_OPTIONS                                                                                           \
    HF_CLI_OPTION("local", NULL, "on a node: take the release NAME back to the version before, without a network"),    \
    HF_CLI_OPTION("reason", "TEXT", "with --local: why; the EdgeNode and its Event show it"),                          \
    HF_CLI_OPTION("undo", NULL, "with --local: end the order; the node installs what is wanted of it again"),          \
    HF_CLI_OPTION("timeout", "DURATION", "with --local: wait this long for the agent (" HF_CLI_LOCAL_TIMEOUT ")"),     \
    HF_CLI_OPTION("state-dir", "DIR", "with --local: the agent's state folder (" HF_CLI_DEFAULT_STATE_DIR ")")
/* clang-format on */

int hf_cli_rollback_local(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err);
