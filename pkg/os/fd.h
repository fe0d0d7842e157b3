/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <unistd.h>

#include "base/macros.h"

/* write(2) until all is written. Blocks. */
HF_MUST_USE int hf_fd_write_all(int fd, const void *bytes, size_t n);

/* Call first in main(): keeps closed standard descriptors (input, output, error) from becoming a file or socket of
 * ours. Reading or writing them fails as before. Programs that we start inherit them. */
void hf_fd_hold_standard(void);

/* Sets *fd to -1, so that hf_closep() closes nothing. */
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
