/* node/disk.h - how full a file system is, as a level with hysteresis. Pure. */
#pragma once

#include <stdint.h>
#include <sys/statvfs.h>

enum hf_disk_level { HF_DISK_OK, HF_DISK_WARNING, HF_DISK_CRITICAL };
const char *hf_disk_level_name(enum hf_disk_level level); /* "Ok", "Warning", "Critical" */

enum { HF_DISK_WARN_PERCENT = 70, HF_DISK_CRITICAL_PERCENT = 85, HF_DISK_HYSTERESIS_PERCENT = 2 };

/* Used part in percent, rounded up, of what a normal user could use, as df(1) counts; 0 when the size is unknown. Inodes
 * count too: the fuller of both. */
unsigned hf_disk_used_percent(const struct statvfs *fs);

/* The level, given the one before: it falls only when the use is HF_DISK_HYSTERESIS_PERCENT below the mark it crossed. */
enum hf_disk_level hf_disk_judge(unsigned used_percent, unsigned warn_percent, unsigned critical_percent,
                                 enum hf_disk_level before);
