/* os/room.h - memory that this process may still take before the kernel kills it, or another process suffers.
 *
 * Two things bound it:
 *
 *   the machine     half of MemAvailable in /proc/meminfo: other processes live there too, and grow
 *   the cgroups     the process's own cgroup and each one above it, v1 and v2 (a v1 limit counts for all below).
 *                   Of each: the limit (memory.max or memory.high, memory.limit_in_bytes), less the memory in use by
 *                   its processes without file pages (the kernel drops those first), less HF_ROOM_HEADROOM_BYTES
 *
 * The smallest counts. /proc/self/cgroup and /proc/self/mountinfo tell where the cgroups are, so the result is right
 * for a systemd service, a container that sees the host's tree, one that sees only its own cgroup as the top (0::/),
 * and other mount points. A file that cannot be read bounds nothing. Blocks for a moment. Threads: any. */
#pragma once

#include <stdint.h>

#include "base/fs.h"

/* Bytes that stay free in every cgroup. 16 MiB are for pages of the files that the process reads and writes: with
 * less, the kernel reclaims them all the time, and an update that takes a second takes minutes. 8 MiB are for the
 * process's other work meanwhile (compressing a full telemetry batch, answers of an API server). */
#define HF_ROOM_HEADROOM_BYTES (UINT64_C(24) << 20)

struct hf_room {
    uint64_t bytes; /* UINT64_MAX: no bound */
    /* Name of the bound: "memory.max of cgroup /system.slice/x.service", "half of MemAvailable"; "" for none. Cut to
     * the array. */
    char bound[112];
};

/* Fills *ret_room. `root` comes before every path: "" on a real node, a recorded tree in tests. */
void hf_room_memory(const struct hf_fs_ops *fs, const char *root, struct hf_room *ret_room);

/* Returns the number of OOM kills that the process's own cgroup, and the one above it, have counted so far; 0 if the
 * files do not exist. A cgroup that systemd makes anew with every start of a service counts from 0 again; on v2 the
 * one above also counts the kills below it. */
struct hf_room_kills {
    uint64_t own, above;
};
void hf_room_kills(const struct hf_fs_ops *fs, const char *root, struct hf_room_kills *ret_kills);
