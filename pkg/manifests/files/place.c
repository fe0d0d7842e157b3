/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/files/place.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "manifests/files/content.h"
#include "manifests/files/place_impl.h"
#include "manifests/files/pods.h"
#include "os/dir.h"

void hf_files_place_init(struct hf_files_place *place)
{
    *place = (struct hf_files_place){.staged = {.stage_fd = -1, .above_fd = -1}};
}

void hf_files_place_done(struct hf_files_place *place)
{
    if (place->staged.stage_fd >= 0)
        (void)place->fs->close(place->fs->ctx, place->staged.stage_fd);
    if (place->staged.above_fd >= 0)
        (void)place->fs->close(place->fs->ctx, place->staged.above_fd);
    place->staged.stage_fd = place->staged.above_fd = -1;
    free(hf_steal(place->found.steps));
    hf_closed_free(hf_steal(place->found.closed));
    hf_strmap_done(&place->staged.made);
    hf_strmap_done(&place->found.superseded);
}

int hf_files_place_fail(struct hf_manifest_outcome *outcome, int r, struct hf_err *err)
{
    return hf_manifest_outcome_fail(outcome, hf_manifest_outcome_reason(r), r, err);
}

int hf_files_place_walk(const struct hf_files_place *place, struct hf_files_walk *walk, struct hf_err *err)
{
    int r = hf_files_walk_init(walk, place->fs, place->host_root, place->guard, err);

    walk->closed = hf_closed_ids(place->found.closed, &walk->n_closed);
    return r;
}

/* ---- compare ----------------------------------------------------------------------------------------------------- */

static uint64_t ns_of(struct timespec time)
{
    return (uint64_t)time.tv_sec * HF_NS_PER_S + (uint64_t)time.tv_nsec;
}

static bool is_unchanged(const struct hf_inventory_item *item, const struct stat *st)
{
    return !hf_files_others_may_write(st) && item->seen.inode != 0 && item->seen.inode == st->st_ino &&
           item->seen.mtime_ns == ns_of(st->st_mtim) && item->seen.ctime_ns == ns_of(st->st_ctim) &&
           item->size == (uint64_t)st->st_size;
}

bool hf_files_place_has_recorded(const struct hf_inventory_item *have, const struct hf_files_item *item)
{
    return have != NULL && !have->folder && have->mode == item->mode && have->uid == item->uid &&
           have->gid == item->gid && (have->unread || memcmp(have->sha256, item->sha256, sizeof(have->sha256)) == 0);
}

/* What is at the path, and in which way it differs. */
static int look_at(const struct hf_files_place *place, int dirfd, const char *name, const struct hf_files_item *item,
                   enum hf_plan_seen *ret_seen, enum hf_diff_kind *ret_kind)
{
    const struct hf_inventory_item *have = hf_inventory_find(place->inventory, item->path);
    unsigned char sha256[HF_SHA256_BYTES];
    struct stat st;
    int r = place->fs->fstatat(place->fs->ctx, dirfd, name, &st, AT_SYMLINK_NOFOLLOW);

    *ret_seen = HF_PLAN_OTHER;
    if (r == -ENOENT) {
        *ret_seen = HF_PLAN_ABSENT;
        *ret_kind = HF_DIFF_MISSING;
        return 0;
    }
    if (r < 0)
        return r;
    if (!S_ISREG(st.st_mode)) {
        *ret_seen = S_ISLNK(st.st_mode) ? HF_PLAN_LINK : HF_PLAN_SPECIAL;
        *ret_kind = HF_DIFF_TYPE;
        return 0;
    }
    *ret_kind = HF_DIFF_CONTENT;
    if ((uint64_t)st.st_size != item->bytes.n)
        return 0;
    if (have != NULL && !have->folder && !have->unread && is_unchanged(have, &st)) {
        memcpy(sha256, have->sha256, sizeof(sha256));
    } else {
        r = hf_files_hash(place->fs, dirfd, name, item->bytes.n, sha256);
        if (r < 0)
            return r == -EIO || hf_files_is_another(r) ? 0 : r; /* on a worn block, or it has just changed */
    }
    if (memcmp(sha256, item->sha256, sizeof(sha256)) != 0)
        return 0;
    if ((st.st_mode & 07777) != item->mode)
        *ret_kind = HF_DIFF_MODE;
    else if (st.st_uid != item->uid || st.st_gid != item->gid)
        *ret_kind = HF_DIFF_OWNER;
    else
        *ret_kind = HF_DIFF_NONE;
    if (*ret_kind == HF_DIFF_NONE)
        *ret_seen = HF_PLAN_SAME;
    return 0;
}

