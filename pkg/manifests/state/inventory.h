/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/state/inventory.h - the list of files and folders that one entry has put in place; the list is in memory
 * and in a file.
 *
 * The file has a line with `pending`, then one line for each item, sorted by path: "f <mode> <uid> <gid> <size>
 * <SHA-256> <path>" for a file, "s <mode> <uid> <gid> <path>" for a secret file, or "d <path>" for a folder. While
 * `pending` is true, a swap is not complete, and the items are those of both the old and the new set. Threads: one at a
 * time for one inventory; load and save block. Memory: an inventory owns its paths; 1,000 files take about 200 KiB. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "codec/sha256.h"
#include "manifests/source/bundle.h"

enum {
    /* the files of two sets, their folders, and the folders above their targets, whose paths have less than 1 KiB */
    HF_INVENTORY_MAX_ITEMS = 2 * (HF_BUNDLE_MAX_FILES + HF_BUNDLE_MAX_FOLDERS + 512),
    /* maximum size of the file, in bytes; a swap leaves half of it for the way back */
    HF_INVENTORY_MAX_BYTES = 16 << 20,
    HF_INVENTORY_MAX_EXTRA = 160, /* maximum size of a line without its path, in bytes */
};

struct hf_inventory_item {
    char *path; /* absolute path on the node, without links */
    bool folder;
    uint32_t mode;
    uid_t uid;
    gid_t gid;
    uint64_t size;
    unsigned char sha256[HF_SHA256_BYTES];
    /* True if the content comes from a Secret. The inventory on disk then has neither size nor hash of the content,
     * because its reader could guess a short password from them. */
    bool secret;
    bool unread; /* size and hash are unknown, because the content is secret and the inventory was loaded from disk */
    /* Attributes of the file at the last look, if the file was as recorded; all 0 if the next look must read the file.
     * Not saved on disk. */
    struct {
        uint64_t inode, mtime_ns, ctime_ns;
    } seen;
};

struct hf_inventory {
    struct hf_inventory_item *items; /* sorted by path in byte order */
    size_t n, cap;
    bool pending;
};

void hf_inventory_done(struct hf_inventory *inventory);

/* Adds a copy of the item, or replaces the item with this path. -E2BIG: the inventory is full. -ENOMEM: out of
 * memory. */
HF_MUST_USE int hf_inventory_put(struct hf_inventory *inventory, const struct hf_inventory_item *item);
/* Returns the item with this path, or NULL. */
struct hf_inventory_item *hf_inventory_find(const struct hf_inventory *inventory, const char *path);
/* Returns true if the inventory can get `more` items, whose paths have path_bytes bytes together, and its file then has
 * at most half of HF_INVENTORY_MAX_BYTES. */
bool hf_inventory_has_room(const struct hf_inventory *inventory, size_t more, size_t path_bytes);
/* Returns the number of items that are files. */
size_t hf_inventory_files(const struct hf_inventory *inventory);

/* Writes the inventory durably to the file <folder>/<name>, and replaces an older file. */
HF_MUST_USE int hf_inventory_save(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                  const struct hf_inventory *inventory, struct hf_err *err);
/* Saves *next like hf_inventory_save(), then moves it to *now, whose items are freed. If the save fails, neither
 * changes. */
HF_MUST_USE int hf_inventory_replace(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                     struct hf_inventory *now, struct hf_inventory *next, struct hf_err *err);
/* Reads the file <folder>/<name>. -ENOENT: the file does not exist. -EBADMSG: the file was damaged, and this call has
 * renamed it to <name>.damaged. */
HF_MUST_USE int hf_inventory_load(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                  struct hf_inventory *ret_inventory, struct hf_err *err);
