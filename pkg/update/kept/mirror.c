/* SPDX-License-Identifier: Apache-2.0 */
/* A second folder like a tree: the folders and links anew, the files by a second name, or shared, or copied. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "update/kept/folder.h"

enum { MAX_DEPTH = 64 };

struct mirror {
    const struct hf_fs_ops *fs;
    int from, to; /* the folders of this level */
    enum hf_kept_source form;
    unsigned depth;
    const atomic_bool *cancel;
};

static int open_folder(const struct hf_fs_ops *fs, int dirfd, const char *name)
{
    return fs->openat(fs->ctx, dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                      HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
}

static int copy_open(const struct mirror *mirror, int from, const char *name, const struct stat *st)
{
    const struct hf_fs_ops *fs = mirror->fs;
    int to = fs->openat(fs->ctx, mirror->to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600,
                        HF_FS_BENEATH | HF_FS_NO_SYMLINKS);

    if (to < 0)
        return to;
    int r = kept_fill(fs, from, to, mirror->form == HF_KEPT_COPY, mirror->cancel);
    if (r >= 0)
        r = fs->fchmod(fs->ctx, to, st->st_mode & 07777);
    if (r >= 0)
        r = fs->fsync(fs->ctx, to);
    (void)fs->close(fs->ctx, to);
    return r;
}

/* Hard links within a tree are part of its content, so such a file keeps them, even where the others are copied. */
static int mirror_file(const struct mirror *mirror, const char *name, const struct stat *st)
{
    const struct hf_fs_ops *fs = mirror->fs;

    if (mirror->form == HF_KEPT_LINK || st->st_nlink > 1)
        return fs->linkat(fs->ctx, mirror->from, name, mirror->to, name);
    int from = fs->openat(fs->ctx, mirror->from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0,
                          HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    if (from < 0)
        return from;
    int r = copy_open(mirror, from, name, st);
    (void)fs->close(fs->ctx, from);
    return r;
}

static int mirror_link(const struct mirror *mirror, const char *name)
{
    char text[PATH_MAX];
    ssize_t n = mirror->fs->readlinkat(mirror->fs->ctx, mirror->from, name, text, sizeof(text) - 1);

    if (n < 0)
        return (int)n;
    text[n] = '\0';
    return mirror->fs->symlinkat(mirror->fs->ctx, text, mirror->to, name);
}

static int mirror_one(void *arg, const char *name, unsigned char type);

static int mirror_folder(const struct mirror *above, const char *name, const struct stat *st)
{
    const struct hf_fs_ops *fs = above->fs;
    struct mirror mirror = *above;
    int r = above->depth == MAX_DEPTH ? -ELOOP : fs->mkdirat(fs->ctx, above->to, name, 0700);

    if (r < 0)
        return r;
    mirror.depth++;
    mirror.from = open_folder(fs, above->from, name);
    mirror.to = open_folder(fs, above->to, name);
    r = mirror.from < 0 ? mirror.from : mirror.to < 0 ? mirror.to : 0;
    if (r == 0)
        r = fs->list(fs->ctx, mirror.from, mirror_one, &mirror);
    if (r == 0)
        r = fs->fchmod(fs->ctx, mirror.to, st->st_mode & 07777);
    if (r == 0)
        r = fs->fsync(fs->ctx, mirror.to);
    if (mirror.from >= 0)
        (void)fs->close(fs->ctx, mirror.from);
    if (mirror.to >= 0)
        (void)fs->close(fs->ctx, mirror.to);
    return r;
}

static int mirror_one(void *arg, const char *name, unsigned char type)
{
    const struct mirror *mirror = arg;
    struct stat st;
    int r = mirror->fs->fstatat(mirror->fs->ctx, mirror->from, name, &st, AT_SYMLINK_NOFOLLOW);

    (void)type;
    if (r < 0)
        return r;
    if (mirror->cancel != NULL && atomic_load(mirror->cancel))
        return -ECANCELED;
    if (S_ISREG(st.st_mode))
        return HF_MIN(mirror_file(mirror, name, &st), 0);
    if (S_ISLNK(st.st_mode))
        return mirror_link(mirror, name);
    return S_ISDIR(st.st_mode) ? mirror_folder(mirror, name, &st) : -EOPNOTSUPP;
}

int kept_mirror(const struct hf_fs_ops *fs, int tree_fd, int kept_fd, const char *name, enum hf_kept_source form,
                const atomic_bool *cancel)
{
    struct mirror mirror = {.fs = fs, .from = tree_fd, .form = form, .cancel = cancel};
    struct stat st;
    int r = fs->fstat(fs->ctx, tree_fd, &st);

    if (r == 0)
        r = fs->mkdirat(fs->ctx, kept_fd, name, 0700);
    if (r < 0)
        return r;
    mirror.to = open_folder(fs, kept_fd, name);
    if (mirror.to < 0)
        return mirror.to;
    r = fs->list(fs->ctx, tree_fd, mirror_one, &mirror);
    if (r == 0)
        r = fs->fchmod(fs->ctx, mirror.to, st.st_mode & 07777);
    if (r == 0)
        r = fs->fsync(fs->ctx, mirror.to);
    (void)fs->close(fs->ctx, mirror.to);
    return r;
}

/* ---- is it still a mirror of this tree? -------------------------------------------------------------------------- */

struct sample {
    const struct hf_fs_ops *fs;
    int tree, mirror;
    unsigned depth;
};

/* -EEXIST: the first file has two names, one in each; -ESTALE: it has not; 0: no file so far. */
static int sample_one(void *arg, const char *name, unsigned char type)
{
    const struct sample *sample = arg;
    const struct hf_fs_ops *fs = sample->fs;
    struct stat kept, st;
    int r = fs->fstatat(fs->ctx, sample->mirror, name, &kept, AT_SYMLINK_NOFOLLOW);

    (void)type;
    if (r < 0 || (!S_ISREG(kept.st_mode) && !S_ISDIR(kept.st_mode)))
        return r;
    if (S_ISREG(kept.st_mode)) {
        r = fs->fstatat(fs->ctx, sample->tree, name, &st, AT_SYMLINK_NOFOLLOW);
        return r < 0 || st.st_ino != kept.st_ino || st.st_dev != kept.st_dev ? -ESTALE : -EEXIST;
    }
    struct sample below = {fs, open_folder(fs, sample->tree, name), open_folder(fs, sample->mirror, name),
                           sample->depth + 1};
    r = below.tree < 0 || below.mirror < 0 || below.depth > MAX_DEPTH
            ? -ESTALE
            : fs->list(fs->ctx, below.mirror, sample_one, &below);
    if (below.tree >= 0)
        (void)fs->close(fs->ctx, below.tree);
    if (below.mirror >= 0)
        (void)fs->close(fs->ctx, below.mirror);
    return r;
}

bool kept_mirror_is_shared(const struct hf_fs_ops *fs, int tree_fd, int mirror_fd)
{
    struct sample sample = {fs, tree_fd, mirror_fd, 0};
    int r = fs->list(fs->ctx, mirror_fd, sample_one, &sample);

    return r == 0 || r == -EEXIST; /* -EEXIST ends the walk at the first file */
}
