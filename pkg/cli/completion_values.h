/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/cli.h"

/* Prints, a line each, names (of kubeconfig, cluster, this node) and phases that complete the last of n words. Ends the
 * process after two seconds without the cluster's answer. */
void hf_cli_completion_values(struct hf_cli *cli, const char *const *words, size_t n);
