/* SPDX-License-Identifier: Apache-2.0 */
/* os/disk.h - reads the size and the free space of the file system of a folder. Blocks. Threads: any. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

struct hf_disk {
    uint64_t total_bytes;
    uint64_t available_bytes; /* without the bytes that only root may use */
};

/* Reads the state of the file system on which `path` lies. If `path` does not exist, the function uses the nearest
 * folder above `path` that exists, because a file made at `path` later will lie on the same file system. */
HF_MUST_USE int hf_disk_read(const struct hf_fs_ops *fs, const char *path, struct hf_disk *ret_disk,
                             struct hf_err *err);
/* Like hf_disk_read(), for the file system of an open file or folder. */
HF_MUST_USE int hf_disk_read_fd(const struct hf_fs_ops *fs, int fd, struct hf_disk *ret_disk);

/* Returns true if a write of `more` bytes would leave at least reserve_bytes available. */
bool hf_disk_has_room(const struct hf_disk *disk, uint64_t more, uint64_t reserve_bytes);
