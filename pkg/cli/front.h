/* cli/front.h - the thin program that stands in front: it applies and makes deltas itself, and starts the
 * whole program for all else.
 *
 * A program pays for each library it is linked with before main() begins, with about 3 MiB for those that signing and YAML
 * need. Memory at its peak outlives execve(), so that the program with the libraries cannot hand over to a smaller one: the
 * small one has to be first. It is linked statically with what deltas need and nothing else. */
#pragma once

#include "cli/cli.h"

/* Name of the whole program: beside the thin one, as it is built, or in ../libexec/holdfast, as it is installed. */
#define HF_CLI_WHOLE "holdfast-cli"
#define HF_CLI_WHOLE_FOLDER "../libexec/holdfast"

/* Is this command line the thin program's own? What asks for help is not: help needs the table. */
bool hf_cli_front_takes(int argc, char **argv);

/* The whole of main(): returns the exit code, or not at all (the whole program takes the place of this one). `self` is the path of the
 * running program, links resolved; NULL: nobody knows. */
int hf_cli_front_main(struct hf_cli *cli, const char *self, int argc, char **argv);
