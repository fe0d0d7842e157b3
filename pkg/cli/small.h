/* SPDX-License-Identifier: Apache-2.0 */
/* The program holdfast-delta: deltas of files (not images) on the smallest boards and in an initramfs.
 *
 * It has all decoders, but only one compressor, our deflate: it returns HF_EXIT_REFUSED for a patch that needs zstd's
 * or xz's. */
#pragma once

#include "cli/cli.h"

int hf_cli_small_main(struct hf_cli *cli, int argc, char **argv);
