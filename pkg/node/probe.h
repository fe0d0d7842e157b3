/* SPDX-License-Identifier: Apache-2.0 */
/* node/probe.h - reads the small text files of /proc and /sys below a root folder.
 *
 * Every function puts the root folder before the path, so that a test can read a recorded copy of a board's files; on a
 * real node the root folder is "". The size of every read is limited. The functions block for microseconds. Threads:
 * any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/fs.h"

struct hf_probe_root {
    const struct hf_fs_ops *fs;
    const char *root; /* path of the root folder without a slash at its end; "" on a real node */
};

/* Reads the first n - 1 bytes of a file into `text`, and removes white space at the end of the text. Returns false if
 * the file cannot be read; `text` then has the bytes before the failure, or is "" if there are none. */
bool hf_probe_text(const struct hf_probe_root *at, const char *path, char *text, size_t n);

/* Reads the target of a symbolic link into text[n], cut to n - 1 bytes. Returns false if the path does not name a
 * symbolic link. */
bool hf_probe_link(const struct hf_probe_root *at, const char *path, char *text, size_t n);

enum { HF_PROBE_BOOT_ID = 40 }; /* size in bytes of a boot id with its terminator */

/* Reads the id that the kernel gives to this boot, or "" if it is unknown. The monotonic clock of another boot means
 * nothing in this one. */
void hf_probe_boot_id(const struct hf_probe_root *at, char id[HF_PROBE_BOOT_ID]);

bool hf_probe_exists(const struct hf_probe_root *at, const char *path);

/* Finds the names in a folder that start with `prefix` and fit into name[n], and copies the first of them in byte order
 * to name[n]. Returns false if there is no such name. */
bool hf_probe_first(const struct hf_probe_root *at, const char *folder, const char *prefix, char *name, size_t n);

/* Calls `visit` for every name in a folder. A folder that cannot be opened counts as empty. If `visit` returns a
 * negative value, hf_probe_each() stops and returns this value; otherwise it returns 0, or -errno if the listing
 * fails. */
int hf_probe_each(const struct hf_probe_root *at, const char *folder, int (*visit)(void *arg, const char *name),
                  void *arg);
