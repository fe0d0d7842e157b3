/* pack/tar/archive.h - a folder as one file: its canonical archive, which can be read at any offset and is never
 * written to disk.
 *
 * The archive is a tar (POSIX.1-1988 ustar; pax records of POSIX.1-2001 for values that do not fit) whose every byte
 * follows from the folder: FORMAT.md, "Canonical archives". So its SHA-256 identifies the content of a folder on any
 * machine, a delta between two folders is a delta between their archives, and a node can compute the hash of an
 * installed tree again.
 *
 * Accepts regular files, folders, symbolic and hard links; refuses sockets, pipes and devices; the error names them.
 * Never follows a link: opens every component beneath the folder (openat2). extract.h is the way back. Blocks:
 * worker threads and command lines only. */
#pragma once

#include <stdatomic.h>

#include "base/fs.h"
#include "delta/delta.h"

enum {
    HF_ARCHIVE_OWNERS = 1, /* include uid and gid; else they are 0 */
    HF_ARCHIVE_XATTRS = 2, /* include extended attributes, except those that sign content or belong to the machine:
                            * security.ima, security.evm, security.selinux, ... */
};

struct hf_archive;

/* Lists the folder open as dirfd, which stays borrowed for the life of the archive. Memory: about 100 bytes and the
 * name for each member. -EBADMSG: the folder has something else than the four kinds. -E2BIG: too many members, too
 * deep. If the folder changes later, the archive has another hash or cannot be read. */
HF_MUST_USE int hf_archive_new(const struct hf_fs_ops *fs, int dirfd, unsigned flags, const atomic_bool *cancel,
                               struct hf_archive **ret_archive, struct hf_err *err);
void hf_archive_free(struct hf_archive *archive);
HF_DEFINE_CLEANUP(struct hf_archive, hf_archive_free)

/* Returns the bytes of the archive, valid as long as the archive. */
struct hf_delta_old hf_archive_bytes(struct hf_archive *archive);
/* Returns the error of the last read that failed. */
const struct hf_err *hf_archive_trouble(const struct hf_archive *archive);
/* Reads everything and writes it in order. Returns the first error of a read or of write(). */
HF_MUST_USE int hf_archive_write(struct hf_archive *archive, int (*write)(void *ctx, const void *bytes, size_t n),
                                 void *ctx, struct hf_err *err);
/* Computes the SHA-256 of the archive: reads everything. */
HF_MUST_USE int hf_archive_digest(struct hf_archive *archive, unsigned char digest[HF_SHA256_BYTES],
                                  struct hf_err *err);
