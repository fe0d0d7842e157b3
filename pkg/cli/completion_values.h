/* SPDX-License-Identifier: Apache-2.0 */
/* cli/completion_values.h - what may stand at the end of a command line and is no word of the table of commands: names
 * of the kubeconfig and of the cluster, and phases. */
#pragma once

#include "cli/cli.h"

/* Prints the values, a line each, that may replace the last one of the n words after the program's name; the last word
 * is what the user has typed of it. Prints nothing where it knows none, and ends the process after two seconds without
 * an answer of the cluster: somebody has pressed TAB. */
void hf_cli_completion_values(struct hf_cli *cli, const char *const *words, size_t n);
