/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a patch in order, after a look at its first bytes. */
#pragma once

#include "cli/cli.h"
#include "pack/deep/deep.h"

struct hf_cli_patch {
    int fd;
    unsigned char head[HF_DEEP_HEAD];
    size_t head_n, at; /* bytes in `head`, and the part of them that hf_cli_patch_read() has returned */
};

/* A shorter patch fills `head` in part. */
HF_MUST_USE int hf_cli_patch_look(struct hf_cli_patch *patch, struct hf_err *err);
/* A deep delta (pack/deep/deep.h). */
bool hf_cli_patch_is_deep(const struct hf_cli_patch *patch);
/* Callback of struct hf_delta_in. Reads from the first byte, `head` included. */
ssize_t hf_cli_patch_read(void *patch, void *bytes, size_t n);

/* A path in the folder of `target`, or in $TMPDIR (/tmp) for "-"; the caller frees it. */
char *hf_cli_patch_scratch(const char *target);
