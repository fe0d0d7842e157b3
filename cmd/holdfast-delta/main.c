/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast-delta [--sync] OLD PATCH NEW: `holdfast delta apply` alone, for the smallest boards and for an initramfs.
 * It links no library that applying does not need. Exit codes are those of holdfast(1). */
#include <unistd.h>

#include "cli/small.h"
#include "os/fd.h"
#include "os/fs_posix.h"
#include "pack/deflate/deflate.h"
#include "pack/deflate/tokens.h"

/* Replaces pkg/pack/codec/codecs.c, so that the linker leaves out the compressors of zstd and xz. */
const struct pack_codec_ops *pack_codec_ops(enum pack_codec codec)
{
    return codec == PACK_CODEC_DEFLATE          ? &pack_deflate_ops
           : codec == PACK_CODEC_DEFLATE_TOKENS ? &pack_tokens_ops
                                                : NULL;
}

int main(int argc, char **argv)
{
    hf_fd_hold_standard();
    struct hf_cli cli = {
        .out = stdout, .err = stderr, .in_fd = STDIN_FILENO, .out_fd = STDOUT_FILENO, .fs = hf_fs_posix()};

    return hf_cli_small_main(&cli, argc, argv);
}
