/* SPDX-License-Identifier: Apache-2.0 */
/* Reads small files, mostly of /proc and /sys, below a root folder for tests. Blocks briefly. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/fs.h"

struct hf_probe_root {
    const struct hf_fs_ops *fs;
    const char *root; /* no slash at the end; "" on a node */
};

/* Reads the first n - 1 bytes, without white space at the end. False: unreadable. */
bool hf_probe_text(const struct hf_probe_root *at, const char *path, char *text, size_t n);

bool hf_probe_link(const struct hf_probe_root *at, const char *path, char *text, size_t n);

bool hf_probe_exists(const struct hf_probe_root *at, const char *path);

/* Finds the first name with the prefix, in byte order. */
bool hf_probe_first(const struct hf_probe_root *at, const char *folder, const char *prefix, char *name, size_t n);

/* Visits all names; without a readable folder, 0. Returns `visit`'s negative result, which ends the visits, or
 * -errno. */
int hf_probe_each(const struct hf_probe_root *at, const char *folder, int (*visit)(void *arg, const char *name),
                  void *arg);