/* ---- superseded pods --------------------------------------------------------------------------------------------- */

/* The inventory has a file of the pod folder that the set lacks. */
static bool is_left_over(const struct hf_files_place *place, const struct hf_inventory_item *item)
{
    size_t n = strlen(place->want->root);

    return place->pods && !item->folder && strncmp(item->path, place->want->root, n) == 0 && item->path[n] == '/' &&
           strchr(item->path + n + 1, '/') == NULL && hf_files_want_find(place->want, item->path) == NULL;
}

/* Adds `path` to place->found.superseded if the file holds a pod that the set has under another name. A file that
 * holds no pod is not superseded. */
static int look_at_left_over(struct hf_files_place *place, struct hf_files_walk *walk, const char *path,
                             struct hf_err *err)
{
    _cleanup_(hf_buf_wipe) struct hf_buf text = HF_BUF_INIT(HF_BUNDLE_MAX_FILE); /* it may be a secret */
    char wanted[HF_FILES_MAX_PATH + NAME_MAX + 2];
    char *pod = NULL;
    const char *name;
    int fd = hf_files_walk_to_file(walk, path, false, &name, err);

    if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
        return 0;
    int r = fd < 0 ? fd : hf_files_read(place->fs, fd, name, &text);
    if (r == -ENOENT || r == -E2BIG || hf_files_is_another(r))
        return 0;
    if (r == 0)
        r = hf_pods_name(place->entry, hf_buf_view(&text), &pod);
    if (r == -EBADMSG || r == -ENAMETOOLONG)
        return 0;
    if (r == 0) {
        (void)snprintf(wanted, sizeof(wanted), "%s/%s", place->want->root, pod);
        free(pod);
        if (hf_files_want_find(place->want, wanted) != NULL)
            r = hf_strmap_put(&place->found.superseded, path, place);
    }
    return r < 0 ? hf_err_sys(err, r, "look for a pod in '%.200s'", path) : 0;
}

static int find_superseded(struct hf_files_place *place, struct hf_files_walk *walk, struct hf_err *err)
{
    int r = 0;

    hf_strmap_done(&place->found.superseded);
    place->found.renames = false;
    for (size_t i = 0; r == 0 && i < place->inventory->n; i++)
        if (is_left_over(place, &place->inventory->items[i])) {
            place->found.renames = true;
            r = look_at_left_over(place, walk, place->inventory->items[i].path, err);
        }
    return r;
}

/* ---- each file --------------------------------------------------------------------------------------------------- */

