/* SPDX-License-Identifier: Apache-2.0 */
/* Inodes, names and the resolution of paths of the simulated file system. */
#include <errno.h>
#include <fcntl.h>

#include "base/macros.h"
#include "support/fakes/simfs_impl.h"

void *sim_alloc(void *old, size_t n)
{
    void *p = realloc(old, n > 0 ? n : 1);

    if (p == NULL)
        abort();
    return p;
}

char *sim_strdup(const char *text)
{
    size_t n = strlen(text) + 1;

    return memcpy(sim_alloc(NULL, n), text, n);
}

void sim_blob_resize(struct sim_blob *blob, size_t n)
{
    blob->p = sim_alloc(blob->p, n);
    if (n > blob->n)
        memset(blob->p + blob->n, 0, n - blob->n);
    blob->n = n;
}

void sim_blob_set(struct sim_blob *blob, const void *bytes, size_t n)
{
    blob->p = sim_alloc(blob->p, n);
    if (n > 0)
        memcpy(blob->p, bytes, n);
    blob->n = n;
}

void sim_meta_done(struct sim_meta *meta)
{
    for (size_t i = 0; i < meta->n_xattrs; i++) {
        free(meta->xattrs[i].name);
        free(meta->xattrs[i].value.p);
    }
    free(meta->xattrs);
    meta->xattrs = NULL;
    meta->n_xattrs = 0;
}

void sim_meta_copy(struct sim_meta *to, const struct sim_meta *from)
{
    sim_meta_done(to);
    *to = *from;
    to->xattrs = from->n_xattrs > 0 ? sim_alloc(NULL, from->n_xattrs * sizeof(*from->xattrs)) : NULL;
    for (size_t i = 0; i < from->n_xattrs; i++) {
        to->xattrs[i] = (struct sim_xattr){.name = sim_strdup(from->xattrs[i].name)};
        sim_blob_set(&to->xattrs[i].value, from->xattrs[i].value.p, from->xattrs[i].value.n);
    }
}

static size_t names_find(const struct sim_names *names, const char *name, bool *ret_found)
{
    size_t low = 0, high = names->n;

    *ret_found = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(names->p[middle].name, name);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct sim_node *sim_names_get(const struct sim_names *names, const char *name)
{
    bool found;
    size_t at = names_find(names, name, &found);

    return found ? names->p[at].node : NULL;
}

void sim_names_set(struct sim_names *names, const char *name, struct sim_node *node)
{
    bool found;
    size_t at = names_find(names, name, &found);

    if (found && node != NULL) {
        names->p[at].node = node;
    } else if (found) {
        free(names->p[at].name);
        memmove(names->p + at, names->p + at + 1, (names->n - at - 1) * sizeof(*names->p));
        names->n--;
    } else if (node != NULL) {
        names->p = sim_alloc(names->p, (names->n + 1) * sizeof(*names->p));
        memmove(names->p + at + 1, names->p + at, (names->n - at) * sizeof(*names->p));
        names->p[at] = (struct sim_name){sim_strdup(name), node};
        names->n++;
    }
}

void sim_names_done(struct sim_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->p[i].name);
    free(names->p);
    *names = (struct sim_names){NULL, 0};
}

void sim_names_copy(struct sim_names *to, const struct sim_names *from)
{
    sim_names_done(to);
    for (size_t i = 0; i < from->n; i++)
        sim_names_set(to, from->p[i].name, from->p[i].node);
}

struct sim_node *sim_node_new(struct hf_simfs *fs, struct sim_node *dir, mode_t mode)
{
    struct sim_node *node = sim_alloc(NULL, sizeof(*node));

    *node = (struct sim_node){.ino = ++fs->next_ino,
                              .device = dir != NULL ? dir->device : fs->devices,
                              .meta = {.mode = mode},
                              .parent = dir,
                              .changed_ns = ++fs->ticks,
                              .next = fs->nodes};
    /* A file that was made but never synced may turn up empty and without its rights. */
    node->kept_meta = (struct sim_meta){.mode = (mode & S_IFMT) | (S_ISREG(mode) ? 0 : mode & 07777)};
    fs->nodes = node;
    return node;
}

void sim_node_free(struct sim_node *node)
{
    node->device->used -= node->counted;
    free(node->live.p);
    free(node->kept.p);
    free(node->blocks.p);
    free(node->lost.p);
    sim_meta_done(&node->meta);
    sim_meta_done(&node->kept_meta);
    sim_names_done(&node->names);
    sim_names_done(&node->kept_names);
    free(node);
}

