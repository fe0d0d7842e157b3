/* os/owner.h - checks that only root and the user of this process can change a file or folder. Pure, except for a call
 * of geteuid(); any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Returns true if root or the user of this process owns the file, and the mode gives write permission neither to the
 * group nor to others. Otherwise returns false, and writes the reason, such as "belongs to uid 1000", into text[n]. */
bool hf_owner_is_safe(const struct stat *st, char *text, size_t n);
