/* SPDX-License-Identifier: Apache-2.0 */
#include "update/install/floor_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "os/owner.h"
#include "update/state/floor.h"

#define HF_FLOOR_COPY_FOLDER ".holdfast-floors"

static int path_below(const char *root, size_t n, const char *release, char path[HF_TARGET_MAX_PATH])
{
    while (n > 0 && root[n - 1] == '/')
        n--;
    int made = snprintf(path, HF_TARGET_MAX_PATH, "%.*s/" HF_FLOOR_COPY_FOLDER "/%s", (int)n, root, release);
    return made < 0 || made >= HF_TARGET_MAX_PATH ? -ENAMETOOLONG : 0;
}

static int check_owner(const struct hf_fs_ops *fs, int fd, const char *path, const char *what, struct hf_err *err)
{
    char why[96];
    struct stat st;
    int r = fs->fstat(fs->ctx, fd, &st);

    if (r < 0)
        return hf_err_sys(err, r, "stat '%s'", path);
    if (!hf_owner_is_safe(&st, why, sizeof(why)))
        return hf_err_set(err, EPERM, "the agent does not trust %s '%s', because it %s", what, path, why);
    return 0;
}

/* Reads an open copy up to text->max bytes. */
static int read_bytes(const struct hf_fs_ops *fs, int fd, struct hf_buf *text)
{
    char bytes[4096];
    ssize_t n = 1;
    int r = 0;

    while (r == 0 && (n = fs->pread(fs->ctx, fd, bytes, sizeof(bytes), text->n)) > 0)
        r = hf_buf_add(text, bytes, (size_t)n);
    return n < 0 ? (int)n : r;
}

/* Reads the copy at target->path. -ENOENT: there is none. */
static int read_copy(const struct hf_target *target, struct hf_buf *text, struct hf_err *err)
{
    const struct hf_fs_ops *fs = target->fs;
    struct hf_failure failure = {.reason = HF_R_None};
    struct hf_target_dir dir = {.dirfd = -1};
    int r = hf_target_open(target, &dir, NULL, &failure), fd = -1;

    if (r == 0) {
        r = check_owner(fs, dir.dirfd, target->path, "the folder of", &failure.err);
        if (r == 0)
            r = fd = hf_target_open_file(&dir, dir.name, O_RDONLY, &failure);
        hf_target_dir_done(&dir);
    }
    if (fd >= 0) {
        r = check_owner(fs, fd, target->path, "the file", &failure.err);
        if (r == 0 && (r = read_bytes(fs, fd, text)) < 0)
            r = hf_failure_sys(&failure, r, "read '%s'", target->path);
        (void)fs->close(fs->ctx, fd);
        if (r == 0)
            return 0;
    }
    if (err != NULL)
        *err = failure.err;
    return r;
}

int hf_floor_copy_read(const struct hf_target *target, size_t max_bytes,
                       int (*take)(void *arg, struct hf_view text, struct hf_err *err), void *arg, struct hf_err *err)
{
    struct hf_target at = *target;
    char path[HF_TARGET_MAX_PATH];
    int worst = 0;

    for (size_t i = 0; target->roots[i] != NULL; i++) {
        at.path = path;
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(max_bytes);
        int r = path_below(target->roots[i], strlen(target->roots[i]), target->release, path);
        if (r == 0)
            r = read_copy(&at, &text, err);
        if (r == 0)
            r = take(arg, hf_buf_view(&text), err);
        if (r < 0 && r != -ENOENT)
            worst = hf_err_wrap(err, r, "read the copy of the floor '%s'", path);
    }
    return worst;
}

static int join(void *arg, struct hf_view text, struct hf_err *err)
{
    struct hf_sequence_history found;
    int r = hf_floor_parse(text, &found, err);

    if (r == 0)
        hf_sequence_join(arg, &found);
    return r;
}

int hf_floor_copy_load(const struct hf_target *target, struct hf_sequence_history *history, struct hf_err *err)
{
    return hf_floor_copy_read(target, HF_FLOOR_MAX_BYTES, join, history, err);
}

static int write_copy(const struct hf_target *target, struct hf_view text, struct hf_failure *failure)
{
    const struct hf_fs_ops *fs = target->fs;
    char fresh[NAME_MAX + 1];
    struct hf_target_dir dir = {.dirfd = -1};
    int r = hf_target_make_folders(target, failure);

    if (r == 0)
        r = hf_target_open(target, &dir, NULL, failure);
    if (r < 0)
        return r;
    (void)hf_target_file_name(target->release, HF_TARGET_NEW, fresh);
    r = check_owner(fs, dir.dirfd, target->path, "the folder of", &failure->err);
    if (r == 0)
        r = hf_target_unlink(&dir, fresh, failure);
    int fd = r == 0 ? hf_target_open_file(&dir, fresh, O_WRONLY | O_CREAT | O_EXCL, failure) : r;
    if (fd >= 0) {
        r = hf_target_write(fs, fd, text.p, text.n, 0, failure);
        if (r == 0 && (r = fs->fsync(fs->ctx, fd)) < 0)
            r = hf_failure_sys(failure, r, "sync '%s'", fresh);
        (void)fs->close(fs->ctx, fd);
        if (r == 0 && (r = fs->renameat(fs->ctx, dir.dirfd, fresh, dir.dirfd, dir.name)) < 0)
            r = hf_failure_sys(failure, r, "rename '%s'", fresh);
        if (r < 0)
            (void)fs->unlinkat(fs->ctx, dir.dirfd, fresh, 0);
        if (r == 0)
            r = hf_target_sync(&dir, failure);
    } else {
        r = fd;
    }
    hf_target_dir_done(&dir);
    return r;
}

/* An earlier attempt may have ended between its rename and its sync. */
static int sync_copy(const struct hf_target *at, struct hf_failure *failure)
{
    struct hf_target_dir dir = {.dirfd = -1};
    int r = hf_target_open(at, &dir, NULL, failure);

    if (r < 0)
        return r;
    r = hf_target_sync(&dir, failure);
    hf_target_dir_done(&dir);
    return r;
}

int hf_floor_copy_write(const struct hf_target *target, struct hf_view text, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf have = HF_BUF_INIT(text.n + 1);
    struct hf_failure failure = {.reason = HF_R_None};
    struct hf_target at = *target;
    char path[HF_TARGET_MAX_PATH];
    const char *root = NULL;
    size_t root_n = hf_target_root(target, &root);
    int r = root != NULL ? path_below(root, root_n, target->release, path) : -EACCES;

    if (r < 0)
        return hf_err_sys(err, r, "copy the floor");
    at.path = path;
    if (read_copy(&at, &have, NULL) == 0 && have.n == text.n && memcmp(have.p, text.p, text.n) == 0)
        r = sync_copy(&at, &failure);
    else
        r = write_copy(&at, text, &failure);
    if (r < 0 && err != NULL)
        *err = failure.err;
    return r < 0 ? hf_err_wrap(err, r, "copy the floor to '%s'", path) : 0;
}

int hf_floor_copy_save(const struct hf_target *target, const struct hf_sequence_history *history, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FLOOR_MAX_BYTES);
    int r = hf_floor_format(history, &text);

    return r < 0 ? hf_err_sys(err, r, "copy the floor") : hf_floor_copy_write(target, hf_buf_view(&text), err);
}
