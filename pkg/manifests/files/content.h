/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes regular files in an open folder; follows no link. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "codec/sha256.h"

/* Whether other users than root and this process's may write the file. They may keep it mapped and change it later,
 * without a trace in its times. */
bool hf_files_others_may_write(const struct stat *st);
/* Hashes at most `bytes`. -ELOOP: a link. -EINVAL: a folder, pipe or, usually, device. -ENXIO: a socket. -EFBIG:
 * larger. -EAGAIN: another process has a lease (F_SETLEASE in fcntl(2)). */
HF_MUST_USE int hf_files_hash(const struct hf_fs_ops *fs, int dirfd, const char *name, uint64_t bytes,
                              unsigned char ret_sha256[HF_SHA256_BYTES]);
/* Whether a read gave -ENOENT, -ELOOP, -EINVAL, -EFBIG or -EAGAIN: the name may have another file now, or none. */
bool hf_files_is_another(int r);
/* Appends the content. Errors of hf_files_hash(), with -E2BIG (out->max) for -EFBIG. */
HF_MUST_USE int hf_files_read(const struct hf_fs_ops *fs, int dirfd, const char *name, struct hf_buf *out);
/* Creates and syncs a file. -EEXIST. */
HF_MUST_USE int hf_files_write(const struct hf_fs_ops *fs, int dirfd, const char *name, struct hf_view bytes,
                               mode_t mode, uid_t uid, gid_t gid);
