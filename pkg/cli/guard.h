/* SPDX-License-Identifier: Apache-2.0 */
/* cli/guard.h - removes an unfinished folder if the program that makes the folder dies, for example by Ctrl-C or
 * SIGKILL.
 *
 * To do so, a child process in its own session waits for the end of the program. If the program ends without
 * hf_cli_guard_end(), the child removes the folder. A signal handler cannot do this, because other threads would still
 * write to the folder and SIGKILL has no handler. Call hf_cli_guard_begin() before the program starts threads. */
#pragma once

#include "base/err.h"
#include "base/fs.h"

struct hf_cli_guard {
    int fd; /* pipe to the child; if the pipe closes before the child has read a byte, the child removes the folder */
    int pid;
};

HF_MUST_USE int hf_cli_guard_begin(const struct hf_fs_ops *fs, const char *folder, struct hf_cli_guard *ret_guard,
                                   struct hf_err *err);
/* Ends the child process without removing the folder. */
void hf_cli_guard_end(struct hf_cli_guard *guard);
