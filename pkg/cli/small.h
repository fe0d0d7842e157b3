/* SPDX-License-Identifier: Apache-2.0 */
/* The program holdfast-delta: deltas of files (not of images) on the smallest boards and in an initramfs.
 *
 * It has all decoders, but only our own deflate as compressor. -EOPNOTSUPP: a patch needs that of zstd or xz; *err
 * names the command to use. Shared libraries would take 8 MiB: this program is static, and stays below 3 MiB. */
#pragma once

#include "cli/cli.h"

int hf_cli_small_main(struct hf_cli *cli, int argc, char **argv);
