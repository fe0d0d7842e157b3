/* SPDX-License-Identifier: Apache-2.0 */
/* Records of a manifest (format: manifest.c). Workers only. */
#pragma once

#include "pack/tar/tar_read.h"
#include "update/install/manifest.h"

enum { HF_INSTALL_MANIFEST_RECORD_MAX = HF_TAR_MAX_NAME + 256, HF_INSTALL_MANIFEST_BUFFER = 16 << 10 };

struct manifest_record {
    char type;
    unsigned mode;
    uid_t uid;
    gid_t gid;
    uint64_t size, inode;
    int64_t changed_s, changed_ns; /* ctime */
    char sha256[HF_SHA256_HEX];    /* "-" for a folder */
    char path[HF_TAR_MAX_NAME];
};

/* Sets all members except sha256 and path. Type 0 stands for a device, socket or pipe. */
void manifest_record_set(struct manifest_record *record, const struct stat *st);

/* Writes <folder>/manifest.<version>.new, which manifest_writer_end() renames. */
struct manifest_writer {
    const struct hf_install_manifest *manifest;
    int fd;
    uint64_t at;
    unsigned count;
    struct hf_sha256 hash;
    size_t n;
    char bytes[HF_INSTALL_MANIFEST_BUFFER];
};
HF_MUST_USE int manifest_writer_begin(struct manifest_writer *writer, const struct hf_install_manifest *manifest,
                                      struct hf_failure *failure);
HF_MUST_USE int manifest_writer_add(struct manifest_writer *writer, const struct manifest_record *record,
                                    struct hf_failure *failure);
HF_MUST_USE int manifest_writer_end(struct manifest_writer *writer, struct hf_failure *failure);
void manifest_writer_done(struct manifest_writer *writer);

struct manifest_reader {
    const struct hf_fs_ops *fs;
    int fd;
    /* `at`: offset of the next byte to read; `end`: offset of the records' end; `inode`: the manifest's */
    uint64_t at, end, inode;
    unsigned count;
    size_t from, n; /* bytes[from..n) is unread */
    char bytes[HF_INSTALL_MANIFEST_BUFFER];
};
/* Opens the manifest, and checks the SHA-256 in its last line unless its inode is known_inode. -ENOENT: missing or
 * damaged. */
HF_MUST_USE int manifest_reader_open(struct manifest_reader *reader, const struct hf_install_manifest *manifest,
                                     uint64_t known_inode);
void manifest_reader_seek(struct manifest_reader *reader, uint64_t offset);
uint64_t manifest_reader_offset(const struct manifest_reader *reader);
/* 1: a record; 0: the end; -errno. */
HF_MUST_USE int manifest_reader_next(struct manifest_reader *reader, struct manifest_record *ret_record);
void manifest_reader_done(struct manifest_reader *reader);

/* Reads all members except path from the file `path` below `dirfd`, without following links. -ESTALE: e.g. it changed
 * meanwhile, has a capability (security.capability), or is a device, socket or pipe. */
HF_MUST_USE int manifest_record_read(const struct hf_fs_ops *fs, int dirfd, const char *path, const atomic_bool *cancel,
                                     struct manifest_record *record, struct hf_failure *failure);
