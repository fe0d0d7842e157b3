/* cli/small.h - holdfast-delta: `holdfast delta apply` for files only, for the smallest boards and for an initramfs.
 *
 * It links the decoders that applying needs and no compressor except our own deflate. It refuses a patch that needs
 * the compressor of zstd or xz with -EOPNOTSUPP, and the message says what to do instead. */
#pragma once

#include "cli/cli.h"

/* Does all of main()'s work. Returns the exit code. */
int hf_cli_small_main(struct hf_cli *cli, int argc, char **argv);
