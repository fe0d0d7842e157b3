/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/cli.h"

/* Prints what completes the last of `n` words, one a line. Ends the process if the cluster does not answer in two
 * seconds. */
void hf_cli_completion_values(struct hf_cli *cli, const char *const *words, size_t n);
