/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/files/content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/file.h"

enum { STEP = 64 << 10 };

bool hf_files_others_may_write(const struct stat *st)
{
    return (st->st_uid != 0 && st->st_uid != geteuid()) || (st->st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

static int open_file(const struct hf_fs_ops *fs, int dirfd, const char *name)
{
    struct stat st;
    int fd = fs->openat(fs->ctx, dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
                        HF_FS_BENEATH | HF_FS_NO_SYMLINKS);

    if (fd < 0)
        return fd;
    int r = fs->fstat(fs->ctx, fd, &st);
    if (r == 0 && S_ISREG(st.st_mode))
        return fd;
    (void)fs->close(fs->ctx, fd);
    return r < 0 ? r : -EINVAL;
}

/* Passes the content piece by piece to `take`. */
static int each_piece(const struct hf_fs_ops *fs, int dirfd, const char *name,
                      int (*take)(void *arg, const void *bytes, size_t n), void *arg)
{
    _cleanup_(hf_freep) char *bytes = malloc(STEP);
    int fd = bytes != NULL ? open_file(fs, dirfd, name) : -ENOMEM;
    int r = fd < 0 ? fd : 0;

    for (uint64_t at = 0; r == 0;) {
        ssize_t n = fs->pread(fs->ctx, fd, bytes, STEP, at);
        if (n <= 0) {
            r = (int)n;
            break;
        }
        r = take(arg, bytes, (size_t)n);
        at += (uint64_t)n;
    }
    if (bytes != NULL)
        explicit_bzero(bytes, STEP); /* the file may hold a secret */
    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
    return r;
}

struct hashing {
    struct hf_sha256 hash;
    uint64_t left;
};

/* The owner of the file may make it grow while it is read, and holes cost nothing. */
static int hash_piece(void *arg, const void *bytes, size_t n)
{
    struct hashing *hashing = arg;

    if (n > hashing->left)
        return -EFBIG;
    hashing->left -= n;
    hf_sha256_update(&hashing->hash, bytes, n);
    return 0;
}

int hf_files_hash(const struct hf_fs_ops *fs, int dirfd, const char *name, uint64_t bytes,
                  unsigned char ret_sha256[HF_SHA256_BYTES])
{
    struct hashing hashing = {.left = bytes};

    hf_sha256_init(&hashing.hash);
    int r = each_piece(fs, dirfd, name, hash_piece, &hashing);
    if (r == 0)
        hf_sha256_final(&hashing.hash, ret_sha256);
    return r;
}

bool hf_files_is_another(int r)
{
    return r == -ENOENT || r == -ELOOP || r == -EINVAL || r == -EFBIG || r == -EAGAIN;
}

static int add_piece(void *arg, const void *bytes, size_t n)
{
    return hf_buf_add(arg, bytes, n);
}

int hf_files_read(const struct hf_fs_ops *fs, int dirfd, const char *name, struct hf_buf *out)
{
    return each_piece(fs, dirfd, name, add_piece, out);
}

int hf_files_write(const struct hf_fs_ops *fs, int dirfd, const char *name, struct hf_view bytes, mode_t mode,
                   uid_t uid, gid_t gid)
{
    int fd = fs->openat(fs->ctx, dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600,
                        HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    int r = fd < 0 ? fd : hf_file_write_all(fs, fd, bytes.p, bytes.n, 0);

    /* The owner first: a change of owner may clear bits of the mode. */
    if (r == 0)
        r = fs->fchown(fs->ctx, fd, uid, gid);
    if (r == 0)
        r = fs->fchmod(fs->ctx, fd, mode);
    if (r == 0)
        r = fs->fsync(fs->ctx, fd);
    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
    return r;
}
