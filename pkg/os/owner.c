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
