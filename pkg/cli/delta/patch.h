/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/cli.h"
#include "pack/deep/deep.h"

struct hf_cli_patch {
    int fd;
    unsigned char head[HF_DEEP_HEAD];
    size_t head_n, at; /* bytes in `head`, and how many of them were read */
};

HF_MUST_USE int hf_cli_patch_look(struct hf_cli_patch *patch, struct hf_err *err);
bool hf_cli_patch_is_deep(const struct hf_cli_patch *patch);
/* Callback of struct hf_delta_in. Begins at the first byte, even after hf_cli_patch_look(). */
ssize_t hf_cli_patch_read(void *patch, void *bytes, size_t n);

/* Returns a scratch file's path in `target`'s folder, or in $TMPDIR (/tmp) for "-". Free it. */
char *hf_cli_patch_scratch(const char *target);
