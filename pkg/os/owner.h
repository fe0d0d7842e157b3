/* SPDX-License-Identifier: Apache-2.0 */
/* Can only root and this process's user change a file or folder? Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* False: `text`: "belongs to uid 1000". */
bool hf_owner_is_safe(const struct stat *st, char *text, size_t n);

/* May a process of user `self` read this regular file for others? A hard link may lead to a file of root's. NULL, or
 * why not. Allowed: what everyone may read, and folders that only root and `self` can write. Else refused: several hard
 * links; files of root or `self` if the folder is another user's or everyone's to write; other users' files, unless
 * root, `self` or the file's owner owns the folder. Pure. */
const char *hf_owner_refuses(const struct stat *folder, const struct stat *file, uid_t self);
