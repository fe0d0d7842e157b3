/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that this process may still use: the smallest of
 *
 *   the machine     half of MemAvailable in /proc/meminfo, shared with others
 *   the cgroups     own and parents, v1 and v2: limit (memory.max, memory.high; memory.limit_in_bytes), minus used
 *                   memory without file pages, minus 24 MiB of headroom
 *
 * /proc/self/cgroup and mountinfo name the folders, for services, containers with the host's tree or only their own
 * (0::/), and unusual mount points. Unreadable: no bound. Blocks briefly. */
#pragma once

#include <stdint.h>

#include "base/fs.h"

struct hf_room {
    uint64_t bytes;  /* UINT64_MAX: no bound */
    char bound[112]; /* "memory.max of cgroup /system.slice/x.service", or "" */
};

/* `root`: "", or a recorded tree. */
void hf_room_memory(const struct hf_fs_ops *fs, const char *root, struct hf_room *ret_room);

/* OOM kills in the own cgroup, in its parent (v2: and below); 0: unreadable. `own`: 0 at each start of a service. */
struct hf_room_kills {
    uint64_t own, above;
};
void hf_room_kills(const struct hf_fs_ops *fs, const char *root, struct hf_room_kills *ret_kills);
