/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the staged files in place, removes what the set lacks, and keeps the inventory true at every moment. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifests/files/content.h"
#include "manifests/files/place_impl.h"
#include "os/dir.h"

#define INVENTORY "inventory"

/* ---- inventories ------------------------------------------------------------------------------------------------- */

static int copy_items(const struct hf_inventory *from, struct hf_inventory *to)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < from->n; i++)
        r = hf_inventory_put(to, &from->items[i]);
    return r;
}

static struct hf_inventory_item item_of(const struct hf_files_place *place, size_t i)
{
    const struct hf_files_item *item = &place->want->items[i];
    const struct hf_inventory_item *have = hf_inventory_find(place->inventory, item->path);
    struct hf_inventory_item made = {.path = item->path,
                                     .mode = item->mode,
                                     .uid = item->uid,
                                     .gid = item->gid,
                                     .size = item->bytes.n,
                                     .secret = place->secret};

    memcpy(made.sha256, item->sha256, sizeof(made.sha256));
    if (have != NULL && !have->folder && place->found.steps[i] == HF_PLAN_KEEP)
        made.seen = have->seen;
    return made;
}

static int add_wanted(const struct hf_files_place *place, struct hf_inventory *to)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < place->want->n; i++) {
        struct hf_inventory_item item = item_of(place, i);
        r = hf_inventory_put(to, &item);
    }
    for (size_t i = 0; r == 0 && i < place->staged.made.n; i++) {
        struct hf_inventory_item folder = {.path = place->staged.made.entries[i].key, .folder = true};
        r = hf_inventory_put(to, &folder);
    }
    return r;
}

struct room {
    size_t items, path_bytes;
};

static void add_room(const struct hf_files_place *place, const char *path, struct room *room)
{
    if (hf_inventory_find(place->inventory, path) != NULL)
        return;
    room->items++;
    room->path_bytes += strlen(path);
}

/* Checks, before anything changes, that the inventory can hold each file of the set and each folder that the swap may
 * make: nobody would ever remove a folder that is not in it. A repair passes, because its files are there already. The
 * way back to what was in place before passes, too. */
