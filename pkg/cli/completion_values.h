/* SPDX-License-Identifier: Apache-2.0 */
/* Completes names of the kubeconfig, the cluster and this node, and phases. */
#pragma once

#include "cli/cli.h"

/* Prints, a line each, the values that can complete the last of n words. Ends the process after two seconds without an
 * answer. */
void hf_cli_completion_values(struct hf_cli *cli, const char *const *words, size_t n);
