/* SPDX-License-Identifier: Apache-2.0 */
/* Reads small files of /proc and /sys below a root folder, for tests a copy. Reads are limited, and block for
 * microseconds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/fs.h"

struct hf_probe_root {
    const struct hf_fs_ops *fs;
    const char *root; /* without the last slash; "" on a real node */
};

/* The first n - 1 bytes, trimmed at the end. False: not readable, and `text` has what came before. */
bool hf_probe_text(const struct hf_probe_root *at, const char *path, char *text, size_t n);

/* Cut to n - 1 bytes. */
bool hf_probe_link(const struct hf_probe_root *at, const char *path, char *text, size_t n);

bool hf_probe_exists(const struct hf_probe_root *at, const char *path);

/* The first name in byte order. */
bool hf_probe_first(const struct hf_probe_root *at, const char *folder, const char *prefix, char *name, size_t n);

/* None if the folder cannot be opened. Returns a negative result of `visit`, which ends it, or -errno. */
int hf_probe_each(const struct hf_probe_root *at, const char *folder, int (*visit)(void *arg, const char *name),
                  void *arg);