static int compare_item(struct hf_files_place *place, struct hf_files_walk *walk, size_t i, struct hf_diff *foreign,
                        bool *ret_special, struct hf_err *err)
{
    const struct hf_files_item *item = &place->want->items[i];
    const struct hf_inventory_item *have = hf_inventory_find(place->inventory, item->path);
    /* A repair gives the files of an earlier version of the agent their new names. */
    bool ours = (have != NULL && !have->folder) || (place->order.repair && place->found.renames);
    enum hf_plan_seen seen = HF_PLAN_ABSENT;
    enum hf_diff_kind kind = HF_DIFF_MISSING;
    const char *name;
    int fd = hf_files_walk_to_file(walk, item->path, false, &name, err), r = 0;

    if (fd < 0 && fd != -ENOENT)
        return fd;
    if (fd >= 0)
        r = look_at(place, fd, name, item, &seen, &kind);
    if (r < 0)
        return hf_err_sys(err, r, "look at '%.200s'", item->path);
    enum hf_plan_step step = place->order.repair && !ours ? HF_PLAN_KEEP : hf_plan_file(seen, ours, place->order.force);
    place->found.steps[i] = (unsigned char)step;
    place->found.n_write += step == HF_PLAN_WRITE || step == HF_PLAN_REPLACE;
    place->found.n_replace += step == HF_PLAN_REPLACE;
    place->found.n_unproven += step == HF_PLAN_KEEP && ours && !hf_files_place_has_recorded(have, item);
    place->found.n_adopt += step == HF_PLAN_KEEP && seen == HF_PLAN_SAME && !ours && !place->order.repair;
    if (step == HF_PLAN_REFUSE || step == HF_PLAN_REFUSE_ALWAYS)
        hf_diff_add(foreign, item->rel, kind);
    *ret_special = *ret_special || step == HF_PLAN_REFUSE_ALWAYS;
    if (ours && seen != HF_PLAN_SAME)
        hf_diff_add(&place->found.diff, item->rel, kind);
    return 0;
}

static int refuse_foreign(struct hf_files_place *place, struct hf_diff *foreign, bool special,
                          struct hf_manifest_outcome *outcome)
{
    struct hf_err err = HF_ERR_INIT;

    (void)hf_err_set(&err, EEXIST, "holdfast did not write what is in '%.60s': %s; %s", place->want->root,
                     HF_CUT(150, hf_diff_text(foreign)),
                     special ? "remove it by hand, because it is no regular file"
                             : "set force: true to replace it, or remove it");
    return hf_manifest_outcome_fail(outcome, HF_MANIFEST_REASON_FOREIGN_FILE, -EEXIST, &err);
}

static void count_prune(struct hf_files_place *place)
{
    place->found.n_prune = 0;
    for (size_t i = 0; place->order.prune && i < place->inventory->n; i++) {
        const struct hf_inventory_item *item = &place->inventory->items[i];
        place->found.n_prune += !item->folder && hf_files_want_find(place->want, item->path) == NULL &&
                                hf_strmap_get(&place->found.superseded, item->path) == NULL;
    }
}

static int check_open(const struct hf_files_place *place, const char *path, struct hf_err *err)
{
    const char *closed = hf_closed_by_path(place->found.closed, path);

    return closed == NULL
               ? 0
               : hf_err_set(err, EACCES, "'%.160s' is never allowed: no entry may write below %.100s", path, closed);
}

/* Looks anew each time: mounts come and go. */
static int check_closed(struct hf_files_place *place, struct hf_err *err)
{
    int r = 0;

    if (place->closed_folders == NULL)
        return 0;
    hf_closed_free(hf_steal(place->found.closed));
    r = hf_closed_find(place->fs, place->host_root, place->closed_folders, true, &place->found.closed, err);
    for (size_t i = 0; r == 0 && i < place->want->n; i++)
        r = check_open(place, place->want->items[i].path, err);
    for (size_t i = 0; r == 0 && i < place->inventory->n; i++)
        r = check_open(place, place->inventory->items[i].path, err);
    return r;
}

static int check_allowed(struct hf_files_place *place, struct hf_err *err)
{
    int r = check_closed(place, err);

    if (r < 0)
        return r;
    for (size_t i = 0; place->bounds.allows != NULL && i < place->want->n; i++)
        if (!place->bounds.allows(place->bounds.arg, place->want->items[i].path, err))
            return -EACCES;
    return 0;
}

