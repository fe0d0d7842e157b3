/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of /proc and /sys, below a root folder for tests. Reads are limited; they block for microseconds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/fs.h"

struct hf_probe_root {
    const struct hf_fs_ops *fs;
    const char *root; /* no slash at the end; "" on a node */
};

/* First n - 1 bytes, trimmed at the end. False: unreadable; `text` is what came before. */
bool hf_probe_text(const struct hf_probe_root *at, const char *path, char *text, size_t n);

/* First n - 1 bytes. */
bool hf_probe_link(const struct hf_probe_root *at, const char *path, char *text, size_t n);

bool hf_probe_exists(const struct hf_probe_root *at, const char *path);

/* First in byte order. */
bool hf_probe_first(const struct hf_probe_root *at, const char *folder, const char *prefix, char *name, size_t n);

/* None without the folder. Returns `visit`'s negative result, which ends it, or -errno. */
int hf_probe_each(const struct hf_probe_root *at, const char *folder, int (*visit)(void *arg, const char *name),
                  void *arg);
