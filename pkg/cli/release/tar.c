#include "cli/release/tar.h"

#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "os/fd.h"
#include "os/fs_posix.h"
#include "pack/tar/archive.h"

enum { PIECE = 1 << 16 };

static int write_all(struct hf_archive *archive, int (*write)(void *ctx, const void *bytes, size_t n), void *ctx,
                     struct hf_err *err)
{
    const struct hf_delta_old bytes = hf_archive_bytes(archive);
    char piece[PIECE];
    ssize_t n;

    for (uint64_t at = 0; (n = bytes.pread(bytes.ctx, piece, sizeof(piece), at)) > 0; at += (uint64_t)n) {
        int r = write(ctx, piece, (size_t)n);
        if (r < 0)
            return hf_err_wrap(err, r, "write archive");
    }
    if (n < 0 && err != NULL)
        *err = *hf_archive_trouble(archive);
    return (int)n;
}

int hf_cli_tar(const char *folder, int (*write)(void *ctx, const void *bytes, size_t n), void *ctx, struct hf_err *err)
{
    _cleanup_(hf_closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_(hf_archive_freep) struct hf_archive *archive = NULL;

    if (fd < 0)
        return hf_err_sys(err, -errno, "open '%s'", folder);
    int r = hf_archive_new(hf_fs_posix(), fd, 0, NULL, &archive, err);
    if (r == 0)
        r = write_all(archive, write, ctx, err);
    return r < 0 ? hf_err_wrap(err, r, "folder '%s'", folder) : 0;
}
