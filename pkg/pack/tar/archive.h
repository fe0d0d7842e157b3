/* SPDX-License-Identifier: Apache-2.0 */
/* A folder as its canonical archive, read at any offset, never written to disk.
 *
 * It is a tar whose every byte the folder's content determines (FORMAT.md, "Canonical archives"): its SHA-256
 * identifies the content on any machine. Members are files, folders, symbolic and hard links. Security: follows no
 * symbolic link, opens all beneath the folder (openat2). Blocks: workers only. */
#pragma once

#include <stdatomic.h>

#include "base/fs.h"
#include "delta/delta.h"

enum {
    HF_ARCHIVE_OWNERS = 1, /* record uid and gid, which are 0 otherwise */
    /* record extended attributes, except those that sign content or belong to the machine (security.ima, .selinux,
     * ...) */
    HF_ARCHIVE_XATTRS = 2,
    /* refuse a folder without files, and members with attributes that HF_ARCHIVE_XATTRS would record; excludes
     * HF_ARCHIVE_XATTRS, and is not recorded */
    HF_ARCHIVE_PLAIN = 4,
};

struct hf_archive;

/* Borrows `dirfd`. -EBADMSG: a socket, pipe or device, or refused by HF_ARCHIVE_PLAIN. -E2BIG: too many members, over
 * 64 MiB of names, or too deep. -ENAMETOOLONG: a path or target has HF_TAR_MAX_NAME bytes or more. -ECANCELED: *cancel
 * (may be NULL). If the folder changes meanwhile, the hash may change or reading fail. */
HF_MUST_USE int hf_archive_new(const struct hf_fs_ops *fs, int dirfd, unsigned flags, const atomic_bool *cancel,
                               struct hf_archive **ret_archive, struct hf_err *err);
void hf_archive_free(struct hf_archive *archive);
HF_DEFINE_CLEANUP(struct hf_archive, hf_archive_free)

/* Valid until the archive is freed. */
struct hf_delta_old hf_archive_bytes(struct hf_archive *archive);
/* Passes the whole archive to write(). Returns the first error of a read or write(), or -ECANCELED. */
HF_MUST_USE int hf_archive_write(struct hf_archive *archive, int (*write)(void *ctx, const void *bytes, size_t n),
                                 void *ctx, struct hf_err *err);
HF_MUST_USE int hf_archive_digest(struct hf_archive *archive, unsigned char digest[HF_SHA256_BYTES],
                                  struct hf_err *err);
