/* update/install/manifest_record.h - the records of a manifest as bytes; internal to manifest.c and manifest_check.c.
 *
 *     holdfast manifest 1\n
 *     <type> <mode> <uid> <gid> <size> <inode> <ctime, s> <ctime, ns> <sha256 or -> <path>\0
 *     end <number of records, ten digits> <sha256 of all bytes before>\0
 *
 * The type is d (folder), f (file) or l (symbolic link). The size of a folder is its number of names; the SHA-256 of a
 * link is that of its text. The path is relative to the top folder, whose own path is ".". Threads: worker threads only;
 * all functions block. */
#pragma once

#include "pack/tar/tar_read.h"
#include "update/install/manifest.h"

enum { HF_MANIFEST_RECORD_MAX = HF_TAR_MAX_NAME + 256, HF_MANIFEST_BUFFER = 16 << 10 };

struct manifest_record {
    char type;
    unsigned mode; /* permission bits, with set-id and sticky */
    uid_t uid;
    gid_t gid;
    uint64_t size, inode;
    int64_t changed_s, changed_ns;
    char sha256[HF_SHA256_HEX]; /* "-" for a folder */
    char path[HF_TAR_MAX_NAME];
};

/* Sets all fields except sha256 and path from a stat. The type is 0 for a device, socket or pipe. */
void manifest_record_set(struct manifest_record *record, const struct stat *st);

/* Writes <folder>/manifest.<version>.new; manifest_writer_end() makes it the manifest. */
struct manifest_writer {
    const struct hf_manifest *manifest;
    int fd;
    uint64_t at;
    unsigned count;
    struct hf_sha256 hash;
    size_t n;
    char bytes[HF_MANIFEST_BUFFER];
};
HF_MUST_USE int manifest_writer_begin(struct manifest_writer *writer, const struct hf_manifest *manifest,
                                      struct hf_failure *failure);
HF_MUST_USE int manifest_writer_add(struct manifest_writer *writer, const struct manifest_record *record,
                                    struct hf_failure *failure);
HF_MUST_USE int manifest_writer_end(struct manifest_writer *writer, struct hf_failure *failure);
void manifest_writer_done(struct manifest_writer *writer); /* removes an unfinished file */

struct manifest_reader {
    const struct hf_fs_ops *fs;
    int fd;
    uint64_t at, end, inode; /* of the next bytes; where the records end; of the file */
    unsigned count;          /* records of the whole manifest */
    size_t from, n;          /* unread part of `bytes` */
    char bytes[HF_MANIFEST_BUFFER];
};
/* -ENOENT: there is no manifest, or its end is wrong. Reads the whole file unless its inode is known_inode. */
HF_MUST_USE int manifest_reader_open(struct manifest_reader *reader, const struct hf_manifest *manifest,
                                     uint64_t known_inode);
/* Continues at an offset that manifest_reader_offset() returned. */
void manifest_reader_seek(struct manifest_reader *reader, uint64_t offset);
uint64_t manifest_reader_offset(const struct manifest_reader *reader);
/* Returns 1 with a record, 0 at the end, or -errno. */
HF_MUST_USE int manifest_reader_next(struct manifest_reader *reader, struct manifest_record *ret_record);
void manifest_reader_done(struct manifest_reader *reader);

/* Sets sha256 and, for a folder, size from the content below dirfd, and all other fields except the path from a stat
 * that belongs to that content. `path` is relative to dirfd and leads through no link. -ESTALE: the file changes while
 * the function reads it, or is neither file, folder nor link. */
HF_MUST_USE int manifest_record_read(const struct hf_fs_ops *fs, int dirfd, const char *path, const atomic_bool *cancel,
                                     struct manifest_record *record, struct hf_failure *failure);
