/* os/owner.h - judges if only root and this process can change a file or folder. Pure but for geteuid(); any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Returns true if the owner is root or this process's user, and neither its group nor others may write. If not, writes
 * the reason, such as "belongs to uid 1000", into text[n]. */
bool hf_owner_is_safe(const struct stat *st, char *text, size_t n);