static int check_room(const struct hf_files_place *place, struct hf_err *err)
{
    struct room room = {.items = 0};
    char folder[HF_FILES_MAX_PATH];

    for (size_t i = 0; i < place->want->n; i++)
        add_room(place, place->want->items[i].path, &room);
    if (room.items == 0 || place->bounds.allows == NULL)
        return 0;
    for (size_t i = 0; i < place->want->n; i++) {
        const char *path = place->want->items[i].path, *slash = path + strlen(path);
        size_t n = hf_bundle_new_folders(i > 0 ? place->want->items[i - 1].path : "", path);
        while (n-- > 0 && (slash = memrchr(path, '/', (size_t)(slash - path))) != NULL && slash > path) {
            (void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
            add_room(place, folder, &room);
        }
    }
    if (hf_inventory_has_room(place->inventory, room.items, room.path_bytes))
        return 0;
    return hf_err_set(err, E2BIG, "the inventory of '%.160s' has no room for %zu more files and folders",
                      place->want->root, room.items);
}

/* The new inventory may be in place although its save failed, as when its folder cannot be synced. */
static bool is_begun(const struct hf_files_place *place)
{
    _cleanup_(hf_inventory_done) struct hf_inventory now = {.pending = false};
    int r = hf_inventory_load(place->fs, place->folder, INVENTORY, &now, NULL);

    return r == 0 ? now.pending : r != -ENOENT;
}

/* Both sets are the entry's own from now on. */
static int begin(struct hf_files_place *place, struct hf_err *err)
{
    _cleanup_(hf_inventory_done) struct hf_inventory both = {.pending = true};
    int r = copy_items(place->inventory, &both);

    if (r == 0)
        r = add_wanted(place, &both);
    if (r < 0)
        return hf_err_sys(err, r, "record what is about to change");
    assert(both.n >= place->inventory->n && both.n >= place->want->n);
    r = hf_inventory_replace(place->fs, place->folder, INVENTORY, place->inventory, &both, err);
    if (r < 0 && is_begun(place))
        place->inventory->pending = true;
    return r;
}

static bool is_above_wanted(const struct hf_files_place *place, const char *folder)
{
    size_t n = strlen(folder);

    for (size_t i = 0; i < place->want->n; i++)
        if (strncmp(place->want->items[i].path, folder, n) == 0 && place->want->items[i].path[n] == '/')
            return true;
    return false;
}

/* Only the wanted files are the entry's own, and the folders that it made for them. With `keep_own`, its other files
 * stay its own, too. */
static int finish(struct hf_files_place *place, struct hf_err *err)
{
    _cleanup_(hf_inventory_done) struct hf_inventory wanted = {.pending = false};
    int r = add_wanted(place, &wanted);

    for (size_t i = 0; r == 0 && i < place->inventory->n; i++) {
        const struct hf_inventory_item *item = &place->inventory->items[i];
        bool stays = item->folder ? is_above_wanted(place, item->path)
                                  : place->order.keep_own && hf_files_want_find(place->want, item->path) == NULL &&
                                        hf_strmap_get(&place->found.superseded, item->path) == NULL;
        if (stays)
            r = hf_inventory_put(&wanted, item);
    }
    return r < 0 ? hf_err_sys(err, r, "record what is in place")
                 : hf_inventory_replace(place->fs, place->folder, INVENTORY, place->inventory, &wanted, err);
}

/* ---- renames and removals ---------------------------------------------------------------------------------------- */

/* Syncs the folder that the walk is about to leave, if its names have changed. */
static int leave(struct hf_files_walk *walk, const char *path, bool *dirty, struct hf_err *err)
{
    size_t n = strlen(walk->path);
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;

    if (!*dirty || walk->fd < 0 || (slash != NULL && (size_t)(slash - path) == n && strncmp(walk->path, path, n) == 0))
        return 0;
    *dirty = false;
    int r = hf_files_walk_sync(walk->fs, walk->fd);
    return r < 0 ? hf_err_sys(err, r, "sync folder '%.200s'", walk->path) : 0;
}

static int open_from(struct hf_files_place *place, struct hf_files_walk *from, struct hf_err *err)
{
    int base = place->fs->openat(place->fs->ctx, place->staged.stage_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
                                 HF_FS_ANY);

    if (base < 0)
        return hf_err_sys(err, base, "open the staging folder");
    hf_files_walk_from(from, place->fs, base);
    return 0;
}

/* Puts a file of somebody else back that lies on another file system than the staging folder. */
static int put_back(const struct hf_files_place *place, int target, const char *name, const struct hf_files_item *item,
                    struct hf_err *err)
{
    char staged[NAME_MAX + 1];

    hf_files_place_stage_name(place, staged);
    int r = hf_dir_remove_tree_at(place->fs, target, staged, err);
    if (r < 0)
        return r;
    r = hf_files_write(place->fs, target, staged, item->bytes, item->mode, item->uid, item->gid);
    if (r == 0)
        r = place->fs->renameat(place->fs->ctx, target, staged, target, name);
    if (r < 0)
        (void)place->fs->unlinkat(place->fs->ctx, target, staged, 0);
    return r;
}

static bool is_below_root(const struct hf_files_place *place, const char *path)
{
    size_t n = strlen(place->want->root);

    return strncmp(path, place->want->root, n) == 0 && path[n] == '/';
}

static int rename_one(struct hf_files_place *place, struct hf_files_walk *from, struct hf_files_walk *to,
                      const struct hf_files_item *item, struct hf_err *err)
{
    char rel[HF_FILES_MAX_PATH + 1];
    const char *staged, *name;

    (void)snprintf(rel, sizeof(rel), "/%s", item->rel);
    int source = hf_files_walk_to_file(from, rel, false, &staged, err);
    int target = source < 0 ? source : hf_files_walk_to_file(to, item->path, true, &name, err);
    if (target < 0)
        return target;
    int r = place->fs->renameat(place->fs->ctx, source, staged, target, name);
    if (r == -EXDEV && !is_below_root(place, item->path))
        r = put_back(place, target, name, item, err);
    if (r == -EBUSY)
        return hf_err_set(
            err, EBUSY,
            "put '%.120s' in place: a mount point cannot be replaced: mount the folder above the file, not "
            "the file",
            item->path);
    if (r == -EXDEV)
        return hf_err_set(err, EXDEV,
                          "put '%.120s' in place: its folder is another mount than '%.80s': an entry of its own can "
                          "write there",
                          item->path, place->want->root);
    return r < 0 ? hf_err_sys(err, r, "put '%.200s' in place", item->path) : 0;
}

/* Opens the folder of a file that is as wanted already, so that it is synced. */
static int open_kept(struct hf_files_walk *to, const struct hf_files_item *item, struct hf_err *err)
{
    const char *name;
    int fd = hf_files_walk_to_file(to, item->path, false, &name, err);

    return fd < 0 && fd != -ENOENT ? fd : 0; /* a repair leaves out what is not the entry's own */
}

/* `cut`: an earlier swap has not come to its end. It may have put files in place without a sync of their folder, and a
 * power cut would bring back what was there before. */
static int rename_all(struct hf_files_place *place, struct hf_files_walk *to, bool cut, struct hf_err *err)
{
    _cleanup_(hf_files_walk_done) struct hf_files_walk from = {.base = -1};
    bool dirty = false;
    int r = place->found.n_write > 0 ? open_from(place, &from, err) : 0;

    for (size_t i = 0; r == 0 && i < place->want->n; i++) {
        const struct hf_files_item *item = &place->want->items[i];
        bool stays = place->found.steps[i] == HF_PLAN_KEEP;
        if (stays && !cut)
            continue;
        r = leave(to, item->path, &dirty, err);
        if (r == 0)
            r = stays ? open_kept(to, item, err) : rename_one(place, &from, to, item, err);
        dirty = dirty || r == 0;
    }
    return r == 0 ? leave(to, NULL, &dirty, err) : r;
}

/* Removes files that the set lacks: only superseded ones, or all. Whatever is in their place and is no file stays. */
static int remove_files(struct hf_files_place *place, struct hf_files_walk *to, bool superseded, struct hf_err *err)
{
    bool dirty = false;
    int r = 0;

    for (size_t i = 0; r == 0 && i < place->inventory->n; i++) {
        const struct hf_inventory_item *item = &place->inventory->items[i];
        const char *name;
        if (item->folder || hf_files_want_find(place->want, item->path) != NULL ||
            (superseded && hf_strmap_get(&place->found.superseded, item->path) == NULL))
            continue;
        r = leave(to, item->path, &dirty, err);
        int fd = r < 0 ? r : hf_files_walk_to_file(to, item->path, false, &name, err);
        if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
            continue;
        r = fd < 0 ? fd : place->fs->unlinkat(place->fs->ctx, fd, name, 0);
        /* A process that was killed may have removed it before its sync: a power cut would bring the file back, and the
         * inventory would not know it. */
        dirty = dirty || r == 0 || r == -ENOENT;
        if (r == -ENOENT || r == -EISDIR)
            r = 0;
        if (r < 0 && fd >= 0)
            (void)hf_err_sys(err, r, "remove '%.200s'", item->path);
    }
    return r == 0 ? leave(to, NULL, &dirty, err) : r;
}

/* Removes the folders that the entry made and that are empty now, the deepest first. */
static int remove_folders(struct hf_files_place *place, struct hf_files_walk *to, struct hf_err *err)
{
    for (size_t i = place->inventory->n; place->order.prune && i > 0; i--) {
        const struct hf_inventory_item *item = &place->inventory->items[i - 1];
        const char *name;
        if (!item->folder || is_above_wanted(place, item->path))
            continue;
        int fd = hf_files_walk_to_file(to, item->path, false, &name, NULL);
        if (fd < 0)
            continue;
        int r = place->fs->unlinkat(place->fs->ctx, fd, name, AT_REMOVEDIR);
        if (r == 0 || r == -ENOENT) /* a killed process may have removed it before its sync */
            r = hf_files_walk_sync(place->fs, fd);
        if (r == -EIO || r == -EROFS)
            return hf_err_sys(err, r, "remove folder '%.200s'", item->path);
    }
    return 0;
}

bool hf_files_place_is_recorded(const struct hf_files_place *place)
{
    if (hf_inventory_files(place->inventory) != place->want->n)
        return false;
    for (size_t i = 0; i < place->want->n; i++)
        if (!hf_files_place_has_recorded(hf_inventory_find(place->inventory, place->want->items[i].path),
                                         &place->want->items[i]))
            return false;
    return true;
}

static bool is_inventory_true(const struct hf_files_place *place)
{
    const struct hf_inventory *inventory = place->inventory;

    if (inventory->pending || place->staged.made.n > 0 || !hf_files_place_is_recorded(place))
        return false;
    for (size_t i = 0; i < inventory->n; i++)
        if (inventory->items[i].unread)
            return false;
    return true;
}

int hf_files_place_swap(struct hf_files_place *place, struct hf_manifest_outcome *outcome)
{
    _cleanup_(hf_files_walk_done) struct hf_files_walk to = {.base = -1};
    struct hf_err err = HF_ERR_INIT;
    bool known = is_inventory_true(place), cut = place->inventory->pending;
    int r = check_room(place, &err);

    if (r == 0 && !known)
        r = begin(place, &err);
    if (r == 0)
        r = hf_files_place_walk(place, &to, &err);
    /* From here on files change: each of both sets is in the inventory, and `prune` has passed its guard. */
    assert(r < 0 || known || place->inventory->pending);
    assert(place->order.prune || place->found.n_prune == 0);
    assert(place->pods || place->found.superseded.n == 0);
    to.made = &place->staged.made;
    if (place->secret)
        to.mode = 0700;
    /* To the kubelet the superseded file and the new one are one pod. If the old file went last, the kubelet would end
     * the pod until it lists the folder again. */
    if (r == 0)
        r = remove_files(place, &to, true, &err);
    if (r == 0)
        r = rename_all(place, &to, cut, &err);
    if (r == 0 && place->order.prune)
        r = remove_files(place, &to, false, &err);
    if (r == 0)
        r = remove_folders(place, &to, &err);
    if (r == 0 && (!known || place->staged.made.n > 0))
        r = finish(place, &err);
    if (r < 0)
        return hf_files_place_fail(outcome, r, &err);
    assert(!place->inventory->pending);
    /* The staging folder has nothing that anybody needs; what stays there a later cleanup removes. */
    struct hf_manifest_outcome ignored = {.r = 0};
    if (hf_files_place_clean(place, place->want->root, &ignored) == 0)
        place->staged.candidate[0] = '\0';
    outcome->applied = (unsigned)place->want->n;
    outcome->changed = (unsigned)place->found.n_write;
    outcome->pruned = (unsigned)place->found.n_prune;
    outcome->drifted = (unsigned)place->found.diff.n;
    return 0;
}
