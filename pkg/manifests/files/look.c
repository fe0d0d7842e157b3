/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/files/look.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "manifests/files/content.h"
#include "manifests/files/walk.h"

static const uint64_t settled_ns = 2 * HF_NS_PER_S;

static uint64_t ns_of(struct timespec time)
{
    return (uint64_t)time.tv_sec * HF_NS_PER_S + (uint64_t)time.tv_nsec;
}

static bool is_as_seen(const struct hf_inventory_item *item, const struct stat *st)
{
    return item->seen.inode != 0 && item->seen.inode == st->st_ino && item->seen.mtime_ns == ns_of(st->st_mtim) &&
           item->seen.ctime_ns == ns_of(st->st_ctim);
}

static void note(const struct hf_files_look *look, struct hf_inventory_item *item, const struct stat *st)
{
    uint64_t changed = ns_of(st->st_ctim);

    if (changed + settled_ns >= look->now_unix_ns)
        return;
    item->seen.inode = st->st_ino;
    item->seen.mtime_ns = ns_of(st->st_mtim);
    item->seen.ctime_ns = changed;
}

static int look_at(struct hf_files_look *look, int dirfd, const char *name, struct hf_inventory_item *item,
                   enum hf_diff_kind *ret_kind)
{
    unsigned char sha256[HF_SHA256_BYTES];
    struct stat st;
    int r = look->fs->fstatat(look->fs->ctx, dirfd, name, &st, AT_SYMLINK_NOFOLLOW);

    *ret_kind = HF_DIFF_MISSING;
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    *ret_kind = HF_DIFF_TYPE;
    if (!S_ISREG(st.st_mode))
        return 0;
    *ret_kind = HF_DIFF_CONTENT;
    if ((uint64_t)st.st_size != item->size && !item->unread)
        return 0;
    if (!item->unread && (!is_as_seen(item, &st) || (look->full && hf_files_others_may_write(&st)))) {
        memset(&item->seen, 0, sizeof(item->seen));
        look->n_read++;
        r = hf_files_hash(look->fs, dirfd, name, item->size, sha256);
        if (r < 0) {
            look->n_unreadable += r == -EIO; /* written anew, the file lies on other blocks */
            return r == -EIO || hf_files_is_another(r) ? 0 : r;
        }
        if (memcmp(sha256, item->sha256, sizeof(sha256)) != 0)
            return 0;
        note(look, item, &st);
    }
    *ret_kind = (st.st_mode & 07777) != item->mode                 ? HF_DIFF_MODE
                : st.st_uid != item->uid || st.st_gid != item->gid ? HF_DIFF_OWNER
                                                                   : HF_DIFF_NONE;
    return 0;
}

int hf_files_look_for_drift(struct hf_files_look *look, struct hf_err *err)
{
    _cleanup_(hf_files_walk_done) struct hf_files_walk walk = {.base = -1};
    int r = hf_files_walk_init(&walk, look->fs, look->host_root, false, err);

    look->diff = (struct hf_diff){.n = 0};
    look->n_read = look->n_unreadable = 0;
    for (size_t i = 0; r == 0 && i < look->inventory->n; i++) {
        struct hf_inventory_item *item = &look->inventory->items[i];
        enum hf_diff_kind kind = HF_DIFF_MISSING;
        const char *name;
        if (item->folder)
            continue;
        int fd = hf_files_walk_to_file(&walk, item->path, false, &name, err);
        if (fd < 0 && fd != -ENOENT && fd != -ENOTDIR && fd != -ELOOP)
            return fd;
        if (fd >= 0)
            r = look_at(look, fd, name, item, &kind);
        if (r < 0)
            return hf_err_sys(err, r, "look at '%.200s'", item->path);
        if (kind != HF_DIFF_NONE)
            hf_diff_add(&look->diff, item->path, kind);
    }
    return r;
}
