/* node/probe.h - reads the small text files of /proc and /sys through a table, below a root folder.
 *
 * Every function puts `root` before the path ("" on a real node), so that a test can read the recorded tree of a board.
 * Every read is bounded. Blocks for microseconds. Threads: any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/fs.h"

struct hf_probe_root {
    const struct hf_fs_ops *fs;
    const char *root; /* "" or a folder without trailing slash */
};

/* Reads the first n - 1 bytes of a file into text and removes blanks at the end. If the file cannot be read, sets text
 * to "" and returns false. */
bool hf_probe_text(const struct hf_probe_root *at, const char *path, char *text, size_t n);

/* Reads the target of a symbolic link into text[n]. Returns false if the path is not a link. */
bool hf_probe_link(const struct hf_probe_root *at, const char *path, char *text, size_t n);

bool hf_probe_exists(const struct hf_probe_root *at, const char *path);

/* Finds the name in a folder that starts with `prefix` and is first in byte order. Returns false if there is none. */
bool hf_probe_first(const struct hf_probe_root *at, const char *folder, const char *prefix, char *name, size_t n);

/* Calls `visit` for every name in a folder; a missing folder counts as empty. If `visit` returns a value other than 0,
 * hf_probe_each() stops and returns this value. */
int hf_probe_each(const struct hf_probe_root *at, const char *folder, int (*visit)(void *arg, const char *name),
                  void *arg);
