/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/files/mount_table.h - the mounts that this process sees, from /proc/self/mountinfo
 * (proc_pid_mountinfo(5)). A mount tells the path from the root of the file system, which is one for all names that
 * bind mounts give a folder.
 *
 * Threads: any; hf_mount_table_read() blocks. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

struct hf_mount {
    unsigned id, parent;
    const char *device; /* "major:minor", the same for all mounts of one file system */
    const char *root;   /* the mounted folder: a path from the root of the file system */
    const char *point;  /* where it is mounted: a path of this process */
    const char *upper;  /* of an overlay that can be written: the folder that takes its writes; else NULL */
};

struct hf_mount_table {
    struct hf_buf text;
    struct hf_mount *mounts; /* by `point`; the strings are in `text` */
    size_t n, cap;
};

enum { HF_MOUNT_TABLE_MAX_BYTES = 4 << 20 };

#define HF_MOUNT_TABLE_INIT                                                                                            \
    {                                                                                                                  \
        .text = HF_BUF_INIT(HF_MOUNT_TABLE_MAX_BYTES)                                                                  \
    }

/* Fills an empty table. The table stays empty if there is no /proc. -E2BIG: there are more mounts than
 * HF_MOUNT_TABLE_MAX_BYTES can hold. */
HF_MUST_USE int hf_mount_table_read(const struct hf_fs_ops *fs, struct hf_mount_table *table, struct hf_err *err);
void hf_mount_table_done(struct hf_mount_table *table);

/* Returns the mount that `path` is on, an absolute, normal path without symbolic links, or NULL if the table does not
 * say. A component that does not exist is on the mount of the folder above it. */
const struct hf_mount *hf_mount_table_find(const struct hf_mount_table *table, const char *path);
/* Returns true if something is mounted at `path`. */
bool hf_mount_table_is_point(const struct hf_mount_table *table, const char *path);
/* Writes the path from the root of the file system, for a `path` on this mount. -ENAMETOOLONG: n bytes cannot hold
 * it. */
HF_MUST_USE int hf_mount_table_origin(const struct hf_mount *mount, const char *path, char *origin, size_t n);
