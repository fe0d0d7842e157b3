/* SPDX-License-Identifier: Apache-2.0 */
/* A path is closed if it is below a closed folder, with or without the links that lead there; if a bind mount or second
 * mount shows there what is below one; if an overlay passes writes on to one; or by device and inode, where /proc
 * cannot be read. Only root makes mounts, so a result is good for one attempt. */
#include "manifests/files/closed.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "manifests/files/mount_table.h"
#include "manifests/files/resolve.h"

/* An overlay may lie on an overlay; the kernel allows two. */
enum { MAX_OVERLAYS = 4 };

/* One name of a closed folder: as the host sees it, or as this process does, and where overlays put its files. */
struct closed_way {
    const char *name;               /* as the caller has named it */
    char path[HF_FILES_MAX_PATH];   /* for this process, without links */
    const char *device;             /* of its mount; NULL if the mounts do not say */
    char origin[HF_FILES_MAX_PATH]; /* from the root of the file system */
};

struct hf_closed {
    const struct hf_fs_ops *fs;
    struct hf_mount_table mounts;
    char host_root[HF_FILES_MAX_PATH]; /* "" for "/" */
    bool reserved;
    char *names[HF_CLOSED_MAX];
    size_t n_names, n_ways, n_ids;
    struct hf_files_id ids[4 * HF_CLOSED_MAX]; /* those that exist */
    struct closed_way ways[4 * HF_CLOSED_MAX]; /* 128 KiB, of which most is never touched: the last member */
};

void hf_closed_free(struct hf_closed *closed)
{
    if (closed == NULL)
        return;
    for (size_t i = 0; i < closed->n_names; i++)
        free(closed->names[i]);
    hf_mount_table_done(&closed->mounts);
    free(closed);
}

/* Returns the device of the mount that `path` of this process is on, and the path from the root of its file system. */
static const char *origin_of(const struct hf_closed *closed, const char *path, char origin[HF_FILES_MAX_PATH])
{
    const struct hf_mount *mount = hf_mount_table_find(&closed->mounts, path);

    return mount != NULL && hf_mount_table_origin(mount, path, origin, HF_FILES_MAX_PATH) == 0 ? mount->device : NULL;
}

/* Writes where a file at `path` of this process is written, if an overlay is there. False: at `path` itself. */
static bool below_overlay(const struct hf_closed *closed, const char *path, char written[HF_FILES_MAX_PATH])
{
    const struct hf_mount *mount = hf_mount_table_find(&closed->mounts, path);
    char origin[HF_FILES_MAX_PATH], named[HF_FILES_MAX_PATH];

    if (mount == NULL || mount->upper == NULL || hf_mount_table_origin(mount, path, origin, sizeof(origin)) < 0 ||
        (size_t)snprintf(named, sizeof(named), "%s%s", mount->upper, strcmp(origin, "/") == 0 ? "" : origin) >=
            sizeof(named))
        return false;
    if (hf_files_resolve(closed->fs, closed->host_root, named, written, NULL) < 0)
        memcpy(written, named, sizeof(named));
    return true;
}

/* Closes `path` of this process, by the name that the caller has given. */
static void add_path(struct hf_closed *closed, const char *name, const char *path)
{
    struct closed_way *way = &closed->ways[closed->n_ways];
    struct stat st;

    if (closed->n_ways == HF_LEN(closed->ways))
        return;
    (void)snprintf(way->path, sizeof(way->path), "%s", path);
    way->name = name;
    way->device = origin_of(closed, way->path, way->origin);
    closed->n_ways++;
    if (closed->fs->fstatat(closed->fs->ctx, AT_FDCWD, way->path, &st, 0) == 0)
        closed->ids[closed->n_ids++] = (struct hf_files_id){name, st.st_dev, st.st_ino};
}

static void add_way(struct hf_closed *closed, const char *host_root, const char *name)
{
    char path[HF_FILES_MAX_PATH], own[HF_FILES_MAX_PATH], written[HF_FILES_MAX_PATH];

    if (hf_files_resolve(closed->fs, host_root, name, path, NULL) < 0)
        (void)snprintf(path, sizeof(path), "%s", name); /* a link that is not followed: its own name is closed */
    if ((size_t)snprintf(own, sizeof(own), "%s%s", host_root, path) >= sizeof(own))
        return;
    add_path(closed, name, own);
    if (below_overlay(closed, own, written) &&
        (size_t)snprintf(own, sizeof(own), "%s%s", closed->host_root, written) < sizeof(own))
        add_path(closed, name, own);
}

