/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the file agent.yaml, if nobody but its owner can write it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "config/settings.h"
#include "os/secret/guarded_file.h"

/* Checks every folder above `path`. */
static int check_folders(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    char folder[PATH_MAX];
    struct stat st;

    for (const char *slash = path; slash != NULL; slash = strchr(slash + 1, '/')) {
        (void)snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
        int r = fs->fstatat(fs->ctx, AT_FDCWD, folder, &st, AT_SYMLINK_NOFOLLOW);
        if (r < 0)
            return hf_err_sys(err, r, "look at '%.160s'", folder);
        const char *what = hf_guarded_file_flaw(&st);
        if (what != NULL)
            return hf_err_set(err, EACCES, "folder '%.120s' %s", folder, what);
    }
    return 0;
}

static int check_open(const struct hf_fs_ops *fs, int fd, struct hf_err *err)
{
    struct stat st;
    int r = fs->fstat(fs->ctx, fd, &st);

    if (r < 0)
        return hf_err_sys(err, r, "look at the file");
    const char *what = S_ISREG(st.st_mode) ? hf_guarded_file_flaw(&st) : "is not a regular file";
    return what == NULL ? 0 : hf_err_set(err, EACCES, "the file %s", what);
}

static int read_open(const struct hf_fs_ops *fs, int fd, struct hf_buf *text, struct hf_err *err)
{
    char chunk[4096];
    ssize_t n;

    while ((n = fs->pread(fs->ctx, fd, chunk, sizeof(chunk), text->n)) > 0)
        if (hf_buf_add(text, chunk, (size_t)n) < 0)
            return hf_err_set(err, E2BIG, "the file is larger than %d KiB", HF_CONFIG_MAX_BYTES >> 10);
    return n < 0 ? hf_err_sys(err, (int)n, "read the file") : 0;
}

static int read_file(const struct hf_fs_ops *fs, const char *path, struct hf_buf *text, struct hf_err *err)
{
    if (path[0] != '/' || strlen(path) >= PATH_MAX)
        return hf_err_set(err, EINVAL, "expected an absolute path");
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0, HF_FS_NO_SYMLINKS);
    if (fd == -ELOOP)
        return hf_err_set(err, ELOOP, "the path has a symbolic link: give the path without links");
    if (fd < 0)
        return hf_err_sys(err, fd, "open the file");
    int r = check_open(fs, fd, err);
    if (r == 0)
        r = check_folders(fs, path, err);
    if (r == 0)
        r = read_open(fs, fd, text, err);
    (void)fs->close(fs->ctx, fd);
    return r;
}

int hf_config_load(const struct hf_fs_ops *fs, const char *path, bool must_exist, struct hf_config **ret_config,
                   struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CONFIG_MAX_BYTES);
    struct hf_err cause = HF_ERR_INIT;
    char fault[PATH_MAX + sizeof(cause.cause) + 2];
    int r = read_file(fs, path, &text, &cause);

    if (r == 0)
        return hf_config_parse(hf_buf_view(&text), path, ret_config, err);
    if (r == -ENOMEM)
        return hf_err_set(err, ENOMEM, "not enough memory for '%.200s'", path);
    if (r == -ENOENT && !must_exist)
        return hf_config_absent(path, ret_config, err);
    (void)snprintf(fault, sizeof(fault), "%s: %s", path, cause.cause);
    return hf_config_refuse(path, fault, ret_config, err);
}
