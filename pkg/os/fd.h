/* os/fd.h - small helpers for real descriptors. Threads: any. */
#pragma once

#include <stddef.h>
#include <unistd.h>

#include "base/macros.h"

/* Writes all n bytes with write(2), in as many calls as that takes; the descriptor may be a pipe or a terminal. Blocks.
 * Returns 0 or -errno. */
HF_MUST_USE int hf_fd_write_all(int fd, const void *bytes, size_t n);

/* close() for _cleanup_(hf_closep); -1 is fine. */
static inline void hf_closep(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}