static int add_folder(struct hf_closed *closed, const char *folder)
{
    char *name = strdup(folder);

    if (name == NULL)
        return -ENOMEM;
    closed->names[closed->n_names++] = name;
    add_way(closed, "", name);
    if (closed->host_root[0] != '\0')
        add_way(closed, closed->host_root, name);
    return 0;
}

int hf_closed_find(const struct hf_fs_ops *fs, const char *host_root, const char *const *folders, bool reserved,
                   struct hf_closed **ret_closed, struct hf_err *err)
{
    _cleanup_(hf_closed_freep) struct hf_closed *closed = malloc(sizeof(*closed));

    if (closed == NULL)
        return hf_err_sys(err, -ENOMEM, "look for the folders that no entry may reach");
    memset(closed, 0, offsetof(struct hf_closed, ways));
    closed->fs = fs;
    closed->mounts = (struct hf_mount_table)HF_MOUNT_TABLE_INIT;
    closed->reserved = reserved;
    if (host_root != NULL && strcmp(host_root, "/") != 0)
        (void)snprintf(closed->host_root, sizeof(closed->host_root), "%s", host_root);
    int r = hf_mount_table_read(fs, &closed->mounts, err);
    for (size_t i = 0; r == 0 && folders[i] != NULL && closed->n_names < HF_CLOSED_MAX; i++)
        if (folders[i][0] == '/' && add_folder(closed, folders[i]) < 0)
            r = hf_err_sys(err, -ENOMEM, "look for '%.100s'", folders[i]);
    if (r == 0)
        *ret_closed = hf_steal(closed);
    return r;
}

static bool is_way(const struct closed_way *way, const char *host_path, const char *path, const char *device,
                   const char *origin)
{
    return hf_config_path_is_within(host_path, way->name) || hf_config_path_is_within(path, way->path) ||
           (device != NULL && way->device != NULL && strcmp(device, way->device) == 0 &&
            hf_config_path_is_within(origin, way->origin));
}

/* As hf_closed_by_path(), for one name of the path: `own` is that of this process. */
static const char *by_name(const struct hf_closed *closed, const char *path, const char *own)
{
    char origin[HF_FILES_MAX_PATH] = "";
    const char *device = origin_of(closed, own, origin);

    for (size_t i = 0; i < closed->n_ways; i++)
        if (is_way(&closed->ways[i], path, own, device, origin))
            return closed->ways[i].name;
    bool is_reserved = hf_config_path_is_reserved(path) || (device != NULL && hf_config_path_is_reserved(origin));
    return closed->reserved && is_reserved ? ".holdfast-*" : NULL;
}

const char *hf_closed_by_path(const struct hf_closed *closed, const char *path)
{
    char own[HF_FILES_MAX_PATH * 2], written[HF_FILES_MAX_PATH];

    if (closed == NULL)
        return NULL;
    (void)snprintf(own, sizeof(own), "%s%s", closed->host_root, path);
    const char *name = by_name(closed, path, own);
    for (int i = 0; name == NULL && i < MAX_OVERLAYS && below_overlay(closed, own, written); i++) {
        (void)snprintf(own, sizeof(own), "%s%s", closed->host_root, written);
        name = by_name(closed, written, own);
    }
    return name;
}

const struct hf_files_id *hf_closed_ids(const struct hf_closed *closed, size_t *ret_n)
{
    *ret_n = closed != NULL ? closed->n_ids : 0;
    return closed != NULL ? closed->ids : NULL;
}

bool hf_closed_is_mount_point(const struct hf_closed *closed, const char *path)
{
    char own[HF_FILES_MAX_PATH * 2];

    if (closed == NULL)
        return false;
    (void)snprintf(own, sizeof(own), "%s%s", closed->host_root, path);
    return hf_mount_table_is_point(&closed->mounts, own);
}
