/* SPDX-License-Identifier: Apache-2.0 */
/* os/owner.h - checks that only root and the user of this process can change a file or folder, or can have put a file
 * into a folder. Pure, except for a call of geteuid(); any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Returns true if root or the user of this process owns the file, and the mode gives write permission neither to the
 * group nor to others. Otherwise returns false, and writes the reason, such as "belongs to uid 1000", into text[n]. */
bool hf_owner_is_safe(const struct stat *st, char *text, size_t n);

/* Decides whether a process that runs as user `self` may read a regular file in this folder for others: another user
 * may have made a hard link there to a file that only root can read. Returns NULL if the process may read it, otherwise
 * the reason as static text. Pure. Allows every file that everyone may read, and every file in a folder that only root
 * and `self` can write. Of all other files, refuses three kinds: files with several hard links; files of root or
 * `self`, if the folder belongs to another user or is writable by everyone; and files of other users, unless root,
 * `self` or the file's owner owns the folder. */
const char *hf_owner_refuses(const struct stat *folder, const struct stat *file, uid_t self);
