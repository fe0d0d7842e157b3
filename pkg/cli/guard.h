/* cli/guard.h - a half-made folder goes when the program that makes it dies, by Ctrl-C or by kill -9.
 *
 * A child of its own session waits for the end of the program; when that comes without hf_cli_guard_end() it removes the folder. A
 * signal handler could not do it: it would have to remove what other threads are still writing, and SIGKILL asks nobody.
 * To be started before there are threads. */
#pragma once

#include "base/err.h"
#include "base/fs.h"

struct hf_cli_guard {
    int fd; /* its closing without a word is the alarm */
    int pid;
};

HF_MUST_USE int hf_cli_guard_begin(const struct hf_fs_ops *fs, const char *folder, struct hf_cli_guard *ret_guard,
                                   struct hf_err *err);
void hf_cli_guard_end(struct hf_cli_guard *guard); /* the folder is its own again */
