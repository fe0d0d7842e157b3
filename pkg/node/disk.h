/* SPDX-License-Identifier: Apache-2.0 */
/* node/disk.h - computes the usage of a file system as a level, with hysteresis. Pure. Threads: any. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/statvfs.h>

enum hf_disk_level { HF_DISK_OK, HF_DISK_WARNING, HF_DISK_CRITICAL };
const char *hf_disk_level_name(enum hf_disk_level level); /* Returns "Ok", "Warning" or "Critical". */

enum { HF_DISK_WARN_PERCENT = 70, HF_DISK_CRITICAL_PERCENT = 85, HF_DISK_HYSTERESIS_PERCENT = 2 };

/* Returns the used part of the file system in percent, rounded up, or 0 if the size is unknown. Computes one percentage
 * for blocks and one for inodes, and returns the greater one. As in df(1), the blocks that are reserved for root are
 * not part of the 100 percent. */
unsigned hf_disk_used_percent(const struct statvfs *fs);

/* Usage of a file system. Both percentages follow the rules of hf_disk_used_percent(). */
struct hf_disk_usage {
    unsigned used_percent;   /* used part of the blocks */
    unsigned inodes_percent; /* used part of the inodes; 0 if the file system has no fixed number of inodes */
    bool read_only;
};
void hf_disk_usage_of(const struct statvfs *fs, struct hf_disk_usage *ret_usage);

/* Returns the level for this usage; `before` is the previous level. The levels Warning and Critical end only if the
 * usage is more than HF_DISK_HYSTERESIS_PERCENT percentage points below the threshold of the level. */
enum hf_disk_level hf_disk_judge(unsigned used_percent, unsigned warn_percent, unsigned critical_percent,
                                 enum hf_disk_level before);
