/* SPDX-License-Identifier: Apache-2.0 */
/* Setting the scene of a test on the simulated file system, and looking at what came of it. */
#include <string.h>

#include "support/fakes/simfs_impl.h"

/* The place of a path whose parents are made. Setting the scene must not fail: a test that asks for nonsense aborts. */
static struct sim_place scene(struct hf_simfs *fs, const char *path)
{
    struct sim_place place;
    char part[PATH_MAX];

    for (size_t i = 1; path[i] != '\0'; i++) {
        if (path[i] != '/')
            continue;
        (void)snprintf(part, sizeof(part), "%.*s", (int)i, path);
        if (sim_resolve(fs, fs->root, part, HF_FS_ANY, true, &place) < 0)
            abort();
        if (place.node == NULL)
            sim_add_name(fs, place.dir, place.name, sim_node_new(fs, place.dir, S_IFDIR | 0755));
    }
    if (sim_resolve(fs, fs->root, path, HF_FS_ANY, false, &place) < 0)
        abort();
    return place;
}

static struct sim_node *scene_node(struct hf_simfs *fs, const char *path, mode_t mode)
{
    struct sim_place place = scene(fs, path);

    if (place.node == NULL || (place.node->meta.mode & S_IFMT) != (mode & S_IFMT)) {
        place.node = sim_node_new(fs, place.dir, mode);
        sim_add_name(fs, place.dir, place.name, place.node);
    }
    return place.node;
}

/* What a test does is durable at once. What the code under test has done elsewhere stays as it is. */
static void settle_node(struct sim_node *node)
{
    node->lost.n = 0;
    sim_sync_content(node);
    sim_sync_meta(node);
}

/* The names on the way to the path, and what is there. */
static void settle(struct hf_simfs *fs, const char *path)
{
    struct sim_place place;
    char part[PATH_MAX];

    for (size_t i = 1; i == 1 || path[i - 1] != '\0'; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        (void)snprintf(part, sizeof(part), "%.*s", (int)i, path);
        if (sim_resolve(fs, fs->root, part, HF_FS_ANY, false, &place) < 0 || place.name[0] == '\0')
            return;
        sim_sync_names(fs, place.dir, place.name);
        if (place.node != NULL && (path[i] == '\0' || S_ISDIR(place.node->meta.mode)))
            settle_node(place.node);
    }
}

static void set_content(struct sim_node *node, const void *bytes, size_t n)
{
    node->synced = false;
    sim_blob_set(&node->live, bytes, n);
    sim_count(node);
}

void hf_simfs_put(struct hf_simfs *fs, const char *path, const void *bytes, size_t n, mode_t mode)
{
    hf_simfs_delete(fs, path); /* a new inode, as whoever replaces a file makes */
    set_content(scene_node(fs, path, S_IFREG | mode), bytes, n);
    settle(fs, path);
}

void hf_simfs_mkdir(struct hf_simfs *fs, const char *path, mode_t mode)
{
    (void)scene_node(fs, path, S_IFDIR | mode);
    settle(fs, path);
}

void hf_simfs_symlink(struct hf_simfs *fs, const char *path, const char *target)
{
    set_content(scene_node(fs, path, S_IFLNK | 0777), target, strlen(target));
    settle(fs, path);
}

static struct sim_node *scene_get(struct hf_simfs *fs, const char *path)
{
    struct sim_place place;
    int r = sim_resolve(fs, fs->root, path, HF_FS_ANY, false, &place);

    return r < 0 ? NULL : place.node;
}

void hf_simfs_chown(struct hf_simfs *fs, const char *path, uid_t uid, gid_t gid)
{
    struct sim_node *node = scene_get(fs, path);

    if (node == NULL)
        abort();
    node->meta.uid = uid;
    node->meta.gid = gid;
    settle_node(node);
}

void hf_simfs_set_unreadable(struct hf_simfs *fs, const char *path, bool unreadable)
{
    struct sim_place place = scene(fs, path);

    if (place.node == NULL)
        abort();
    place.node->unreadable = unreadable;
}

void hf_simfs_chmod(struct hf_simfs *fs, const char *path, mode_t mode)
{
    struct sim_node *node = scene_get(fs, path);

    if (node == NULL)
        abort();
    node->meta.mode = (node->meta.mode & S_IFMT) | mode;
    settle_node(node);
}

void hf_simfs_move(struct hf_simfs *fs, const char *from, const char *to)
{
    struct sim_place target = scene(fs, to), source;

    if (sim_resolve(fs, fs->root, from, HF_FS_ANY, false, &source) < 0 || source.node == NULL)
        abort();
    struct sim_op op = {.changes = {{source.dir, source.name, NULL}, {target.dir, target.name, source.node}}, .n = 2};
    sim_record(fs, &op);
    settle(fs, from);
    settle(fs, to);
}

