/* SPDX-License-Identifier: Apache-2.0 */
/* Each component of the path, and of where links lead, must belong to root or this process's user and be writable for
 * no other; but for folders with the sticky bit, where only a file's owner replaces it. */
#include "os/secret/guarded_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_LINKS = 8 };

const char *hf_guarded_file_flaw(const struct stat *st)
{
    bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0, link = S_ISLNK(st->st_mode);

    if (st->st_uid != 0 && st->st_uid != geteuid())
        return "belongs to another user than root and the agent's";
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky && !link)
        return "is writable by group or others (chmod go-w)";
    return NULL;
}

/* A path on its way to one without links. */
struct guarded_path {
    char at[PATH_MAX];   /* what is checked; "" stands for "/" */
    char rest[PATH_MAX]; /* what is not */
    int links;
    const char *path; /* as given */
};

/* Names what is not the file itself, whose path the caller has. */
static int check(const struct hf_fs_ops *fs, const struct guarded_path *walk, const char *at, struct stat *st,
                 struct hf_err *err)
{
    int r = fs->fstatat(fs->ctx, AT_FDCWD, at, st, AT_SYMLINK_NOFOLLOW);
    const char *what = r == 0 ? hf_guarded_file_flaw(st) : strerror(-r);

    if (what == NULL)
        return 0;
    return strcmp(at, walk->path) == 0
               ? hf_err_set(err, r < 0 ? -r : EACCES, "it %s%s", r < 0 ? "cannot be found: " : "", what)
               : hf_err_set(err, r < 0 ? -r : EACCES, "'%.120s' %s", at, what);
}

static int follow(const struct hf_fs_ops *fs, struct guarded_path *walk, const char *link, struct hf_err *err)
{
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t n = fs->readlinkat(fs->ctx, AT_FDCWD, link, target, sizeof(target) - 1);

    if (n < 0)
        return hf_err_sys(err, (int)n, "read the link '%.160s'", link);
    target[n] = '\0';
    if (++walk->links > MAX_LINKS ||
        snprintf(rest, sizeof(rest), "%s%s%s", target, walk->rest[0] != '\0' ? "/" : "", walk->rest) >= PATH_MAX)
        return hf_err_set(err, ELOOP, "'%.160s' leads through too many links", link);
    memcpy(walk->rest, rest, sizeof(rest));
    if (target[0] == '/')
        walk->at[0] = '\0';
    return 0;
}

/* Takes the first component off walk->rest. */
static void take(struct guarded_path *walk, char name[NAME_MAX + 1])
{
    size_t skip = strspn(walk->rest, "/"), n = strcspn(walk->rest + skip, "/");

    (void)snprintf(name, NAME_MAX + 1, "%.*s", (int)HF_MIN(n, (size_t)NAME_MAX), walk->rest + skip);
    n += skip;
    n += strspn(walk->rest + n, "/");
    memmove(walk->rest, walk->rest + n, strlen(walk->rest + n) + 1);
}

static int step(const struct hf_fs_ops *fs, struct guarded_path *walk, struct stat *st, struct hf_err *err)
{
    char name[NAME_MAX + 1], next[PATH_MAX + NAME_MAX + 2];

    take(walk, name);
    if (name[0] == '\0' || strcmp(name, ".") == 0)
        return 0;
    if (strcmp(name, "..") == 0) {
        char *slash = strrchr(walk->at, '/');
        if (slash != NULL)
            *slash = '\0';
        return 0;
    }
    if (snprintf(next, sizeof(next), "%s/%s", walk->at, name) >= PATH_MAX)
        return hf_err_set(err, ENAMETOOLONG, "the path is too long");
    int r = check(fs, walk, next, st, err);
    if (r < 0)
        return r;
    if (S_ISLNK(st->st_mode))
        return follow(fs, walk, next, err);
    memcpy(walk->at, next, strlen(next) + 1);
    return 0;
}

static int read_open(const struct hf_fs_ops *fs, int fd, struct hf_buf *out, struct hf_err *err)
{
    char chunk[4096];
    uint64_t at = 0;
    struct stat st;
    ssize_t n = fs->fstat(fs->ctx, fd, &st);

    if (n < 0)
        return hf_err_sys(err, (int)n, "look at the file");
    const char *what = hf_guarded_file_flaw(&st);
    if (what != NULL)
        return hf_err_set(err, EACCES, "it %s", what);
    if (!S_ISREG(st.st_mode))
        return hf_err_set(err, EINVAL, "it is not a regular file");
    int r = 0;
    while (r == 0 && (n = fs->pread(fs->ctx, fd, chunk, sizeof(chunk), at)) > 0) {
        r = hf_buf_add(out, chunk, (size_t)n);
        at += (uint64_t)n;
    }
    explicit_bzero(chunk, sizeof(chunk));
    if (r < 0)
        return hf_err_set(err, -r, "it is larger than %zu bytes", out->max);
    return n < 0 ? hf_err_sys(err, (int)n, "read the file") : 0;
}

/* walk->at becomes the path without links. */
static int resolve(const struct hf_fs_ops *fs, const char *path, struct guarded_path *walk, struct stat *st,
                   struct hf_err *err)
{
    *walk = (struct guarded_path){.path = path};
    if (path[0] != '/' || snprintf(walk->rest, sizeof(walk->rest), "%s", path) >= PATH_MAX)
        return hf_err_set(err, EINVAL, "expected an absolute path");
    int r = check(fs, walk, "/", st, err);
    while (r == 0 && walk->rest[0] != '\0')
        r = step(fs, walk, st, err);
    return r;
}

int hf_guarded_file_check(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    struct guarded_path walk;
    struct stat st;
    int r = resolve(fs, path, &walk, &st, err);

    if (r == 0 && !S_ISREG(st.st_mode))
        r = hf_err_set(err, EINVAL, "it is not a regular file");
    return r == 0 && (st.st_mode & S_IXUSR) == 0 ? hf_err_set(err, EACCES, "it is not executable") : r;
}

int hf_guarded_file_read(const struct hf_fs_ops *fs, const char *path, struct hf_buf *out, struct hf_err *err)
{
    struct guarded_path walk;
    struct stat st;
    int r = resolve(fs, path, &walk, &st, err);

    if (r < 0)
        return r;
    int fd = fs->openat(fs->ctx, AT_FDCWD, walk.at[0] != '\0' ? walk.at : "/",
                        O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0, HF_FS_NO_SYMLINKS);
    if (fd < 0)
        return hf_err_sys(err, fd, "open the file");
    r = read_open(fs, fd, out, err);
    (void)fs->close(fs->ctx, fd);
    return r;
}
