/* SPDX-License-Identifier: Apache-2.0 */
/* A file is known by device, inode, birth, and hashes of the first line and of the 256 bytes before the offset, also
 * after a restart. One that shrinks or lacks those bytes is read from its start as the next generation. An id is file,
 * generation, offset and a hash of the line. copytruncate may lose lines written between the last read (a second
 * before, longer without room) and the truncation; repeats lines if the copy matches the patterns; and is not seen if
 * first line and bytes before the offset are the same. Files are checked every second, new ones searched every
 * HF_TAIL_FIND_S. */
#include "telemetry/source/tail_open.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"
#include "codec/sha256.h"
#include "os/owner.h"
#include "os/walk.h"

static int check(const struct hf_walk *walk, int fd, const struct hf_fs_ops *fs, struct stat *ret_st,
                 struct hf_err *err)
{
    int r = fs->fstat(fs->ctx, fd, ret_st);

    if (r < 0)
        return hf_err_sys(err, r, "stat '%.200s'", walk->path);
    if (!S_ISREG(ret_st->st_mode))
        return hf_err_set(err, EINVAL, "'%.200s' is not a regular file", walk->path);
    const char *why = hf_owner_refuses(&walk->folder_st, ret_st, geteuid());
    return why != NULL ? hf_err_set(err, EACCES, "'%.128s' is not read: %s", walk->path, why) : 0;
}

static int open_here(const struct hf_fs_ops *fs, const struct hf_walk *walk, struct stat *ret_st, struct hf_err *err)
{
    int fd = fs->openat(fs->ctx, walk->folder, walk->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY, 0,
                        HF_FS_ANY);

    if (fd < 0)
        return hf_err_sys(err, fd, "open '%.200s'", walk->path);
    int r = check(walk, fd, fs, ret_st, err);
    if (r == 0)
        return fd;
    (void)fs->close(fs->ctx, fd);
    return r;
}

int hf_tail_open(const struct hf_fs_ops *fs, const char *path, bool (*allows)(void *arg, const char *path), void *arg,
                 struct stat *ret_st, struct hf_err *err)
{
    struct hf_walk walk;
    int r = hf_walk_to(fs, path, &walk, err);

    if (r < 0)
        return r;
    if (allows == NULL || allows(arg, walk.path))
        r = open_here(fs, &walk, ret_st, err);
    else
        r = hf_err_set(err, EACCES, "'%.128s' is not read: telemetry.files in agent.yaml does not allow this place",
                       walk.path);
    hf_walk_done(fs, &walk);
    return r;
}

/* ---- identity ---------------------------------------------------------------------------------------------------- */

uint64_t hf_tail_open_hash(const void *bytes, size_t n)
{
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    hf_sha256_update(&hash, bytes, n);
    uint64_t value = hf_sha256_final64(&hash);
    return value != 0 ? value : 1;
}

uint64_t hf_tail_open_hash_start(const struct hf_fs_ops *fs, int fd)
{
    char bytes[HF_TAIL_MARK_BYTES];
    ssize_t n = fs->pread(fs->ctx, fd, bytes, sizeof(bytes), 0);
    const char *end = n > 0 ? memchr(bytes, '\n', (size_t)n) : NULL;

    if (end != NULL)
        return hf_tail_open_hash(bytes, (size_t)(end - bytes) + 1);
    return n == HF_TAIL_MARK_BYTES ? hf_tail_open_hash(bytes, sizeof(bytes)) : 0;
}

uint64_t hf_tail_open_hash_before(const struct hf_fs_ops *fs, int fd, uint64_t offset)
{
    char bytes[HF_TAIL_MARK_BYTES];
    size_t n = (size_t)HF_MIN(offset, (uint64_t)sizeof(bytes));

    return n > 0 && fs->pread(fs->ctx, fd, bytes, n, offset - n) == (ssize_t)n ? hf_tail_open_hash(bytes, n) : 0;
}

uint64_t hf_tail_open_birth_ns(const struct hf_fs_ops *fs, int fd)
{
    uint64_t birth_ns;

    return fs->birth(fs->ctx, fd, &birth_ns) == 0 ? birth_ns : 0;
}
