/* SPDX-License-Identifier: Apache-2.0 */
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

/* If `path` is absent, reads the file system on which it would be. */
HF_MUST_USE int hf_disk_read(const struct hf_fs_ops *fs, const char *path, struct hf_disk *ret_disk,
                             struct hf_err *err);
HF_MUST_USE int hf_disk_read_fd(const struct hf_fs_ops *fs, int fd, struct hf_disk *ret_disk);

bool hf_disk_has_room(const struct hf_disk *disk, uint64_t more, uint64_t reserve_bytes);
