/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/files/before.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "codec/state/sealed_file.h"
#include "manifests/files/content.h"
#include "manifests/files/place_impl.h"
#include "os/file.h"
#include "os/secret_ref.h"

#define CONTENTS "before"
#define LIST "before.list"

static int load_contents(const struct hf_fs_ops *fs, const char *folder, struct hf_bundle **ret_bundle,
                         struct hf_err *err)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/" CONTENTS, folder);
    return hf_bundle_load(fs, path, ret_bundle, err);
}

/* Loads the list. A damaged list that an earlier call has set aside stays damaged until another one is saved. */
static int load_list(const struct hf_fs_ops *fs, const char *folder, struct hf_inventory *list, struct hf_err *err)
{
    int r = hf_inventory_load(fs, folder, LIST, list, err);

    return r == -ENOENT ? hf_sealed_file_explain_absence(fs, folder, LIST, err) : r;
}

/* Makes a damaged list again, and saves it, because a list that is absent means that a cut came before it was there. */
static int list_contents(const struct hf_fs_ops *fs, const char *folder, const struct hf_bundle *bundle,
                         struct hf_inventory *list, struct hf_err *err)
{
    char path[HF_FILES_MAX_PATH];
    int r = 0;

    for (size_t i = 0; r == 0 && i < bundle->n; i++) {
        const struct hf_bundle_file *file = &bundle->files[i];
        struct hf_inventory_item item = {.path = path, .mode = file->mode, .size = file->bytes.n};
        (void)snprintf(path, sizeof(path), "/%s", file->path);
        hf_sha256_of(file->bytes.p, file->bytes.n, item.sha256, sizeof(item.sha256));
        r = hf_inventory_put(list, &item);
    }
    return r < 0 ? hf_err_sys(err, r, "list the files that are kept") : hf_inventory_save(fs, folder, LIST, list, err);
}

int hf_files_before_load(const struct hf_fs_ops *fs, const char *folder, bool lossy, struct hf_bundle **ret_bundle,
                         struct hf_inventory *ret_list, bool *ret_unknown, struct hf_err *err)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;
    struct hf_inventory list = {.items = NULL};
    int listed = load_list(fs, folder, &list, err);
    bool damaged = listed == -EBADMSG || (lossy && listed < 0 && listed != -ENOENT && listed != -ENOMEM);
    int r = listed == 0 || listed == -ENOENT || damaged ? load_contents(fs, folder, &bundle, err) : listed;
    /* An earlier call may have put the damaged list aside: next to damaged contents, its absence proves nothing. */
    bool unknown = r < 0 && (damaged || (listed == -ENOENT && r != -ENOENT));

    if (r == 0 && damaged)
        r = list_contents(fs, folder, bundle, &list, err);
    else if (r == 0 && listed == -ENOENT) /* a cut has come before the list was there, and so before any change */
        hf_bundle_free(hf_steal(bundle));
    if (r == -ENOENT || r == -EBADMSG || (lossy && r < 0 && r != -ENOMEM))
        r = 0;
    if (r == 0 && bundle == NULL) {
        bundle = hf_bundle_new();
        r = bundle != NULL ? hf_bundle_seal(bundle, err) : -ENOMEM;
    }
    if (r < 0) {
        hf_inventory_done(&list);
        return r;
    }
    *ret_bundle = hf_steal(bundle);
    *ret_list = list;
    *ret_unknown = unknown;
    return 0;
}

static int copy_old(const struct hf_bundle *old, struct hf_bundle *bundle, struct hf_err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < old->n; i++)
        r = hf_bundle_add(bundle, old->files[i].path, old->files[i].mode, old->files[i].bytes, err);
    return r;
}

static int keep_one(const struct hf_files_place *place, struct hf_files_walk *walk, const char *at,
                    struct hf_bundle *bundle, struct hf_inventory *list, struct hf_err *err)
{
    _cleanup_(hf_buf_wipe) struct hf_buf bytes = HF_BUF_INIT(HF_BUNDLE_MAX_FILE);
    struct hf_inventory_item kept = {.path = (char *)(uintptr_t)at, .secret = bundle->secret};
    struct stat st;
    const char *name;
    int fd = hf_files_walk_to_file(walk, at, false, &name, err);

