/* SPDX-License-Identifier: Apache-2.0 */
/* os/room.h - computes how much more memory this process may use. If the process used more, the kernel could kill it,
 * or other processes could run short of memory.
 *
 * Two kinds of bounds limit this memory:
 *
 *   the machine     half of MemAvailable in /proc/meminfo, because other processes share that memory and may grow
 *   the cgroups     the process's own cgroup and all its parents, v1 and v2. For each cgroup, the bound is its limit
 *                   (memory.max or memory.high; v1: memory.limit_in_bytes), minus the used memory (without file pages,
 *                   which the kernel drops first), minus HF_ROOM_HEADROOM_BYTES
 *
 * The result is the smallest of these bounds. /proc/self/cgroup and /proc/self/mountinfo name the folders of the
 * cgroups. The result is therefore right for systemd services, for containers that see the host's cgroup tree, for
 * containers that see only their own cgroup as the root (0::/), and for unusual mount points. A file that the process
 * cannot read sets no bound. Blocks for a moment. Threads: any. */
#pragma once

#include <stdint.h>

#include "base/fs.h"

/* Bytes that must stay free in every cgroup. 16 MiB are for cached pages of the files that the process reads and
 * writes: with less, the kernel reclaims these pages all the time, and an update of one second takes minutes. 8 MiB are
 * for other work during the update, such as compressing a full telemetry batch and reading answers of an API server. */
#define HF_ROOM_HEADROOM_BYTES (UINT64_C(24) << 20)

struct hf_room {
    uint64_t bytes; /* number of bytes that the process may still use (UINT64_MAX means that there is no bound) */
    /* Name of the bound, such as "memory.max of cgroup /system.slice/x.service" or "half of MemAvailable"; "" if no
     * bound exists. The name is cut to the size of this array. */
    char bound[112];
};

/* Fills *ret_room. The function puts `root` in front of every path. `root` is "" on a real node, and the folder of a
 * recorded tree in tests. */
void hf_room_memory(const struct hf_fs_ops *fs, const char *root, struct hf_room *ret_room);

/* Numbers of OOM kills that the kernel has counted so far. `own` counts the kills in the process's own cgroup, and
 * `above` counts the kills in the parent of this cgroup. A number is 0 if the process cannot read the file with this
 * count. systemd makes a new cgroup at every start of a service, so `own` begins at 0 again after a start. With cgroup
 * v2, both counts also include the kills in all cgroups below. */
struct hf_room_kills {
    uint64_t own, above;
};
void hf_room_kills(const struct hf_fs_ops *fs, const char *root, struct hf_room_kills *ret_kills);
