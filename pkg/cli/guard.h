/* SPDX-License-Identifier: Apache-2.0 */
/* Removes an unfinished folder if this process dies, even by SIGKILL: a child in its own session waits for that. Begin
 * before the first thread. */
#pragma once

#include "base/err.h"
#include "base/fs.h"

struct hf_cli_guard {
    int fd; /* a pipe; if it closes without a byte, the child removes the folder */
    int pid;
};

HF_MUST_USE int hf_cli_guard_begin(const struct hf_fs_ops *fs, const char *folder, struct hf_cli_guard *ret_guard,
                                   struct hf_err *err);
void hf_cli_guard_end(struct hf_cli_guard *guard);
