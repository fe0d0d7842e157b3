/* SPDX-License-Identifier: Apache-2.0 */
/* cli/delta/patch.h - reads a patch in order. Callers can inspect the first bytes before they read the patch. Main
 * thread only; blocks. */
#pragma once

#include "cli/cli.h"
#include "pack/deep/deep.h"

struct hf_cli_patch {
    int fd;
    unsigned char head[HF_DEEP_HEAD];
    /* head_n is the number of bytes in `head`; `at` is the number of these bytes that hf_cli_patch_read() has
     * returned */
    size_t head_n, at;
};

/* Reads the first HF_DEEP_HEAD bytes of the patch into `head`, or the whole patch if it is shorter. */
HF_MUST_USE int hf_cli_patch_look(struct hf_cli_patch *patch, struct hf_err *err);
/* Returns true if `head` is the start of a deep delta (pack/deep/deep.h). */
bool hf_cli_patch_is_deep(const struct hf_cli_patch *patch);
/* Callback of struct hf_delta_in: reads the patch from its first byte, including the bytes in `head`. */
ssize_t hf_cli_patch_read(void *patch, void *bytes, size_t n);

/* Returns the path to use for a scratch file, or NULL if out of memory. The caller frees the path with free(); the
 * function creates no file. The path is in the folder of `target`, where the output needs space anyway. If `target` is
 * "-" (standard output), the path is in $TMPDIR, or in /tmp if TMPDIR is not set. */
char *hf_cli_patch_scratch(const char *target);
