/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void hf_supervisor_folder_read(int folder, const char *name, bool is_link, char ret_text[HF_HOST_NOTE])
{
    int fd = is_link ? -1 : openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = is_link ? readlinkat(folder, name, ret_text, HF_HOST_NOTE) : read(fd, ret_text, HF_HOST_NOTE);

    if (fd >= 0)
        (void)close(fd);
    ret_text[n < 0 || n >= HF_HOST_NOTE ? 0 : n] = '\0';
}

static int write_file(int folder, const char *name, const char *text)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t n = strlen(text);

    if (fd < 0)
        return -errno;
    ssize_t written = write(fd, text, n);
    int r = written < 0 ? -errno : (size_t)written < n ? -ENOSPC : fsync(fd) < 0 ? -errno : 0;
    return close(fd) < 0 && r == 0 ? -errno : r;
}

int hf_supervisor_folder_write(int folder, const char *name, bool is_link, const char *text)
{
    char fresh[64];
    int r;

    (void)snprintf(fresh, sizeof(fresh), ".%s.new", name);
    (void)unlinkat(folder, fresh, 0);
    if (text[0] == '\0')
        r = unlinkat(folder, name, 0) < 0 && errno != ENOENT ? -errno : 0;
    else
        r = !is_link ? write_file(folder, fresh, text) : symlinkat(text, folder, fresh) < 0 ? -errno : 0;
    if (r == 0 && text[0] != '\0' && renameat(folder, fresh, folder, name) < 0)
        r = -errno;
    if (r < 0)
        (void)unlinkat(folder, fresh, 0);
    return r == 0 && fsync(folder) < 0 ? -errno : r;
}
