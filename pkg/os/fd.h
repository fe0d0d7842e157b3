/* SPDX-License-Identifier: Apache-2.0 */
/* os/fd.h - helpers for file descriptors. Threads: any. */
#pragma once

#include <stddef.h>
#include <unistd.h>

#include "base/macros.h"

/* Writes all n bytes, with repeated calls of write(2); the descriptor may be a pipe or a terminal. Blocks.
 * Returns 0 or -errno. */
HF_MUST_USE int hf_fd_write_all(int fd, const void *bytes, size_t n);

/* Moves the descriptor out of *fd: returns it, and sets *fd to -1, so that hf_closep() closes nothing. */
static inline int hf_steal_fd(int *fd)
{
    int moved = *fd;

    *fd = -1;
    return moved;
}

/* Closes the descriptor in *fd unless it is -1, and sets *fd to -1. Use it as _cleanup_(hf_closep). */
static inline void hf_closep(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}
