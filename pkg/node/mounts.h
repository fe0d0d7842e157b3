/* SPDX-License-Identifier: Apache-2.0 */
/* A read-only file system, or only a read-only mount of it? */
#pragma once

#include "node/probe.h"

enum hf_mounts_state { HF_MOUNTS_UNKNOWN, HF_MOUNTS_WRITABLE, HF_MOUNTS_READ_ONLY };

/* Free it. NULL: unreadable. Blocks. */
char *hf_mounts_read(const struct hf_probe_root *at);

/* `mounts` may be NULL. Reads a small file of /proc. */
enum hf_mounts_state hf_mounts_of_fd(const struct hf_probe_root *at, const char *mounts, int fd);

/* The file system of the mount `id`. Pure. */
enum hf_mounts_state hf_mounts_of_id(const char *mounts, unsigned id);
