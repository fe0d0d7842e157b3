/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of this process, from /proc/self/mountinfo (proc_pid_mountinfo(5)): they tell where a path lies below the
 * root of its file system, which all bind mounts share. Threads: any; hf_mount_table_read() blocks. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

struct hf_mount {
    unsigned id, parent;
    const char *device; /* "major:minor", the same for all mounts of a file system */
    const char *root;   /* the mounted folder, from the root of its file system */
    const char *point;
    const char *upper; /* absolute path where writes to an overlay go; else NULL */
};

struct hf_mount_table {
    struct hf_buf text;
    struct hf_mount *mounts;
    size_t n, cap;
};

enum { HF_MOUNT_TABLE_MAX_BYTES = 4 << 20 };

#define HF_MOUNT_TABLE_INIT                                                                                            \
    {                                                                                                                  \
        .text = HF_BUF_INIT(HF_MOUNT_TABLE_MAX_BYTES)                                                                  \
    }

/* Fills an empty table; without /proc it stays empty. -E2BIG. */
HF_MUST_USE int hf_mount_table_read(const struct hf_fs_ops *fs, struct hf_mount_table *table, struct hf_err *err);
void hf_mount_table_done(struct hf_mount_table *table);

/* Returns the mount of `path` (absolute, normal, without links), or NULL if the table does not say. A missing component
 * is on the mount above it. */
const struct hf_mount *hf_mount_table_find(const struct hf_mount_table *table, const char *path);
bool hf_mount_table_is_point(const struct hf_mount_table *table, const char *path);
/* Writes where `path` on this mount lies below its file system's root. -ENAMETOOLONG. */
HF_MUST_USE int hf_mount_table_origin(const struct hf_mount *mount, const char *path, char *origin, size_t n);
