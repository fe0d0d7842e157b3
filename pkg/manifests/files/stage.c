/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the new files into the staging folder, and keeps a copy of files of somebody else that the swap takes over. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "manifests/files/before.h"
#include "manifests/files/content.h"
#include "manifests/files/place_impl.h"
#include "os/dir.h"

enum { INODE_RESERVE_PERCENT = 5 }; /* of the inodes of a file system that has a fixed number of them */

/* How much room staging and the swap use on the file system of the target. */
struct need {
    uint64_t bytes, inodes;
};

/* Each file and each folder takes an inode and, at its end, a part of a block. The swap makes the folders in the target
 * while those in the staging folder are still there. */
static struct need find_need(const struct hf_files_place *place, uint64_t block)
{
    struct need need = {.bytes = 0};
    const char *before = "";

    for (size_t i = 0; i < place->want->n; i++) {
        const struct hf_files_item *item = &place->want->items[i];
        if (place->found.steps[i] == HF_PLAN_KEEP && !place->order.stage_all)
            continue;
        uint64_t folders = 2 * hf_bundle_new_folders(before, item->rel);
        need.inodes += 1 + folders;
        need.bytes += item->bytes.n + (1 + folders) * block;
        before = item->rel;
    }
    return need;
}

/* The texts do not say how much is free: a text that changes all the time would be written and sent each time. */
static int check_space(const struct hf_files_place *place, struct hf_err *err)
{
    struct statvfs fs;

    if (place->order.repair || place->fs->fstatvfs(place->fs->ctx, place->staged.above_fd, &fs) < 0)
        return 0; /* the writes will tell */
    struct need need = find_need(place, fs.f_bsize);
    if (place->bounds.reserve != NULL)
        need.bytes += place->bounds.reserve(place->bounds.arg, (uint64_t)fs.f_blocks * fs.f_frsize);
    if ((uint64_t)fs.f_bavail * fs.f_frsize < need.bytes)
        return hf_err_set(err, ENOSPC,
                          "the disk of '%.200s' has less free than the %llu MiB that the files and the reserve need",
                          place->want->root, (unsigned long long)(need.bytes >> 20) + 1);
    uint64_t reserve = place->bounds.reserve != NULL ? (uint64_t)fs.f_files / 100 * INODE_RESERVE_PERCENT : 0;
    if (fs.f_files == 0 || fs.f_favail >= need.inodes + reserve) /* 0: it makes inodes as it needs them */
        return 0;
    char text[48] = "";
    if (reserve > 0)
        (void)snprintf(text, sizeof(text), ", and the reserve of %d %%", INODE_RESERVE_PERCENT);
    return hf_err_set(err, ENOSPC, "the disk of '%.160s' has fewer inodes free than the %llu for files and folders%s",
                      place->want->root, (unsigned long long)need.inodes, text);
}

/* Opens a new, empty staging folder. */
static int open_stage(struct hf_files_place *place, struct hf_err *err)
{
    _cleanup_(hf_files_walk_done) struct hf_files_walk walk = {.base = -1};
    const struct hf_fs_ops *fs = place->fs;
    char folder[HF_FILES_MAX_PATH], name[NAME_MAX + 1];
    int r = hf_files_place_walk(place, &walk, err);

    walk.made = &place->staged.made;
    if (place->secret)
        walk.mode = 0700;
    if (r == 0)
        r = hf_files_place_find_stage(place, &walk, folder, err);
    if (r < 0)
        return r;
    int above = walk.fd;
    if (place->secret && hf_files_place_check_memory(place, above, err) < 0)
        return -err->code;
    hf_files_place_stage_name(place, name);
    r = hf_dir_remove_tree_at(fs, above, name, err);
    if (r < 0)
        return r;
    r = fs->mkdirat(fs->ctx, above, name, 0700);
    int fd = r < 0 ? r
                   : fs->openat(fs->ctx, above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                                HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    if (fd < 0)
        return hf_err_sys(err, fd, "make folder '%.200s/%s'", folder, name);
    place->staged.stage_fd = fd;
    place->staged.above_fd = fs->openat(fs->ctx, above, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    if (place->staged.above_fd < 0)
        return hf_err_sys(err, place->staged.above_fd, "open folder '%.200s'", folder);
    int n = snprintf(place->staged.candidate, sizeof(place->staged.candidate), "%s/%s", folder, name);
    if (place->want->single)
        n += snprintf(place->staged.candidate + n, sizeof(place->staged.candidate) - (size_t)n, "/%s",
                      place->want->items[0].rel);
    if ((size_t)n >= sizeof(place->staged.candidate))
        return hf_err_set(err, ENAMETOOLONG, "path '%.200s' is too long", folder);
    return 0;
}

static int write_items(struct hf_files_place *place, struct hf_err *err)
{
    _cleanup_(hf_files_walk_done) struct hf_files_walk walk = {.base = -1};
    const struct hf_fs_ops *fs = place->fs;
    int base = fs->openat(fs->ctx, place->staged.stage_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);

    if (base < 0)
        return hf_err_sys(err, base, "open the staging folder");
    hf_files_walk_from(&walk, fs, base);
    walk.mode = place->order.stage_all && !place->secret
                    ? 0755
                    : 0700; /* a command that judges the whole may run as another user */
    for (size_t i = 0; i < place->want->n; i++) {
        const struct hf_files_item *item = &place->want->items[i];
        char rel[HF_FILES_MAX_PATH + 1];
        const char *name;
        if (place->found.steps[i] == HF_PLAN_KEEP && !place->order.stage_all)
            continue;
        (void)snprintf(rel, sizeof(rel), "/%s", item->rel);
        int fd = hf_files_walk_to_file(&walk, rel, true, &name, err);
        int r = fd < 0 ? fd : hf_files_write(fs, fd, name, item->bytes, item->mode, item->uid, item->gid);
        if (r < 0)
            return fd < 0 ? r : hf_err_sys(err, r, "write '%.200s'", item->path);
    }
    return 0;
}

int hf_files_place_stage(struct hf_files_place *place, struct hf_manifest_outcome *outcome)
{
    struct hf_err err = HF_ERR_INIT;
    bool writes = place->found.n_write > 0 || place->order.stage_all;
    int r = writes ? open_stage(place, &err) : 0;

    if (r == 0 && writes)
        r = check_space(place, &err);
    /* Also if nothing is written: the set may remove files and fail its checks, and then give back what it has taken
     * over. */
    if (r == 0 && place->found.n_replace + place->found.n_adopt > 0 && !place->secret)
        r = hf_files_before_keep(place, &err);
    if (r == 0 && writes)
        r = write_items(place, &err);
    return r < 0 ? hf_files_place_fail(outcome, r, &err) : 0;
}
