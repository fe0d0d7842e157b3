/* SPDX-License-Identifier: Apache-2.0 */
/* cli/front.h - the thin program `holdfast`: applies and creates plain deltas itself, and starts the whole program for
 * other deltas and all other commands.
 *
 * Each linked library takes memory before main() begins; the libraries for signing and YAML take about 3 MiB. The
 * kernel keeps the peak memory of a process across execve(), so a large program that starts a small one saves nothing.
 * Therefore the small program starts first. The thin program is linked statically, and only with the code that deltas
 * need. */
#pragma once

#include "cli/cli.h"

/* File name of the whole program. In the build folder, the whole program is in the folder of the thin program. In an
 * installation, the whole program is in ../libexec/holdfast, relative to the folder of the thin program. */
#define HF_CLI_WHOLE "holdfast-cli"
#define HF_CLI_WHOLE_FOLDER "../libexec/holdfast"

/* Returns true if the thin program runs this command line itself. (It may still start the whole program after it has
 * looked at the files.) Returns false for --help, because only the whole program has the table of commands. */
bool hf_cli_front_takes(int argc, char **argv);

/* Does all of main()'s work. Returns the exit code. Does not return if the whole program replaces the thin program.
 * `self` is the path of the running program with links resolved (NULL means unknown). */
int hf_cli_front_main(struct hf_cli *cli, const char *self, int argc, char **argv);
