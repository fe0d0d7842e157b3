/* SPDX-License-Identifier: Apache-2.0 */
/* os/fs_counter.h - a table of the real file system's functions (os/fs_posix.h) that also counts the written bytes.
 *
 * A process makes one counter for each of its parts, and each part uses the table of its counter. Threads: any. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/fs.h"

/* The parts of an agent that write. */
enum hf_fs_part { HF_FS_STATE, HF_FS_UPDATES, HF_FS_TELEMETRY, HF_FS_PARTS };

/* Returns "state", "updates" or "telemetry". */
const char *hf_fs_counter_part_name(enum hf_fs_part part);

struct hf_fs_counter {
    struct hf_fs_ops ops; /* table to use; valid as long as the counter, which must not move */
    _Atomic uint64_t bytes;
};

void hf_fs_counter_init(struct hf_fs_counter *counter);

/* Returns how many bytes all calls of pwrite() through the counter's table have written. */
uint64_t hf_fs_counter_bytes(const struct hf_fs_counter *counter);
