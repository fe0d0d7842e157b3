/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that this process may still use: the smallest of
 *
 *   the machine     half of MemAvailable in /proc/meminfo
 *   the cgroups     the own one and those above, v1 and v2: the limit (memory.max, memory.high; memory.limit_in_bytes)
 *                   minus used memory without file pages, minus 24 MiB of headroom
 *
 * What is unreadable is no bound. */
#pragma once

#include <stdint.h>

#include "base/fs.h"

struct hf_room {
    uint64_t bytes;  /* UINT64_MAX: no bound */
    char bound[112]; /* what sets the bound, such as "memory.max of cgroup /system.slice/x.service" */
};

/* `root`: "", or a recorded tree of files. */
void hf_room_memory(const struct hf_fs_ops *fs, const char *root, struct hf_room *ret_room);

/* Counts OOM kills; 0 also if unreadable. `own`: in the own cgroup, which is new at each start of a service. `above`:
 * in its parent, for v2 with all cgroups below that. */
struct hf_room_kills {
    uint64_t own, above;
};
void hf_room_kills(const struct hf_fs_ops *fs, const char *root, struct hf_room_kills *ret_kills);
