/* os/room.h - how much memory this process may still take before the kernel ends it, or somebody else suffers.
 *
 * Two things bound it:
 *   the machine     half of what /proc/meminfo calls available: others live there, too, and grow
 *   the cgroups     the process's own one and each one above it, v1 and v2 (a v1 limit counts for everything below, too). Of each,
 *                   the limit (memory.max or memory.high, memory.limit_in_bytes), less what is in use by all in it but for file pages
 *                   (the kernel drops those first), less HF_ROOM_HEADROOM_BYTES
 * The smallest counts. Where the groups lie is read from /proc/self/cgroup and /proc/self/mountinfo, so it is right for a service
 * of systemd, a container that sees the host's tree, one that sees only its own group as the top (0::/), and other mount points.
 * What cannot be read bounds nothing. Blocks for a moment. Threads: any. */
#pragma once

#include <stdint.h>

#include "base/fs.h"

/* Left free in every group. 16 MiB are for pages of the files being read and written: with less the kernel reclaims them all the
 * time, and an update that takes a second takes minutes. 8 MiB are for what the process takes meanwhile for its other work (a full
 * telemetry batch being packed, answers of an API server). */
#define HF_ROOM_HEADROOM_BYTES (UINT64_C(24) << 20)

struct hf_room {
    uint64_t bytes; /* UINT64_MAX: nothing bounds it */
    char bound
        [112]; /* by what: "memory.max of cgroup /system.slice/x.service", "MemAvailable"; "" nothing. Cut when long. */
};

/* `root` is put before every path: "" on a real node, a recorded tree in tests. */
void hf_room_memory(const struct hf_fs_ops *fs, const char *root, struct hf_room *ret_room);

/* OOM kills that the process's own cgroup, and the one above it, have seen so far; 0 where they do not say. A group that is made anew
 * with every start of a service counts from 0 again; on v2 the one above knows of the kills below it. */
struct hf_room_kills {
    uint64_t own, above;
};
void hf_room_kills(const struct hf_fs_ops *fs, const char *root, struct hf_room_kills *ret_kills);