    if (fd < 0)
        return fd;
    int r = place->fs->fstatat(place->fs->ctx, fd, name, &st, AT_SYMLINK_NOFOLLOW);
    if (r == 0 && st.st_size < HF_BUNDLE_MAX_FILE) /* at once, so that no half-grown copy of a secret stays in memory */
        r = hf_buf_reserve(&bytes, (size_t)st.st_size);
    if (r == 0)
        r = hf_files_read(place->fs, fd, name, &bytes);
    if (r < 0)
        return hf_err_sys(err, r, "keep '%.200s' for a rollback", at);
    kept.mode = st.st_mode & 07777;
    kept.uid = st.st_uid;
    kept.gid = st.st_gid;
    kept.size = bytes.n;
    hf_sha256_of(bytes.p, bytes.n, kept.sha256, sizeof(kept.sha256));
    r = hf_inventory_put(list, &kept);
    return r < 0 ? hf_err_sys(err, r, "keep '%.200s'", at)
                 : hf_bundle_add(bundle, at + 1, kept.mode, hf_buf_view(&bytes), err);
}

/* True for a file of somebody else that becomes the entry's own: replaced, or as wanted already. A rollback must not
 * remove it. */
static bool is_taken_over(const struct hf_files_place *place, size_t i)
{
    const struct hf_inventory_item *have = hf_inventory_find(place->inventory, place->want->items[i].path);

    return place->found.steps[i] == HF_PLAN_REPLACE ||
           (place->found.steps[i] == HF_PLAN_KEEP && !place->order.repair && (have == NULL || have->folder));
}

/* Adds the path of a file without its content. */
static int note_one(const struct hf_files_item *item, struct hf_inventory *list, struct hf_err *err)
{
    const struct hf_inventory_item taken = {
        .path = item->path, .mode = item->mode, .uid = item->uid, .gid = item->gid, .secret = true};
    int r = hf_inventory_put(list, &taken);

    return r < 0 ? hf_err_sys(err, r, "note '%.200s' for a rollback", item->path) : 0;
}

/* Returns 1 if the file at this path is in memory, 0 if it is on a disk, and -errno on failure. */
static int is_in_memory(const struct hf_files_place *place, struct hf_files_walk *walk, const char *path,
                        struct hf_err *err)
{
    const struct hf_fs_ops *fs = place->fs;
    const char *name;
    int folder = hf_files_walk_to_file(walk, path, false, &name, err);

    if (folder < 0)
        return folder;
    int fd = fs->openat(fs->ctx, folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    int r = fd < 0 ? fd : fs->is_memory(fs->ctx, fd);
    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
    return r < 0 ? hf_err_sys(err, r, "ask for the file system of '%.200s'", path) : r;
}

int hf_files_before_keep(const struct hf_files_place *place, struct hf_err *err)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *old = NULL, *bundle = hf_bundle_new();
    _cleanup_(hf_inventory_done) struct hf_inventory list = {.items = NULL};
    _cleanup_(hf_files_walk_done) struct hf_files_walk walk = {.base = -1};
    char path[PATH_MAX];
    bool unknown;
    int r =
        bundle == NULL ? -ENOMEM : hf_files_before_load(place->fs, place->folder, false, &old, &list, &unknown, err);

    if (r == 0)
        r = hf_files_place_walk(place, &walk, err);
    if (r == 0)
        r = copy_old(old, bundle, err);
    for (size_t i = 0; r == 0 && i < place->want->n; i++) {
        const struct hf_files_item *item = &place->want->items[i];
        if (!is_taken_over(place, i) || hf_inventory_find(&list, item->path) != NULL)
            continue;
        r = is_in_memory(place, &walk, item->path, err);
        if (r == 0)
            r = keep_one(place, &walk, item->path, bundle, &list, err);
        else if (r > 0) /* it may hold the secret of another entry, or of somebody else */
            r = note_one(item, &list, err);
    }
    if (r == 0)
        r = hf_bundle_seal(bundle, err);
    (void)snprintf(path, sizeof(path), "%s/" CONTENTS, place->folder);
    if (r == 0)
        r = hf_bundle_save(place->fs, path, bundle, err);
    return r == 0 ? hf_inventory_save(place->fs, place->folder, LIST, &list, err) : r;
}