void hf_simfs_set_xattr(struct hf_simfs *fs, const char *path, const char *name, const char *value)
{
    struct sim_node *node = scene_get(fs, path);

    if (node == NULL)
        abort();
    sim_set_xattr(node, name, value, strlen(value));
    settle_node(node);
}

void hf_simfs_delete(struct hf_simfs *fs, const char *path)
{
    struct sim_place place;

    if (sim_resolve(fs, fs->root, path, HF_FS_ANY, false, &place) < 0 || place.node == NULL || place.name[0] == '\0')
        return;
    sim_add_name(fs, place.dir, place.name, NULL);
    settle(fs, path);
}

uint64_t hf_simfs_changes(const struct hf_simfs *fs)
{
    return fs->ticks;
}

const void *hf_simfs_get(struct hf_simfs *fs, const char *path, size_t *ret_n)
{
    const struct sim_node *node = scene_get(fs, path);

    if (node == NULL || !S_ISREG(node->meta.mode))
        return NULL;
    *ret_n = node->live.n;
    return node->live.p != NULL ? (const void *)node->live.p : "";
}

bool hf_simfs_is_durable(struct hf_simfs *fs, const char *path)
{
    const struct sim_node *node = fs->root;
    char part[NAME_MAX + 1];

    while (node != NULL && *(path += strspn(path, "/")) != '\0') {
        size_t n = strcspn(path, "/");
        (void)snprintf(part, sizeof(part), "%.*s", (int)n, path);
        const struct sim_node *live = sim_names_get(&node->names, part);
        if (live != sim_names_get(&node->kept_names, part))
            return false;
        node = live;
        path += n;
    }
    return node == NULL || (node->live.n == node->kept.n &&
                            (node->live.n == 0 || memcmp(node->live.p, node->kept.p, node->live.n) == 0));
}

bool hf_simfs_stat(struct hf_simfs *fs, const char *path, struct stat *ret)
{
    const struct sim_node *node = scene_get(fs, path);

    if (node == NULL)
        return false;
    sim_fill_stat(fs, node, ret);
    return true;
}

const char *hf_simfs_link_text(struct hf_simfs *fs, const char *path)
{
    struct sim_node *node = scene_get(fs, path);

    if (node == NULL || !S_ISLNK(node->meta.mode))
        return NULL;
    size_t n = node->live.n;
    sim_blob_resize(&node->live, n + 1); /* terminated behind its end */
    node->live.n = n;
    return (const char *)node->live.p;
}

static void walk_node(struct hf_simfs *fs, const struct sim_node *dir, const char *path,
                      void (*visit)(void *arg, const char *path, const struct stat *st), void *arg)
{
    char child[PATH_MAX];
    size_t at = strcmp(path, "/") == 0 ? 0 : strlen(path);
    struct stat st;

    memcpy(child, path, at);
    child[at++] = '/';
    for (size_t i = 0; i < dir->names.n; i++) {
        size_t n = strlen(dir->names.p[i].name);
        if (at + n >= sizeof(child))
            abort();
        memcpy(child + at, dir->names.p[i].name, n + 1);
        sim_fill_stat(fs, dir->names.p[i].node, &st);
        visit(arg, child, &st);
        walk_node(fs, dir->names.p[i].node, child, visit, arg);
    }
}

void hf_simfs_walk(struct hf_simfs *fs, const char *path,
                   void (*visit)(void *arg, const char *path, const struct stat *st), void *arg)
{
    const struct sim_node *node = scene_get(fs, path);

    if (node != NULL)
        walk_node(fs, node, path, visit, arg);
}

void hf_simfs_mount(struct hf_simfs *fs, const char *path)
{
    struct sim_node *node = scene_node(fs, path, S_IFDIR | 0755);
    struct sim_device *device = sim_alloc(NULL, sizeof(*device));

    if (node->names.n > 0)
        abort();
    *device = (struct sim_device){.id = fs->next_device++, .next = fs->devices->next};
    fs->devices->next = device; /* the first stays the root's */
    node->device->used -= node->counted;
    node->counted = 0;
    node->device = device;
    sim_count(node);
    settle(fs, path);
}

void hf_simfs_set_limit(struct hf_simfs *fs, const char *path, uint64_t bytes)
{
    scene(fs, path).node->device->limit = bytes;
}

void hf_simfs_set_read_only(struct hf_simfs *fs, const char *path, bool read_only)
{
    scene(fs, path).node->device->read_only = read_only;
}
