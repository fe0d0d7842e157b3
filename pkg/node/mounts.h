/* SPDX-License-Identifier: Apache-2.0 */
/* Tells a read-only file system from a read-only mount of a writable file system. */
#pragma once

#include "node/probe.h"

enum hf_mounts_state { HF_MOUNTS_UNKNOWN, HF_MOUNTS_WRITABLE, HF_MOUNTS_READ_ONLY };

/* Reads the table of mounts; free it. NULL: failed. Blocks. */
char *hf_mounts_read(const struct hf_probe_root *at);

/* Returns the state of the file system of `fd`. `mounts`: from hf_mounts_read(), or NULL. Blocks. */
enum hf_mounts_state hf_mounts_of_fd(const struct hf_probe_root *at, const char *mounts, int fd);

/* Returns the state of the file system of the mount `id`. Pure. */
enum hf_mounts_state hf_mounts_of_id(const char *mounts, unsigned id);
