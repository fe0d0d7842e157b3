/* SPDX-License-Identifier: Apache-2.0 */
/* cli/completion_values.h - completes names of the kubeconfig and of the cluster, and phases. */
#pragma once

#include "cli/cli.h"

/* Prints the values, a line each, for the last of n words, which is half typed. Ends the process after two seconds
 * without an answer. */
void hf_cli_completion_values(struct hf_cli *cli, const char *const *words, size_t n);
