/* SPDX-License-Identifier: Apache-2.0 */
#include "os/owner.h"

#include <stdio.h>
#include <unistd.h>

bool hf_owner_is_safe(const struct stat *st, char *text, size_t n)
{
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        (void)snprintf(text, n, "belongs to uid %u, neither root nor the agent's user", (unsigned)st->st_uid);
        return false;
    }
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        (void)snprintf(text, n, "has mode %04o, so that %s can write", (unsigned)st->st_mode & 07777,
                       (st->st_mode & S_IWOTH) != 0 ? "everybody" : "its group");
        return false;
    }
    return true;
}

static bool is_trusted(uid_t uid, uid_t self)
{
    return uid == 0 || uid == self;
}

const char *hf_owner_refuses(const struct stat *folder, const struct stat *file, uid_t self)
{
    bool world = (folder->st_mode & S_IWOTH) != 0, group = (folder->st_mode & S_IWGRP) != 0;

    if ((file->st_mode & S_IROTH) != 0)
        return NULL;
    if (is_trusted(folder->st_uid, self) && !world && !group)
        return NULL;
    if (file->st_nlink > 1)
        return "it has several hard links, and others than root can write its folder";
    if (is_trusted(file->st_uid, self))
        return is_trusted(folder->st_uid, self) && !world ? NULL
                                                          : "it is root's, and others than root can write its folder";
    if (file->st_uid == folder->st_uid || is_trusted(folder->st_uid, self))
        return NULL;
    return "it belongs to another user than its folder";
}
