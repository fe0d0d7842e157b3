/* SPDX-License-Identifier: Apache-2.0 */
#include "os/fd.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
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

void hf_fd_hold_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        /* NOLINTNEXTLINE(android-cloexec-open): a standard descriptor */
        HF_UNUSED int held = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        assert(held < 0 || held == fd); /* open() takes the lowest number */
    }
}
