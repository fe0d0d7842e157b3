/* SPDX-License-Identifier: Apache-2.0 */
/* The files and folders that an entry has put in place, in memory and in a sealed file: a line with `pending`, then one
 * per item, sorted by path: "f <mode> <uid> <gid> <size> <SHA-256> <path>" (file), "s <mode> <uid> <gid> <path>"
 * (secret file) or "d <path>" (folder). `pending`: a swap is not complete; the items are those of both sets.
 *
 * Load and save block. Owns its paths. */
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
    HF_INVENTORY_MAX_ITEMS = 2 * (HF_BUNDLE_MAX_FILES + HF_BUNDLE_MAX_FOLDERS + 512),
    HF_INVENTORY_MAX_BYTES = 16 << 20, /* of the file; a swap uses half, so that a rollback fits */
};

struct hf_inventory_item {
    char *path; /* absolute, without links; owned */
    bool folder;
    uint32_t mode;
    uid_t uid;
    gid_t gid;
    uint64_t size;
    unsigned char sha256[HF_SHA256_BYTES];
    /* its size and hash are not on disk: from these one could guess a short password */
    bool secret;
    bool unread; /* secret, and loaded from disk: size and hash are unknown */
    /* Attributes at the last look, if it found the file as recorded; 0: the next look reads the file. Not saved. */
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

/* Copies the item, in the place of one with this path. -E2BIG: full. */
HF_MUST_USE int hf_inventory_put(struct hf_inventory *inventory, const struct hf_inventory_item *item);
struct hf_inventory_item *hf_inventory_find(const struct hf_inventory *inventory, const char *path);
/* Whether `more` items with path_bytes of paths fit in HF_INVENTORY_MAX_ITEMS and half of HF_INVENTORY_MAX_BYTES. */
bool hf_inventory_has_room(const struct hf_inventory *inventory, size_t more, size_t path_bytes);
size_t hf_inventory_files(const struct hf_inventory *inventory);

/* Durable. */
HF_MUST_USE int hf_inventory_save(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                  const struct hf_inventory *inventory, struct hf_err *err);
/* Saves *next, then moves it to *now. On failure neither changes. */
HF_MUST_USE int hf_inventory_replace(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                     struct hf_inventory *now, struct hf_inventory *next, struct hf_err *err);
/* -ENOENT. -EBADMSG: damaged; now <name>.damaged. */
HF_MUST_USE int hf_inventory_load(const struct hf_fs_ops *fs, const char *folder, const char *name,
                                  struct hf_inventory *ret_inventory, struct hf_err *err);
