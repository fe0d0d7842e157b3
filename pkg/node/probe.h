/* node/probe.h - reading the small text files of /proc and /sys through a table, below a root folder.
 *
 * `root` is put before every path ("" on a real node), so that a recorded tree of a board is read by the same code. Every
 * read is bounded; what is missing is simply not there. Blocks for microseconds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/fs.h"

struct hf_probe_root {
    const struct hf_fs_ops *fs;
    const char *root; /* "" or a folder without trailing slash */
};

/* The first n - 1 bytes of a file into text, without blanks at its end. False (and "") when it cannot be read. */
bool hf_probe_text(const struct hf_probe_root *at, const char *path, char *text, size_t n);

/* Where a symbolic link points. False when it is none. */
bool hf_probe_link(const struct hf_probe_root *at, const char *path, char *text, size_t n);

bool hf_probe_exists(const struct hf_probe_root *at, const char *path);

/* The first name in a folder, in byte order, that starts with `prefix`. */
bool hf_probe_first(const struct hf_probe_root *at, const char *folder, const char *prefix, char *name, size_t n);

/* Call `visit` for every name in a folder; a missing folder has none. A non-zero return stops and is returned. */
int hf_probe_each(const struct hf_probe_root *at, const char *folder, int (*visit)(void *arg, const char *name),
                  void *arg);
