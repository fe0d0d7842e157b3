/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/files/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "os/owner.h"

enum { MAX_LINKS = 8 };

/* Appends the components of `text` to the normal path `out`, whose length is *n. */
static int append(char out[HF_FILES_MAX_PATH], size_t *n, const char *text)
{
    for (const char *at = text; *at != '\0'; at += *at == '/') {
        size_t part = strcspn(at, "/");
        if (part == 2 && at[0] == '.' && at[1] == '.') {
            while (*n > 0 && out[--*n] != '/')
                ;
        } else if (part > 0 && !(part == 1 && at[0] == '.')) {
            if (*n + part + 2 > HF_FILES_MAX_PATH)
                return -ENAMETOOLONG;
            out[(*n)++] = '/';
            memcpy(out + *n, at, part);
            *n += part;
        }
        at += part;
    }
    out[*n] = '\0';
    return 0;
}

/* Replaces the link at the first n bytes of `path` by its text. `folder` is the length of the folder's path. */
static int replace_link(const struct hf_fs_ops *fs, int dirfd, char path[HF_FILES_MAX_PATH], size_t folder, size_t n,
                        struct hf_err *err)
{
    char name[NAME_MAX + 1], text[HF_FILES_MAX_PATH], out[HF_FILES_MAX_PATH], why[128];
    struct stat st;
    int r = fs->fstat(fs->ctx, dirfd, &st);

    if (r < 0 || !hf_owner_is_safe(&st, why, sizeof(why)))
        return hf_err_set(err, ELOOP, "'%.*s' is a link that another user could have made", (int)n, path);
    (void)snprintf(name, sizeof(name), "%.*s", (int)(n - folder - 1), path + folder + 1);
    ssize_t got = fs->readlinkat(fs->ctx, dirfd, name, text, sizeof(text) - 1);
    if (got < 0)
        return hf_err_sys(err, (int)got, "read the link '%.*s'", (int)n, path);
    text[got] = '\0';
    size_t at = text[0] == '/' ? 0 : folder;
    memcpy(out, path, at);
    out[at] = '\0';
    r = append(out, &at, text);
    if (r == 0)
        r = append(out, &at, path + n);
    if (r < 0)
        return hf_err_sys(err, r, "path '%.200s'", path);
    memcpy(path, out, at + 1);
    return 1;
}

/* Walks along the path up to the first link, and replaces that. Returns 1 if it replaced one, 0 if there is none. */
static int pass(const struct hf_fs_ops *fs, const char *host_root, char path[HF_FILES_MAX_PATH], struct hf_err *err)
{
    _cleanup_(hf_files_walk_done) struct hf_files_walk walk = {.base = -1};
    int r = hf_files_walk_init(&walk, fs, host_root, false, err);

    for (size_t folder = 0, n = 0; r == 0 && path[folder] != '\0'; folder = n) {
        char above[HF_FILES_MAX_PATH], name[NAME_MAX + 1];
        struct stat st;
        size_t part = strcspn(path + folder + 1, "/");
        n = folder + 1 + part;
        if (part > NAME_MAX)
            return hf_err_set(err, ENAMETOOLONG, "a component of '%.200s' is too long", path);
        (void)snprintf(above, sizeof(above), "%.*s", (int)folder, path);
        (void)snprintf(name, sizeof(name), "%.*s", (int)part, path + folder + 1);
        int fd = hf_files_walk_to(&walk, above, false, err);
        if (fd < 0)
            return fd;
        r = fs->fstatat(fs->ctx, fd, name, &st, AT_SYMLINK_NOFOLLOW);
        if (r == -ENOENT)
            return 0;
        if (r < 0)
            return hf_err_sys(err, r, "stat '%.*s'", (int)n, path);
        if (S_ISLNK(st.st_mode))
            return replace_link(fs, fd, path, folder, n, err);
        if (!S_ISDIR(st.st_mode))
            return 0;
    }
    return r;
}

int hf_files_resolve(const struct hf_fs_ops *fs, const char *host_root, const char *path,
                     char ret_path[HF_FILES_MAX_PATH], struct hf_err *err)
{
    char text[HF_FILES_MAX_PATH] = "";
    size_t n = 0;
    int r = append(text, &n, path);

    if (r < 0)
        return hf_err_sys(err, r, "path '%.200s'", path);
    for (int links = 0; links <= MAX_LINKS; links++) {
        r = pass(fs, host_root, text, err);
        if (r == 1)
            continue;
        if (r == 0 && !hf_utf8_valid(text, strlen(text)))
            return hf_err_set(err, EILSEQ, "'%.200s' leads over a link to a name that is not UTF-8", path);
        if (r == 0)
            memcpy(ret_path, text, sizeof(text));
        return r;
    }
    return hf_err_set(err, ELOOP, "'%.200s' leads over too many links", path);
}
