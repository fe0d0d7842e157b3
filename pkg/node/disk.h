/* SPDX-License-Identifier: Apache-2.0 */
/* Turns the usage of a file system into a level, with hysteresis. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/statvfs.h>

enum hf_disk_level { HF_DISK_OK, HF_DISK_WARNING, HF_DISK_CRITICAL };
const char *hf_disk_level_name(enum hf_disk_level level);

enum { HF_DISK_WARN_PERCENT = 70, HF_DISK_CRITICAL_PERCENT = 85, HF_DISK_HYSTERESIS_PERCENT = 2 };

/* Returns the greater share of blocks and inodes, rounded up, as df(1); 0: unknown. */
unsigned hf_disk_used_percent(const struct statvfs *fs);

struct hf_disk_usage {
    unsigned used_percent;
    unsigned inodes_percent; /* 0: no fixed number of inodes */
    bool read_only;
};
void hf_disk_usage_of(const struct statvfs *fs, struct hf_disk_usage *ret_usage);

/* A level ends when the usage is more than HF_DISK_HYSTERESIS_PERCENT below its threshold. */
enum hf_disk_level hf_disk_judge(unsigned used_percent, unsigned warn_percent, unsigned critical_percent,
                                 enum hf_disk_level before);
