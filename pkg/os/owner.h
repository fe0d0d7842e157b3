/* SPDX-License-Identifier: Apache-2.0 */
/* Whether only root and this process's user can change a file or folder. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

bool hf_owner_is_safe(const struct stat *st, char *text, size_t n);

/* Says why a process of user `self` must not read this regular file for others, or NULL. Allowed: what everyone may
 * read, and folders that only root and `self` can write. Else refused: files with several hard links; files of root or
 * `self`, if another user owns the folder or everyone can write it; other users' files, unless root, `self` or the
 * file's owner owns the folder. Pure. */
const char *hf_owner_refuses(const struct stat *folder, const struct stat *file, uid_t self);
