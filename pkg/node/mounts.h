/* SPDX-License-Identifier: Apache-2.0 */
/* node/mounts.h - tells a file system that is read-only from a mount of it that is.
 *
 * ST_RDONLY of statvfs() is set for both. The systemd unit of the agent sees most mounts of the host read-only
 * (ProtectSystem=), although the file systems are writable. Linux 6.12 and later do not set ST_RDONLY when ext4 stops
 * all writes after an error (errors=remount-ro); since 6.15 the option emergency_ro shows it. Both are in the options
 * of the file system, at the end of a line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
#pragma once

#include <stddef.h>

#include "node/probe.h"

enum hf_mounts_state { HF_MOUNTS_UNKNOWN, HF_MOUNTS_WRITABLE, HF_MOUNTS_READ_ONLY };

/* Reads the mounts of this process. Returns a text that the caller frees, or NULL if it cannot be read. Blocks.
 * Threads: any. */
char *hf_mounts_read(const struct hf_probe_root *at);

/* Returns the state of the file system of an open file. `mounts` comes from hf_mounts_read(); NULL means unknown.
 * Reads a small file of /proc. Threads: any. */
enum hf_mounts_state hf_mounts_of_fd(const struct hf_probe_root *at, const char *mounts, int fd);

/* Returns the state of the file system that the mount with this id has. Pure. */
enum hf_mounts_state hf_mounts_of_id(const char *mounts, unsigned id);
