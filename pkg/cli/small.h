/* cli/small.h - holdfast-delta: `holdfast delta apply` from file to file alone, for the smallest boards and for initramfs.
 *
 * It is linked with the decoders that applying needs and with no compressor but our own deflate. A patch that has to pack zstd or xz again is
 * refused with -EOPNOTSUPP, and the message names the way out. */
#pragma once

#include "cli/cli.h"

/* The whole of main(): returns the exit code. */
int hf_cli_small_main(struct hf_cli *cli, int argc, char **argv);