/* Only the whole set can be refused: a file that left the inventory without its removal would belong to nobody. */
static int check_placed(const struct hf_files_place *place, struct hf_err *err)
{
    for (size_t i = 0; place->bounds.allows_placed != NULL && i < place->inventory->n; i++) {
        const struct hf_inventory_item *item = &place->inventory->items[i];
        if (!item->folder && !place->bounds.allows_placed(place->bounds.arg, item))
            return hf_err_set(err, EACCES,
                              "'%.160s' was placed by a signed version of this entry, and an unsigned one may not "
                              "change it: sign the entry, or give it another name",
                              item->path);
    }
    return 0;
}

static int guard_prune(const struct hf_files_place *place, struct hf_manifest_outcome *outcome)
{
    size_t n = hf_inventory_files(place->inventory);
    struct hf_err err = HF_ERR_INIT;

    /* A swap that was cut short has the files of both sets in the inventory, so it passes again; another set may
     * not. */
    if (place->order.prune_all || hf_plan_may_prune(place->found.n_prune, n))
        return 0;
    (void)hf_err_set(&err, EPERM, "this would remove %zu of %zu files, more than %d %%", place->found.n_prune, n,
                     HF_PLAN_PRUNE_PERCENT);
    return hf_manifest_outcome_fail(outcome, HF_MANIFEST_REASON_PRUNE_LIMIT, -EPERM, &err);
}

/* Looks at the last folder on the way to the target that exists. */
static int check_memory(const struct hf_files_place *place, struct hf_files_walk *walk, struct hf_err *err)
{
    char folder[HF_FILES_MAX_PATH];
    int fd = -ENOENT;

    (void)snprintf(folder, sizeof(folder), "%s", place->want->root);
    for (;;) {
        fd = hf_files_walk_to(walk, folder, false, err);
        char *slash = strrchr(folder, '/');
        if (fd != -ENOENT || slash == NULL)
            break;
        *slash = '\0';
    }
    return fd < 0 ? fd : hf_files_place_check_memory(place, fd, err);
}

int hf_files_place_check_memory(const struct hf_files_place *place, int fd, struct hf_err *err)
{
    int r = place->fs->is_memory(place->fs->ctx, fd);

    if (r > 0)
        return 0;
    return r < 0 ? hf_err_sys(err, r, "ask for the file system of '%.200s'", place->want->root)
                 : hf_err_set(err, EMEDIUMTYPE,
                              "'%.200s' is not on a tmpfs or ramfs, and a secret must not get on a disk: choose a path "
                              "below /run",
                              place->want->root);
}

int hf_files_place_compare(struct hf_files_place *place, struct hf_manifest_outcome *outcome)
{
    _cleanup_(hf_files_walk_done) struct hf_files_walk walk = {.base = -1};
    struct hf_diff foreign = {.n = 0};
    struct hf_err err = HF_ERR_INIT;
    bool special = false;
    int r = check_allowed(place, &err);

    if (r == 0)
        r = check_placed(place, &err);
    if (r < 0)
        return hf_files_place_fail(outcome, r, &err);
    free(place->found.steps);
    place->found.steps = calloc(HF_MAX(place->want->n, (size_t)1), 1);
    place->found.n_write = place->found.n_replace = place->found.n_unproven = place->found.n_adopt = 0;
    place->found.diff = (struct hf_diff){.n = 0};
    if (place->found.steps == NULL)
        return hf_files_place_fail(outcome, hf_err_sys(&err, -ENOMEM, "compare"), &err);
    r = hf_files_place_walk(place, &walk, &err);
    if (r == 0 && place->secret && place->want->n > 0 && check_memory(place, &walk, &err) < 0)
        return hf_manifest_outcome_fail(outcome, HF_MANIFEST_REASON_NOT_TMPFS, -err.code, &err);
    if (r == 0)
        r = find_superseded(place, &walk, &err);
    for (size_t i = 0; r == 0 && i < place->want->n; i++)
        r = compare_item(place, &walk, i, &foreign, &special, &err);
    if (r < 0)
        return hf_files_place_fail(outcome, r, &err);
    if (foreign.n > 0)
        return refuse_foreign(place, &foreign, special, outcome);
    assert(place->found.n_replace <= place->found.n_write && place->found.n_write <= place->want->n);
    count_prune(place);
    return guard_prune(place, outcome);
}

