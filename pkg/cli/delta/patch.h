/* cli/delta/patch.h - read a patch in order, after a look at its first bytes. Main thread only; blocks. */
#pragma once

#include "cli/cli.h"
#include "pack/deep/deep.h"

struct hf_cli_patch {
    int fd;
    unsigned char head[HF_DEEP_HEAD];
    size_t head_n, at; /* number of bytes in `head`; number of those that hf_cli_patch_read() has returned */
};

/* Reads the head, or less if the patch is shorter. */
HF_MUST_USE int hf_cli_patch_look(struct hf_cli_patch *patch, struct hf_err *err);
/* Returns true if the head is that of a delta that looks inside. */
bool hf_cli_patch_is_deep(const struct hf_cli_patch *patch);
/* Callback of struct hf_delta_in: reads the patch from its first byte. */
ssize_t hf_cli_patch_read(void *patch, void *bytes, size_t n);

/* Returns a name for the scratch file: beside `target`, where there has to be space anyway; in TMPDIR (/tmp) if the
 * target is standard output. The caller frees it. NULL: out of memory. */
char *hf_cli_patch_scratch(const char *target);
