/* SPDX-License-Identifier: Apache-2.0 */
#include "os/fd.h"

#include <errno.h>
#include <unistd.h>

int hf_fd_write_all(int fd, const void *bytes, size_t n)
{
    const char *p = bytes;

    while (n > 0) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno != EINTR)
            return -errno;
        p += HF_MAX(put, 0);
        n -= (size_t)HF_MAX(put, 0);
    }
    return 0;
}
