/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <unistd.h>

#include "base/macros.h"

/* write(2) until all is written. Blocks. */
HF_MUST_USE int hf_fd_write_all(int fd, const void *bytes, size_t n);

/* Sets *fd to -1, so that hf_closep() closes nothing. */
static inline int hf_steal_fd(int *fd)
{
    int moved = *fd;

    *fd = -1;
    return moved;
}

/* For _cleanup_. */
static inline void hf_closep(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}
