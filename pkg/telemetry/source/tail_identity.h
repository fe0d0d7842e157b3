/* telemetry/source/tail_identity.h - what tells a log file from another one that has its name or its inode number.
 *
 * Threads: any. Memory: none. Errors: 0 means that the file does not tell. */
#pragma once

#include "base/fs.h"

enum { HF_TAIL_MARK_BYTES = 256 };

/* Returns a hash that is not 0. */
uint64_t hf_tail_hash(const void *bytes, size_t n);

/* Returns the hash of the first line, or of the first HF_TAIL_MARK_BYTES of a longer one. 0: the first line is not
 * complete yet. Appending to the file does not change the hash. */
uint64_t hf_tail_hash_start(const struct hf_fs_ops *fs, int fd);

/* Returns the hash of the bytes before the offset, of at most HF_TAIL_MARK_BYTES. 0: there are none, or the file does
 * not have them all. */
uint64_t hf_tail_hash_before(const struct hf_fs_ops *fs, int fd, uint64_t offset);

/* Returns the time at which the file was made, in Unix nanoseconds, or 0. */
uint64_t hf_tail_birth_ns(const struct hf_fs_ops *fs, int fd);