int hf_files_before_note(const struct hf_files_place *place, struct hf_err *err)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *old = NULL;
    _cleanup_(hf_inventory_done) struct hf_inventory list = {.items = NULL};
    bool unknown;
    int r = hf_files_before_load(place->fs, place->folder, false, &old, &list, &unknown, err);
    size_t n = list.n;

    for (size_t i = 0; r == 0 && i < place->want->n; i++) {
        const struct hf_files_item *item = &place->want->items[i];
        if (is_taken_over(place, i) && hf_inventory_find(&list, item->path) == NULL)
            r = note_one(item, &list, err);
    }
    return r < 0 || list.n == n ? r : hf_inventory_save(place->fs, place->folder, LIST, &list, err);
}

bool hf_files_before_exist(const struct hf_fs_ops *fs, const char *folder)
{
    static const char *const names[] = {LIST, LIST ".damaged", CONTENTS};
    char path[PATH_MAX];
    struct stat st;

    for (size_t i = 0; i < HF_LEN(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        if (fs->fstatat(fs->ctx, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) != -ENOENT)
            return true;
    }
    return false;
}

static int read_own(const struct hf_files_place *place, struct hf_files_walk *walk, struct hf_bundle *bundle,
                    struct hf_inventory *list, struct hf_err *err)
{
    for (size_t i = 0; i < place->inventory->n; i++) {
        int r = place->inventory->items[i].folder
                    ? 0
                    : keep_one(place, walk, place->inventory->items[i].path, bundle, list, err);
        if (r < 0 && r != -ENOENT && r != -ENOTDIR && r != -ELOOP && r != -EINVAL) /* gone, or no file any more */
            return r;
    }
    return 0;
}

int hf_files_before_read(const struct hf_files_place *place, struct hf_bundle **ret_bundle,
                         struct hf_inventory *ret_list, struct hf_inventory *ret_foreign, struct hf_err *err)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = hf_bundle_new();
    _cleanup_(hf_inventory_done) struct hf_inventory list = {.items = NULL}, foreign = {.items = NULL};
    _cleanup_(hf_files_walk_done) struct hf_files_walk walk = {.base = -1};
    int r = bundle == NULL ? hf_err_set(err, ENOMEM, "out of memory") : hf_files_place_walk(place, &walk, err);

    if (r < 0)
        return r;
    bundle->secret = true;
    r = read_own(place, &walk, bundle, &list, err);
    for (size_t i = 0; r == 0 && i < place->want->n; i++) {
        const char *path = place->want->items[i].path;
        if (!is_taken_over(place, i) || hf_inventory_find(&list, path) != NULL)
            continue;
        r = keep_one(place, &walk, path, bundle, &list, err);
        if (r == 0)
            r = hf_inventory_put(&foreign, hf_inventory_find(&list, path));
    }
    if (r == 0)
        r = hf_bundle_seal(bundle, err);
    if (r < 0)
        return r;
    *ret_bundle = hf_steal(bundle);
    *ret_list = list;
    *ret_foreign = foreign;
    list = foreign = (struct hf_inventory){.items = NULL};
    return 0;
}

int hf_files_before_forget(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err)
{
    char path[PATH_MAX];
    int r = hf_sealed_file_remove(fs, folder, LIST, err);

    if (r < 0)
        return r;
    /* The contents alone prove nothing, so they go even if the damaged list stays. */
    r = hf_sealed_file_remove(fs, folder, LIST ".damaged", err);
    (void)snprintf(path, sizeof(path), "%s/" CONTENTS, folder);
    int forgotten = hf_file_forget(fs, path, r == 0 ? err : NULL);
    return r < 0 ? r : forgotten;
}