/* ---- the staging folder ------------------------------------------------------------------------------------------ */

void hf_files_place_stage_name(const struct hf_files_place *place, char name[NAME_MAX + 1])
{
    (void)snprintf(name, NAME_MAX + 1, ".holdfast-%.63s.new", place->entry);
}

/* The folder above `root`, into above[HF_FILES_MAX_PATH]; "" for the root of the node. */
static void above_of(const char *root, char *above)
{
    const char *slash = strrchr(root, '/');

    (void)snprintf(above, HF_FILES_MAX_PATH, "%.*s", slash != NULL ? (int)(slash - root) : 0, root);
}

static int clean_in(const struct hf_files_place *place, struct hf_files_walk *walk, const char *folder,
                    struct hf_err *err)
{
    char name[NAME_MAX + 1];
    struct stat st;
    int fd = hf_files_walk_to(walk, folder, false, err);

    if (fd < 0)
        return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -EACCES ? 0 : fd;
    hf_files_place_stage_name(place, name);
    int r = place->fs->fstatat(place->fs->ctx, fd, name, &st, AT_SYMLINK_NOFOLLOW);
    if (r < 0)
        return r == -ENOENT ? 0 : hf_err_sys(err, r, "stat '%s'", name);
    r = hf_dir_remove_tree_at(place->fs, fd, name, err);
    if (r == 0)
        r = hf_files_walk_sync(place->fs, fd);
    return r;
}

int hf_files_place_clean(struct hf_files_place *place, const char *root, struct hf_manifest_outcome *outcome)
{
    _cleanup_(hf_files_walk_done) struct hf_files_walk walk = {.base = -1};
    char above[HF_FILES_MAX_PATH];
    struct hf_err err = HF_ERR_INIT;
    int r = hf_files_place_walk(place, &walk, &err);

    above_of(root, above);
    if (r == 0)
        r = clean_in(place, &walk, above, &err);
    if (r == 0)
        r = clean_in(place, &walk, root, &err);
    return r < 0 ? hf_files_place_fail(outcome, r, &err) : 0;
}

/* Finds the folder in which to stage: the target's own folder for one file and for static pods, else the folder above
 * it, unless that is on another mount: no rename leads from one mount to another, not even on one file system. */
int hf_files_place_find_stage(const struct hf_files_place *place, struct hf_files_walk *walk,
                              char folder[HF_FILES_MAX_PATH], struct hf_err *err)
{
    const char *root = place->want->root;
    struct stat in, above;

    (void)snprintf(folder, HF_FILES_MAX_PATH, "%s", root);
    int fd = hf_files_walk_to(walk, root, true, err);
    if (fd < 0)
        return fd;
    int r = place->fs->fstat(place->fs->ctx, fd, &in);
    if (r < 0 || place->want->single || place->pods || root[0] == '\0' ||
        hf_closed_is_mount_point(place->found.closed, root))
        return r < 0 ? hf_err_sys(err, r, "stat '%.200s'", root) : fd;
    above_of(root, folder);
    fd = hf_files_walk_to(walk, folder, false, err);
    r = fd < 0 ? fd : place->fs->fstat(place->fs->ctx, fd, &above);
    if (r == 0 && in.st_dev == above.st_dev)
        return fd;
    if (r < 0 && r != -EACCES) /* nobody else may swap files in the target, but in the folder above it: stage inside */
        return hf_err_sys(err, r, "open the folder above '%.200s'", root);
    (void)snprintf(folder, HF_FILES_MAX_PATH, "%s", root);
    return hf_files_walk_to(walk, root, false, err);
}
