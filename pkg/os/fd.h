/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <unistd.h>

#include "base/macros.h"

/* write(2) until all is written. Blocks. */
HF_MUST_USE int hf_fd_write_all(int fd, const void *bytes, size_t n);

/* First in main(): of standard input, output and error, those that the caller closed get no file or socket of ours.
 * Reading or writing them fails as before. They stay open for programs that we start. */
void hf_fd_hold_standard(void);

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
