/* SPDX-License-Identifier: Apache-2.0 */
/* pack/tar/archive.h - reads a folder as if it were one file, which is the folder's canonical archive. Callers can read
 * this archive at any offset; nothing writes it to disk.
 *
 * The archive is a tar (POSIX.1-1988 ustar, with pax records of POSIX.1-2001 for values that do not fit into a ustar
 * header). The content of the folder determines every byte of the archive (FORMAT.md, "Canonical archives"). So the
 * SHA-256 of the archive identifies the content of a folder on any machine, and a node can compute the hash of an
 * installed folder again. A delta between two folders is a delta between their archives.
 *
 * Accepts regular files, folders, symbolic links and hard links. Refuses sockets, pipes and devices with an error that
 * names the file. Never follows a symbolic link, and opens every path beneath the folder (openat2). extract.h turns an
 * archive into a folder.
 *
 * The functions block: call them only on worker threads or in command-line programs. */
#pragma once

#include <stdatomic.h>

#include "base/fs.h"
#include "delta/delta.h"

enum {
    HF_ARCHIVE_OWNERS = 1, /* include uid and gid, which are 0 without this flag */
    /* include extended attributes, except those that sign content or belong to the machine: security.ima, security.evm,
     * security.selinux, ... */
    HF_ARCHIVE_XATTRS = 2,
    /* refuse a folder without files, and members with the attributes that HF_ARCHIVE_XATTRS would include, so that none
     * is lost without a word; not together with HF_ARCHIVE_XATTRS, and not recorded in the archive */
    HF_ARCHIVE_PLAIN = 4,
};

struct hf_archive;

/* Lists the members of the folder `dirfd`, and borrows `dirfd` until hf_archive_free(). Memory for each member: about
 * 100 bytes and the name. -EBADMSG: the folder contains a socket, pipe or device, or
 * HF_ARCHIVE_PLAIN refuses it. -E2BIG: there are too many members,
 * all names together exceed 64 MiB, or folders nest too deep. -ENAMETOOLONG: a path has HF_TAR_MAX_NAME bytes or more.
 * -ECANCELED: the caller has set *cancel; `cancel` may be NULL. If the folder changes later, the archive gets another
 * hash, or reading it fails. */
HF_MUST_USE int hf_archive_new(const struct hf_fs_ops *fs, int dirfd, unsigned flags, const atomic_bool *cancel,
                               struct hf_archive **ret_archive, struct hf_err *err);
void hf_archive_free(struct hf_archive *archive);
HF_DEFINE_CLEANUP(struct hf_archive, hf_archive_free)

/* Returns a reader of the archive's bytes. The reader is valid until hf_archive_free(). */
struct hf_delta_old hf_archive_bytes(struct hf_archive *archive);
/* Passes all bytes of the archive to write(), in order. Returns the first error of a read or of write(), or
 * -ECANCELED. */
HF_MUST_USE int hf_archive_write(struct hf_archive *archive, int (*write)(void *ctx, const void *bytes, size_t n),
                                 void *ctx, struct hf_err *err);
/* Computes the SHA-256 of the archive, for which it reads the whole folder. */
HF_MUST_USE int hf_archive_digest(struct hf_archive *archive, unsigned char digest[HF_SHA256_BYTES],
                                  struct hf_err *err);
