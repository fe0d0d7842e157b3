/* SPDX-License-Identifier: Apache-2.0 */
/* The program holdfast-delta: deltas of files (not images) on the smallest boards and in an initramfs.
 *
 * All decoders; of compressors our deflate alone. -EOPNOTSUPP: zstd's or xz's is needed; *err names the command.
 * Static, below 3 MiB: shared libraries take 8. */
#pragma once

#include "cli/cli.h"

int hf_cli_small_main(struct hf_cli *cli, int argc, char **argv);
