/* cli/front.h - the thin program `holdfast`: it applies and creates deltas itself and starts the whole program for
 * everything else.
 *
 * Each linked library costs memory before main() begins: those for signing and YAML about 3 MiB. Peak memory
 * survives execve(), so a large program cannot hand over to a smaller one: the small one has to come first. The thin
 * program is linked statically and only with the code that deltas need. */
#pragma once

#include "cli/cli.h"

/* The whole program is beside the thin one in the build folder, and in ../libexec/holdfast when installed. */
#define HF_CLI_WHOLE "holdfast-cli"
#define HF_CLI_WHOLE_FOLDER "../libexec/holdfast"

/* Returns true if the thin program runs this command line itself. It leaves --help to the whole program, which has
 * the table. */
bool hf_cli_front_takes(int argc, char **argv);

/* Does all of main()'s work. Returns the exit code, or does not return because the whole program replaces this one.
 * `self` is the path of the running program with links resolved; NULL: unknown. */
int hf_cli_front_main(struct hf_cli *cli, const char *self, int argc, char **argv);
