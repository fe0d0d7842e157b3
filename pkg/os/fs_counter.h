/* SPDX-License-Identifier: Apache-2.0 */
/* The file system of os/fs_posix.h, with one counter of written bytes for each part of the process. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/fs.h"

enum hf_fs_part { HF_FS_STATE, HF_FS_UPDATES, HF_FS_TELEMETRY, HF_FS_PARTS };

const char *hf_fs_counter_part_name(enum hf_fs_part part);

struct hf_fs_counter {
    struct hf_fs_ops ops; /* valid as long as the counter, which must not move */
    _Atomic uint64_t bytes;
};

void hf_fs_counter_init(struct hf_fs_counter *counter);

uint64_t hf_fs_counter_bytes(const struct hf_fs_counter *counter);
