/* pack/tar/archive.h - a folder as one file: its canonical archive, read at any place without being written anywhere, and made into a
 * folder again as it comes in order.
 *
 * The archive is a tar (POSIX.1-1988 ustar, pax records of POSIX.1-2001 for what does not fit) in which nothing is left to chance:
 * FORMAT.md, "Canonical archives". So its SHA-256 names what a folder holds, on any machine; a delta between two folders is a delta
 * between their archives; and an artifact of kind Tree that is a canonical archive has, once it was unpacked, its own hash again.
 * Regular files, folders, symbolic and hard links; sockets, pipes and devices are refused by name. Never follows a link: every
 * component is opened beneath the folder (openat2). Blocks: worker threads and command lines only. */
#pragma once

#include <stdatomic.h>

#include "base/fs.h"
#include "delta/delta.h"

enum {
    HF_ARCHIVE_OWNERS = 1, /* uid and gid; else 0, and left as they come */
    HF_ARCHIVE_XATTRS =
        2, /* extended attributes, but those that sign content or are the machine's (security.ima, .evm, .selinux) */
};

enum {
    HF_ARCHIVE_MAX_NAME = 1024,
    HF_ARCHIVE_MAX_DEPTH = 32,
    HF_ARCHIVE_MAX_MEMBERS = 100000,
    HF_ARCHIVE_MAX_HEAD = 1 << 17, /* bytes before a member's content: names and attributes */
};

struct hf_archive;

/* Look at the folder open as dirfd (borrowed for the archive's life): names, modes and sizes are kept, about 100 bytes and the name
 * for each member. -EBADMSG: something in it is none of the four. A folder that changes afterwards gives an archive with another hash. */
HF_MUST_USE int hf_archive_new(const struct hf_fs_ops *fs, int dirfd, unsigned flags, const atomic_bool *cancel,
                               struct hf_archive **ret_archive, struct hf_err *err);
void hf_archive_free(struct hf_archive *archive);
HF_DEFINE_CLEANUP(struct hf_archive, hf_archive_free)

/* The archive's bytes; lives as long as the archive. */
struct hf_delta_old hf_archive_bytes(struct hf_archive *archive);
/* Why the last read failed, for a person. */
const struct hf_err *hf_archive_trouble(const struct hf_archive *archive);
/* SHA-256 of it: reads everything. */
HF_MUST_USE int hf_archive_digest(struct hf_archive *archive, unsigned char digest[HF_SHA256_BYTES],
                                  struct hf_err *err);

/* ---- an archive that comes in order becomes a folder --------------------------------------------------------------- */

struct hf_extract;

/* Into the empty folder open as dirfd (borrowed). */
HF_MUST_USE int hf_extract_new(const struct hf_fs_ops *fs, int dirfd, struct hf_extract **ret_extract,
                               struct hf_err *err);
void hf_extract_free(struct hf_extract *extract);
HF_DEFINE_CLEANUP(struct hf_extract, hf_extract_free)
/* Bytes in order. -EBADMSG: not canonical, leads out of the folder, or damaged. */
HF_MUST_USE int hf_extract_feed(struct hf_extract *extract, const void *bytes, size_t n, struct hf_err *err);
/* No more bytes: modes of folders are set, everything is synced. */
HF_MUST_USE int hf_extract_finish(struct hf_extract *extract, struct hf_err *err);