static uint64_t bytes_of(const struct sim_node *node)
{
    if (node->links == 0 && node->opened == 0)
        return 0;
    return S_ISREG(node->meta.mode) ? (node->live.n + SIM_BLOCK - 1) / SIM_BLOCK * SIM_BLOCK : SIM_BLOCK;
}

void sim_count(struct sim_node *node)
{
    uint64_t bytes = bytes_of(node);

    node->device->used += bytes - node->counted;
    node->counted = bytes;
}

uint64_t sim_used(const struct sim_device *device)
{
    return device->used;
}

void sim_check_used(const struct hf_simfs *fs)
{
    for (const struct sim_device *device = fs->devices; device != NULL; device = device->next) {
        uint64_t used = 0;
        for (const struct sim_node *node = fs->nodes; node != NULL; node = node->next)
            used += node->device == device ? bytes_of(node) : 0;
        if (used != device->used)
            abort();
    }
}

/* ---- paths -------------------------------------------------------------------------------------------------------- */

struct walk {
    struct hf_simfs *fs;
    struct sim_node *base, *at;
    unsigned resolve;
    int links;
    const char *rest;     /* of the path that was given, or of `whole` */
    char whole[PATH_MAX]; /* the text of a link with what follows it */
};

/* Cut the first component off walk->rest. False: nothing left. */
static bool next_part(struct walk *walk, char part[NAME_MAX + 1], bool *ret_last, int *ret_r)
{
    const char *from = walk->rest;
    size_t n = 0;

    while (*from == '/')
        from++;
    while (from[n] != '\0' && from[n] != '/')
        n++;
    *ret_r = n > NAME_MAX ? -ENAMETOOLONG : 0;
    if (n == 0 || n > NAME_MAX)
        return false;
    memcpy(part, from, n);
    part[n] = '\0';
    walk->rest = from += n;
    while (*from == '/')
        from++;
    *ret_last = *from == '\0';
    return true;
}

static int enter_link(struct walk *walk, const struct sim_node *link)
{
    char whole[PATH_MAX];

    if ((walk->resolve & HF_FS_NO_SYMLINKS) != 0 || ++walk->links > SIM_MAX_LINKS)
        return -ELOOP;
    if (link->live.n > 0 && link->live.p[0] == '/') {
        if ((walk->resolve & HF_FS_BENEATH) != 0)
            return -EXDEV;
        walk->at = walk->fs->root;
    }
    int n = snprintf(whole, sizeof(whole), "%.*s/%s", (int)link->live.n, (const char *)link->live.p, walk->rest);
    if (n < 0 || (size_t)n >= sizeof(whole))
        return -ENAMETOOLONG;
    memcpy(walk->whole, whole, (size_t)n + 1);
    walk->rest = walk->whole;
    return 0;
}

static int go_up(struct walk *walk)
{
    if ((walk->resolve & HF_FS_BENEATH) != 0 && walk->at == walk->base)
        return -EXDEV;
    if (walk->at->parent != NULL)
        walk->at = walk->at->parent;
    return 0;
}

int sim_resolve(struct hf_simfs *fs, struct sim_node *start, const char *path, unsigned resolve, bool follow,
                struct sim_place *ret)
{
    struct walk walk; /* without its large buffer, which a link fills */
    char part[NAME_MAX + 1];
    bool last = false;
    int r = 0;

    walk.fs = fs;
    walk.base = walk.at = start;
    walk.resolve = resolve;
    walk.links = 0;
    walk.rest = path;
    if (path[0] == '\0')
        return -ENOENT;
    if (strlen(path) >= PATH_MAX)
        return -ENAMETOOLONG;
    if (path[0] == '/') {
        if ((resolve & HF_FS_BENEATH) != 0)
            return -EXDEV;
        walk.at = fs->root;
    }
    while (next_part(&walk, part, &last, &r)) {
        if (!S_ISDIR(walk.at->meta.mode))
            return -ENOTDIR;
        if (strcmp(part, ".") == 0)
            continue;
        if (strcmp(part, "..") == 0) {
            r = go_up(&walk);
            if (r < 0)
                return r;
            continue;
        }
        struct sim_node *child = sim_names_get(&walk.at->names, part);
        if (child == NULL && !last)
            return -ENOENT;
        if (child != NULL && S_ISLNK(child->meta.mode) && (!last || follow)) {
            r = enter_link(&walk, child);
            if (r < 0)
                return r;
            continue;
        }
        if (last) {
            ret->dir = walk.at;
            ret->node = child;
            memcpy(ret->name, part, strlen(part) + 1);
            return 0;
        }
        walk.at = child;
    }
    if (r < 0)
        return r;
    ret->dir = ret->node = walk.at;
    ret->name[0] = '\0';
    return 0;
}
