/* SPDX-License-Identifier: Apache-2.0 */
#include "update/kept/offer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "update/install/tree.h"
#include "update/kept/folder.h"

static bool is_it(const struct hf_kept_offer *offer, int fd)
{
    const struct hf_fs_ops *fs = offer->target.fs;
    struct hf_failure ignored;
    char hex[HF_SHA256_HEX];
    struct stat st;
    uint64_t size;

    return fs->fstat(fs->ctx, fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == offer->size &&
           hf_target_hash_fd(fs, fd, NULL, hex, &size, &ignored) == 0 && strcmp(hex, offer->sha256) == 0;
}

static int open_at(const struct hf_fs_ops *fs, int dirfd, const char *name, int flags)
{
    return fs->openat(fs->ctx, dirfd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0,
                      HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
}

/* The file, if it is the content; else -ENOENT. */
static int take_file(const struct hf_kept_offer *offer, int dirfd, const char *name)
{
    const struct hf_fs_ops *fs = offer->target.fs;
    int fd = open_at(fs, dirfd, name, O_RDONLY);

    if (fd >= 0 && is_it(offer, fd))
        return fd;
    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
    return -ENOENT;
}

/* The archive of the folder, in a file whose name is gone. */
static int take_tree(const struct hf_kept_offer *offer, const struct hf_target_dir *dir, int dirfd, const char *folder,
                     struct hf_failure *failure)
{
    const struct hf_fs_ops *fs = dir->fs;
    char scratch[NAME_MAX + 1];
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd top = {fs, open_at(fs, dirfd, folder, O_RDONLY | O_DIRECTORY)};

    if (top.fd < 0)
        return -ENOENT;
    (void)hf_target_file_name(dir->release, HF_TARGET_SCRATCH, scratch);
    int fd = hf_target_make_file(dir, scratch, failure);
    if (fd < 0)
        return fd;
    int r = hf_target_unlink(dir, scratch, failure);
    if (r == 0)
        r = kept_archive(fs, top.fd, offer->size, fd, NULL, failure);
    if (r == 0 && is_it(offer, fd))
        return fd;
    (void)fs->close(fs->ctx, fd);
    return -ENOENT;
}

static int take(const struct hf_kept_offer *offer, const struct hf_target_dir *dir, int dirfd, const char *name,
                struct hf_failure *failure)
{
    return offer->kind == HF_INSTALL_FILE ? take_file(offer, dirfd, name) : take_tree(offer, dir, dirfd, name, failure);
}

int hf_kept_offer(const struct hf_kept_offer *offer, struct hf_failure *failure)
{
    struct hf_target_dir dir;
    char name[HF_MAX(NAME_MAX + 1, KEPT_NAME)], folder[HF_INSTALL_MANIFEST_VERSION], text[HF_TARGET_MAX_PATH];
    int r = hf_target_open(&offer->target, &dir, NULL, failure);

    if (r < 0)
        return r;
    r = take_file(offer, dir.dirfd, hf_target_file_name(dir.release, HF_TARGET_NEW, name));
    _cleanup_(hf_fs_fd_done) struct hf_fs_fd kept = {dir.fs, r == -ENOENT ? kept_open(&dir, false, failure) : -1};
    for (unsigned form = HF_KEPT_COPY; r == -ENOENT && kept.fd >= 0 && form <= HF_KEPT_LINK; form++)
        r = take(offer, &dir, kept.fd, kept_name(offer->sha256, (enum hf_kept_source)form, name), failure);
    if (r == -ENOENT && offer->kind == HF_INSTALL_FILE)
        r = take_file(offer, dir.dirfd, dir.name);
    else if (r == -ENOENT)
        r = take_tree(offer, &dir, dir.dirfd,
                      hf_tree_link(dir.release, hf_tree_folder(dir.release, offer->sha256, "", folder), text), failure);
    hf_target_dir_done(&dir);
    return r;
}
