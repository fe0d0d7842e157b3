/* node/disk.h - computes the usage of a file system as a level, with hysteresis. Pure. Threads: any. */
#pragma once

#include <stdint.h>
#include <sys/statvfs.h>

enum hf_disk_level { HF_DISK_OK, HF_DISK_WARNING, HF_DISK_CRITICAL };
const char *hf_disk_level_name(enum hf_disk_level level); /* Returns "Ok", "Warning" or "Critical". */

enum { HF_DISK_WARN_PERCENT = 70, HF_DISK_CRITICAL_PERCENT = 85, HF_DISK_HYSTERESIS_PERCENT = 2 };

/* Returns how many percent of the file system are used, rounded up, or 0 if the size is unknown. As in df(1), 100
 * percent is the space that a normal user could use. Computes one percentage for blocks and one for inodes, and returns
 * the greater. */
unsigned hf_disk_used_percent(const struct statvfs *fs);

/* Returns the level for this usage; `before` is the previous level. The level falls only if the usage is at least
 * HF_DISK_HYSTERESIS_PERCENT below the threshold. */
enum hf_disk_level hf_disk_judge(unsigned used_percent, unsigned warn_percent, unsigned critical_percent,
                                 enum hf_disk_level before);
