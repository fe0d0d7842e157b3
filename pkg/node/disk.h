/* node/disk.h - the usage of a file system, as a level with hysteresis. Pure; any thread. */
#pragma once

#include <stdint.h>
#include <sys/statvfs.h>

enum hf_disk_level { HF_DISK_OK, HF_DISK_WARNING, HF_DISK_CRITICAL };
const char *hf_disk_level_name(enum hf_disk_level level); /* "Ok", "Warning", "Critical" */

enum { HF_DISK_WARN_PERCENT = 70, HF_DISK_CRITICAL_PERCENT = 85, HF_DISK_HYSTERESIS_PERCENT = 2 };

/* Returns the used percentage, rounded up, of the space that a normal user could use (as df(1) computes it), or 0 if
 * the size is unknown. Computes a percentage for blocks and another for inodes, and returns the greater. */
unsigned hf_disk_used_percent(const struct statvfs *fs);

/* Returns the new level; `before` is the previous level. The level falls only when the usage is
 * HF_DISK_HYSTERESIS_PERCENT below the threshold. */
enum hf_disk_level hf_disk_judge(unsigned used_percent, unsigned warn_percent, unsigned critical_percent,
                                 enum hf_disk_level before);
