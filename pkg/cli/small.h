/* SPDX-License-Identifier: Apache-2.0 */
/* cli/small.h - the program holdfast-delta, which applies deltas of files (not of container images) on the smallest
 * boards and in an initramfs.
 *
 * The program contains the decoders that apply a patch, but no compressor except our own deflate. If a patch needs the
 * compressor of zstd or xz, the program refuses the patch with -EOPNOTSUPP, and the error message names the command to
 * use instead. */
#pragma once

#include "cli/cli.h"

/* Does all of main()'s work. Returns the exit code. */
int hf_cli_small_main(struct hf_cli *cli, int argc, char **argv);
