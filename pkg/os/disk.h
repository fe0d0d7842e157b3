/* SPDX-License-Identifier: Apache-2.0 */
/* Size and free space of file systems. Blocks. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

struct hf_disk {
    uint64_t total_bytes;
    uint64_t available_bytes; /* without root's reserve */
};

/* If `path` does not exist: where it would lie. */
HF_MUST_USE int hf_disk_read(const struct hf_fs_ops *fs, const char *path, struct hf_disk *ret_disk,
                             struct hf_err *err);
HF_MUST_USE int hf_disk_read_fd(const struct hf_fs_ops *fs, int fd, struct hf_disk *ret_disk);

/* A write of `more` bytes would leave at least reserve_bytes. */
bool hf_disk_has_room(const struct hf_disk *disk, uint64_t more, uint64_t reserve_bytes);
