/* cli/delta/patch.h - a patch read in order, whose beginning can be looked at before. */
#pragma once

#include "cli/cli.h"
#include "pack/deep/deep.h"

struct hf_cli_patch {
    int fd;
    unsigned char head[HF_DEEP_HEAD];
    size_t head_n, at; /* bytes of it, and how many of them were given out */
};

/* Read the head, as far as the patch goes. */
HF_MUST_USE int hf_cli_patch_look(struct hf_cli_patch *patch, struct hf_err *err);
/* By that. */
bool hf_cli_patch_is_deep(const struct hf_cli_patch *patch);
/* The callback of struct hf_delta_in: from its first byte, looked at or not. */
ssize_t hf_cli_patch_read(void *patch, void *bytes, size_t n);

/* Name for the scratch file of who applies a patch to `target`: beside it, as there has to be room anyway; in TMPDIR (/tmp) for standard
 * output. free() it; NULL: out of memory. */
char *hf_cli_patch_scratch(const char *target);
