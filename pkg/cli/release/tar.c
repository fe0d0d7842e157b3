/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/release/tar.h"

#include <errno.h>
#include <fcntl.h>

#include "os/fd.h"
#include "os/fs_posix.h"
#include "pack/tar/archive.h"

int hf_cli_tar(const char *folder, bool is_new, int (*write)(void *ctx, const void *bytes, size_t n), void *ctx,
               struct hf_err *err)
{
    _cleanup_(hf_closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_(hf_archive_freep) struct hf_archive *archive = NULL;

    if (fd < 0)
        return hf_err_sys(err, -errno, "open '%s'", folder);
    int r = hf_archive_new(hf_fs_posix(), fd, is_new ? HF_ARCHIVE_PLAIN : 0, NULL, &archive, err);
    if (r == 0)
        r = hf_archive_write(archive, write, ctx, err);
    return r < 0 ? hf_err_wrap(err, r, "folder '%s'", folder) : 0;
}
