/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a folder as its canonical archive, at any offset, without writing it to disk.
 *
 * A tar (POSIX.1-1988 ustar, pax records of POSIX.1-2001) whose every byte the folder's content determines (FORMAT.md,
 * "Canonical archives"), so its SHA-256 identifies the content on any machine. Files, folders, symbolic and hard links;
 * others are refused. Security: follows no symbolic link and opens all beneath the folder (openat2). extract.h turns it
 * into a folder. Blocks: workers only. */
#pragma once

#include <stdatomic.h>

#include "base/fs.h"
#include "delta/delta.h"

enum {
    HF_ARCHIVE_OWNERS = 1, /* with uid and gid, else 0 */
    /* With extended attributes, but those that sign content or belong to the machine (security.ima, .selinux, ...). */
    HF_ARCHIVE_XATTRS = 2,
    /* Refuse a folder without files, and members with attributes that HF_ARCHIVE_XATTRS would include. Not together
     * with it; not recorded. */
    HF_ARCHIVE_PLAIN = 4,
};

struct hf_archive;

/* Borrows `dirfd`; about 100 bytes and the name for each member. -EBADMSG: a socket, pipe or device, or
 * HF_ARCHIVE_PLAIN refuses. -E2BIG: too many members, over 64 MiB of names, or too deep. -ENAMETOOLONG: a path of
 * HF_TAR_MAX_NAME or more. -ECANCELED: *cancel (may be NULL). If the folder changes later, the hash changes or reading
 * fails. */
HF_MUST_USE int hf_archive_new(const struct hf_fs_ops *fs, int dirfd, unsigned flags, const atomic_bool *cancel,
                               struct hf_archive **ret_archive, struct hf_err *err);
void hf_archive_free(struct hf_archive *archive);
HF_DEFINE_CLEANUP(struct hf_archive, hf_archive_free)

/* Valid until freed. */
struct hf_delta_old hf_archive_bytes(struct hf_archive *archive);
/* All bytes in order. First error of a read or write(), or -ECANCELED. */
HF_MUST_USE int hf_archive_write(struct hf_archive *archive, int (*write)(void *ctx, const void *bytes, size_t n),
                                 void *ctx, struct hf_err *err);
HF_MUST_USE int hf_archive_digest(struct hf_archive *archive, unsigned char digest[HF_SHA256_BYTES],
                                  struct hf_err *err);
