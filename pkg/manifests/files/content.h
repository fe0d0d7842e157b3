/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/files/content.h - hashes, reads and creates files in an open folder. All functions accept regular files
 * only, and never follow a link. Threads: workers; the functions block. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "codec/sha256.h"

/* Returns true if another user than root and that of this process may write the file. Who has mapped a file into memory
 * may change it at any time after, and the kernel need not change its times: they prove nothing of such a file. */
bool hf_files_others_may_write(const struct stat *st);
/* Computes the hash of a file that should have so many bytes, and reads no more than these. Returns 0 or -errno.
 * -ELOOP: `name` is a symbolic link. -EINVAL: it is a folder, device, socket or pipe. -EFBIG: it has more bytes.
 * -EAGAIN: another process has a lease on it (F_SETLEASE in fcntl(2)). */
HF_MUST_USE int hf_files_hash(const struct hf_fs_ops *fs, int dirfd, const char *name, uint64_t bytes,
                              unsigned char ret_sha256[HF_SHA256_BYTES]);
/* Returns true if this error of hf_files_hash() means that the file is not, or may not be, the expected one: the caller
 * treats it as a file with other content. */
bool hf_files_is_another(int r);
/* Appends the content of a file to *out. Returns 0 or -errno, as hf_files_hash() does. -E2BIG: *out would have more
 * than out->max bytes. */
HF_MUST_USE int hf_files_read(const struct hf_fs_ops *fs, int dirfd, const char *name, struct hf_buf *out);
/* Creates a file with this content, owner and mode, and syncs it. Returns 0 or -errno. -EEXIST: the name exists. */
HF_MUST_USE int hf_files_write(const struct hf_fs_ops *fs, int dirfd, const char *name, struct hf_view bytes,
                               mode_t mode, uid_t uid, gid_t gid);
