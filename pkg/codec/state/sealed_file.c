/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/state/sealed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "os/dir.h"
#include "os/file.h"

static int join(const char *folder, const char *name, char path[PATH_MAX], struct hf_err *err)
{
    if ((size_t)snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
        return hf_err_set(err, ENAMETOOLONG, "path '%.100s...' is too long", folder);
    return 0;
}

int hf_sealed_file_set_aside(const struct hf_fs_ops *fs, const char *folder, const char *name, struct hf_err *err)
{
    char path[PATH_MAX], aside[PATH_MAX + 16];
    int r = join(folder, name, path, err);

    if (r < 0)
        return r;
    (void)snprintf(aside, sizeof(aside), "%s.damaged", path);
    r = fs->renameat(fs->ctx, AT_FDCWD, path, AT_FDCWD, aside);
    if (r == 0)
        r = hf_dir_sync(fs, folder, NULL);
    return r < 0 ? hf_err_wrap(err, r, "set '%s' aside", path) : hf_err_wrap(err, -EBADMSG, "set aside as '%s'", aside);
}

int hf_sealed_file_explain_absence(const struct hf_fs_ops *fs, const char *folder, const char *name, struct hf_err *err)
{
    char path[PATH_MAX], aside[PATH_MAX + 16];
    struct stat st;
    int r = join(folder, name, path, err);

    if (r < 0)
        return r;
    (void)snprintf(aside, sizeof(aside), "%s.damaged", path);
    r = fs->fstatat(fs->ctx, AT_FDCWD, aside, &st, AT_SYMLINK_NOFOLLOW);
    if (r == -ENOENT)
        return r;
    if (r < 0)
        return hf_err_sys(err, r, "look for '%s'", aside);
    return hf_err_set(err, EBADMSG, "'%s' was set aside, and nothing has replaced it", aside);
}

int hf_sealed_file_load(const struct hf_fs_ops *fs, const char *folder, const char *name, const char *kind,
                        unsigned version, struct hf_buf *text, struct hf_view *ret_body, struct hf_err *err)
{
    char path[PATH_MAX];
    int r = join(folder, name, path, err);

    if (r == 0)
        r = hf_file_read(fs, path, text, err);
    if (r == 0)
        r = hf_seal_open(hf_buf_view(text), kind, version, ret_body, err);
    if (hf_file_is_damage(r) || r == -EOPNOTSUPP)
        r = hf_sealed_file_set_aside(fs, folder, name, err);
    return r;
}

int hf_sealed_file_save(const struct hf_fs_ops *fs, const char *folder, const char *name, struct hf_view text,
                        struct hf_err *err)
{
    char path[PATH_MAX];
    int r = join(folder, name, path, err);

    if (r == 0)
        r = hf_file_replace(fs, path, text.p, text.n, 0600, err);
    if (r != -ENOENT)
        return r;
    r = hf_dir_make(fs, folder, 0700, err);
    return r < 0 ? r : hf_file_replace(fs, path, text.p, text.n, 0600, err);
}

int hf_sealed_file_remove(const struct hf_fs_ops *fs, const char *folder, const char *name, struct hf_err *err)
{
    char path[PATH_MAX];
    int r = join(folder, name, path, err);

    return r < 0 ? r : hf_file_forget(fs, path, err);
}
