/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <unistd.h>

#include "base/macros.h"

HF_MUST_USE int hf_fd_write_all(int fd, const void *bytes, size_t n);

/* Keeps a closed standard input, output or error from becoming a file or socket of ours. Call this first in main(). */
void hf_fd_hold_standard(void);

static inline int hf_steal_fd(int *fd)
{
    int moved = *fd;

    *fd = -1;
    return moved;
}

static inline void hf_closep(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}
