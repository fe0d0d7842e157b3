/* node/probe.h - reads the small text files of /proc and /sys through a table, below a root folder.
 *
 * `root` comes before every path ("" on a real node), so that the same code reads the recorded tree of a board.
 * Every read is bounded. Blocks for microseconds. Threads: any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/fs.h"

struct hf_probe_root {
    const struct hf_fs_ops *fs;
    const char *root; /* "" or a folder without trailing slash */
};

/* Reads the first n - 1 bytes of a file into text, without blanks at the end. False, and "", if the file cannot be
 * read. */
bool hf_probe_text(const struct hf_probe_root *at, const char *path, char *text, size_t n);

/* Reads the target of a symbolic link; false if it is not a link. */
bool hf_probe_link(const struct hf_probe_root *at, const char *path, char *text, size_t n);

bool hf_probe_exists(const struct hf_probe_root *at, const char *path);

/* Finds the first name in a folder, in byte order, that starts with `prefix`. */
bool hf_probe_first(const struct hf_probe_root *at, const char *folder, const char *prefix, char *name, size_t n);

/* Calls `visit` for every name in a folder; a missing folder has none. A non-zero return stops, and hf_probe_each()
 * returns it. */
int hf_probe_each(const struct hf_probe_root *at, const char *folder, int (*visit)(void *arg, const char *name),
                  void *arg);
